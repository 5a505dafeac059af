//! Which release is said to fix what affects another: a release is let through early for it.

use super::*;

async fn about(records: &[Value]) -> std::sync::Arc<PackageAdvisories> {
    let (_folder, store) = open().await;
    let from = tempfile::tempdir().unwrap();
    for (at, record) in records.iter().enumerate() {
        write(from.path(), &format!("{at}.json"), record);
    }
    import(&store, from.path()).await;
    let advisories = Advisories::load(&store).await.unwrap();
    advisories.about("a").unwrap()
}

fn of(id: &str, events: &Value) -> Value {
    record(id, affected("a", events.clone()))
}

#[tokio::test]
async fn only_a_record_that_states_the_fix_makes_a_release_one() {
    let fixed = json!([{"introduced": "0"}, {"fixed": "1.6.0"}]);
    let earlier = json!([{"introduced": "0"}, {"fixed": "1.5.1"}]);
    let last = json!([{"introduced": "0"}, {"last_affected": "1.5.0"}]);
    let limit = json!([{"introduced": "0"}, {"limit": "1.6.0"}]);
    let always = json!([{"introduced": "0"}]);
    let since = json!([{"introduced": "1.6.0"}]);
    let listed = json!({"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.5.0"]});
    let mut known = of("X-1", &always);
    known["affected"][0]["database_specific"] =
        json!({"last_known_affected_version_range": "<= 1.5.0"});
    let mut unreadable = of("X-1", &fixed);
    unreadable["affected"][0]["ranges"]
        .as_array_mut()
        .unwrap()
        .push(json!(7));
    let malware = of("MAL-1", &fixed);
    for (records, fixes) in [
        (vec![of("X-1", &fixed)], &["X-1"][..]),
        (vec![of("X-1", &earlier)], &["X-1"]),
        (vec![of("X-1", &last)], &[]),
        (vec![of("X-1", &limit)], &[]),
        (vec![record("X-1", listed)], &[]),
        (vec![known], &[]),
        (vec![unreadable], &[]),
        (vec![of("X-1", &always)], &[]),
        (vec![malware], &[]),
        // Of two, one is fixed; what is open in both is no step back.
        (vec![of("X-1", &last), of("X-2", &fixed)], &["X-2"]),
        (vec![of("X-1", &always), of("X-2", &fixed)], &["X-2"]),
        // It brings another.
        (vec![of("X-1", &since), of("X-2", &fixed)], &[]),
    ] {
        let about = about(&records).await;
        assert_eq!(about.fixed_by("1.5.0", "1.6.0"), fixes, "{records:?}");
        assert!(about.fixed_by("1.6.0", "1.5.0").is_empty(), "{records:?}");
        assert!(about.fixed_by("1.5.0", "nope").is_empty(), "{records:?}");
    }
}
