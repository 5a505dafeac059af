use super::*;
use crate::store::tests::{at, open};

fn packument(raw: &[u8]) -> StoredPackument {
    StoredPackument {
        raw: Bytes::copy_from_slice(raw),
        etag: Some("\"abc\"".to_owned()),
        last_modified: None,
        fetched_at: at(0),
    }
}

const UPSTREAM: &str = "https://registry.example.invalid/";

#[tokio::test]
async fn a_packument_comes_back_as_it_was() {
    let (_folder, store) = open().await;
    assert_eq!(store.packument("a", UPSTREAM).await.unwrap(), None);
    for raw in [&b"{}"[..], &b""[..], &vec![b'x'; 3_000_000][..]] {
        let kept = packument(raw);
        store.put_packument("a", UPSTREAM, &kept).await.unwrap();
        assert_eq!(store.packument("a", UPSTREAM).await.unwrap(), Some(kept));
    }
    // Names and upstreams keep apart.
    assert_eq!(store.packument("A", UPSTREAM).await.unwrap(), None);
    assert_eq!(
        store
            .packument("a", "https://other.example.invalid/")
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_touch_moves_only_the_time() {
    let (_folder, store) = open().await;
    store.touch_packument("a", UPSTREAM, at(1)).await.unwrap();
    assert_eq!(store.packument("a", UPSTREAM).await.unwrap(), None);
    store
        .put_packument("a", UPSTREAM, &packument(b"{}"))
        .await
        .unwrap();
    store.touch_packument("a", UPSTREAM, at(9)).await.unwrap();
    let fetched_at = store.packument_fetched_at("a", UPSTREAM).await.unwrap();
    assert_eq!(fetched_at, Some(at(9)));
    let fetched_at = store.packument_fetched_at("b", UPSTREAM).await.unwrap();
    assert_eq!(fetched_at, None);
    let found = store.packument("a", UPSTREAM).await.unwrap().unwrap();
    assert_eq!(
        found,
        StoredPackument {
            fetched_at: at(9),
            ..packument(b"{}")
        }
    );
}

/// Whatever byte is changed and wherever the file ends: absent, or exactly what was kept. Never a
/// crash, never other bytes.
#[tokio::test]
async fn damage_is_noticed_wherever_it_is() {
    let (_folder, store) = open().await;
    let kept = packument(br#"{"name":"a","versions":{"1.0.0":{}}}"#);
    store.put_packument("a", UPSTREAM, &kept).await.unwrap();
    let path = store.packument_path("a", UPSTREAM);
    let whole = std::fs::read(&path).unwrap();
    for position in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x55;
        std::fs::write(&path, &damaged).unwrap();
        if let Some(found) = store.packument("a", UPSTREAM).await.unwrap() {
            assert_eq!(found, kept, "byte {position}");
        }
        std::fs::write(&path, &whole[..position]).unwrap();
        assert_eq!(
            store.packument("a", UPSTREAM).await.unwrap(),
            None,
            "cut at {position}"
        );
    }
}

#[tokio::test]
async fn writers_of_the_same_packument_do_not_mix() {
    let (_folder, store) = open().await;
    let writers: Vec<_> = (0..16_u8)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let kept = packument(&vec![b'a' + number; 100_000]);
                store.put_packument("a", UPSTREAM, &kept).await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let found = store.packument("a", UPSTREAM).await.unwrap().unwrap();
    assert_eq!(found.raw.len(), 100_000);
    assert!(found.raw.iter().all(|byte| Some(byte) == found.raw.first()));
}
