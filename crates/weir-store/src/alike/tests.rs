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
        since: None,
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
        since: Timestamp::from_millisecond(1_000).ok(),
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

#[tokio::test]
async fn what_is_listed_takes_the_place_of_what_was_learned_and_not_the_other_way_round() {
    let (_folder, store) = open().await;
    let content = |name: &str| BadContent {
        digest: "x".to_owned(),
        name: name.to_owned(),
        version: String::new(),
        path: Some("worms.txt:1".to_owned()),
        why: String::new(),
        since: None,
    };
    for (kept, expected) in [("a", "a"), ("", ""), ("b", "")] {
        store.put_bad_content(&[content(kept)]).await.unwrap();
        let known = store.bad_content(&["x"]).await.unwrap();
        assert_eq!(known, [content(expected)]);
    }
}

#[tokio::test]
async fn each_version_of_a_bad_package_is_known_until_it_is_forgotten() {
    let (_folder, store) = open().await;
    let mut other = sketch("sample", true, "1.0.0");
    other.least = "ff00".to_owned();
    let first = KeptSketch {
        since: Timestamp::from_millisecond(5).ok(),
        ..sketch("sample", true, "1.0.0")
    };
    let all = [first, other, sketch("sample", true, "2.0.0")];
    for (number, one) in all.iter().enumerate() {
        let band = i64::try_from(number).unwrap();
        store.put_sketch(one, &[band]).await.unwrap();
        // Once more is the same.
        store.put_sketch(one, &[band]).await.unwrap();
    }
    assert_eq!(store.all_bad_sketches().await.unwrap(), all);
    let near = store.sketches_near(&[0, 1, 2], 10).await.unwrap();
    assert_eq!(near.len(), 3);
    assert!(!store.forget_bad_sketch("sample@3.0.0").await.unwrap());
    assert!(store.forget_bad_sketch("sample@2.0.0").await.unwrap());
    assert_eq!(store.all_bad_sketches().await.unwrap(), all[..2]);
    assert!(store.sketches_near(&[2], 10).await.unwrap().is_empty());
    assert!(store.forget_bad_sketch("sample").await.unwrap());
    assert!(store.sketches_near(&[0, 1], 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_package_of_many_versions_leaves_room_for_others() {
    let (_folder, store) = open().await;
    for number in 0..30 {
        let version = format!("1.{number}.0");
        let many = sketch("sample", true, &version);
        store.put_sketch(&many, &[1, 2, 3]).await.unwrap();
    }
    let honest = sketch("original", false, "4.0.0");
    store.put_sketch(&honest, &[1]).await.unwrap();
    let near = store.sketches_near(&[1, 2, 3], 10).await.unwrap();
    assert_eq!(near.len(), 5);
    assert_eq!(near[4], honest);
}
