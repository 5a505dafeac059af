use super::*;
use crate::store::tests::open;

fn sketch(name: &str, bad: bool, version: &str) -> KeptSketch {
    KeptSketch {
        name: name.to_owned(),
        version: version.to_owned(),
        bad,
        pieces: 100,
        least: "00ff".to_owned(),
        why: if bad {
            "it steals".to_owned()
        } else {
            String::new()
        },
    }
}

#[tokio::test]
async fn sketches_are_found_by_any_common_band_and_replaced_per_package() {
    let (_folder, store) = open().await;
    store
        .put_sketch(&sketch("a", false, "1.0.0"), &[1, 2, 3])
        .await
        .unwrap();
    store
        .put_sketch(&sketch("b", false, "1.0.0"), &[3, 4, 5])
        .await
        .unwrap();
    store
        .put_sketch(&sketch("b", true, "0.9.0"), &[2, 3])
        .await
        .unwrap();
    let near = store.sketches_near(&[2, 3], 10).await.unwrap();
    let names: Vec<_> = near
        .iter()
        .map(|one| (one.name.as_str(), one.bad))
        .collect();
    assert_eq!(names, [("a", false), ("b", true), ("b", false)]);
    assert_eq!(near[1], sketch("b", true, "0.9.0"));
    assert_eq!(store.sketches_near(&[3], 1).await.unwrap().len(), 1);
    assert!(store.sketches_near(&[9], 10).await.unwrap().is_empty());
    assert!(store.sketches_near(&[], 10).await.unwrap().is_empty());

    store
        .put_sketch(&sketch("a", false, "2.0.0"), &[7])
        .await
        .unwrap();
    assert!(store.sketches_near(&[1], 10).await.unwrap().is_empty());
    assert_eq!(
        store.sketched_version("a").await.unwrap().as_deref(),
        Some("2.0.0")
    );
    assert_eq!(store.sketched_version("c").await.unwrap(), None);
}

#[tokio::test]
async fn bad_content_stays_as_it_was_first_seen() {
    let (_folder, store) = open().await;
    let bad = |digest: &str, name: &str| BadContent {
        digest: digest.to_owned(),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        path: Some("setup.js".to_owned()),
        why: "it steals".to_owned(),
    };
    assert!(store.bad_content(&["x"]).await.unwrap().is_empty());
    store
        .put_bad_content(&[bad("x", "a"), bad("y", "a")])
        .await
        .unwrap();
    store.put_bad_content(&[bad("x", "b")]).await.unwrap();
    assert_eq!(
        store.bad_content(&["x", "z"]).await.unwrap(),
        [bad("x", "a")]
    );
    let many: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("y");
    assert_eq!(store.bad_content(&many).await.unwrap(), [bad("y", "a")]);

    let more = [bad("abc1", "a"), bad("abd2", "a")];
    store.put_bad_content(&more).await.unwrap();
    for (beginning, digests) in [
        ("ab", vec!["abc1", "abd2"]),
        ("abc", vec!["abc1"]),
        ("abc1", vec!["abc1"]),
        ("abc12", vec![]),
        ("b", vec![]),
        ("%", vec![]),
    ] {
        assert_eq!(store.bad_digests(beginning).await.unwrap(), digests);
    }
}
