use futures_util::TryStreamExt;
use weir_model::Action;
use weir_model::ledger::LedgerEvent;

use super::*;
use crate::store::tests::{at, open, served};

#[tokio::test]
async fn entries_come_back_in_order_and_as_they_were() {
    let (_folder, store) = open().await;
    let mut refused = served("b", 2);
    refused.event = LedgerEvent::Refused;
    refused.action = Action::Block;
    refused.integrity = None;
    refused.block_id = Some("w-1".to_owned());
    refused.note = Some("stale".to_owned());
    let all = [served("a", 1), refused, served("a", 3)];
    for entry in &all {
        store.ledger().append(entry.clone()).await.unwrap();
    }
    assert_eq!(
        store.ledger().entries(&Filter::default()).await.unwrap(),
        all
    );
    assert!(store.was_served("sha512-a", at(1)).await.unwrap());
    assert!(!store.was_served("sha512-b", at(9)).await.unwrap());
    // By a clock that ran ahead, and then by one that does not.
    assert!(!store.was_served("sha512-a", at(0)).await.unwrap());
    store.ledger().append(served("a", 0)).await.unwrap();
    assert!(store.was_served("sha512-a", at(0)).await.unwrap());
    store.ledger().append(served("a", 8)).await.unwrap();
    assert!(store.was_served("sha512-a", at(0)).await.unwrap());
}

#[tokio::test]
async fn filters_narrow() {
    let (_folder, store) = open().await;
    for second in 0..10 {
        let mut entry = served(if second % 2 == 0 { "even" } else { "odd" }, second);
        entry.client = format!("10.0.0.{second} npm/11_x%");
        entry.version = format!("{second}.0.0");
        if second == 7 {
            entry.event = LedgerEvent::Refused;
            entry.action = Action::Hold;
            entry.block_id = Some("w-7".to_owned());
        }
        store.ledger().append(entry).await.unwrap();
    }
    let count = async |filter: Filter| store.ledger().entries(&filter).await.unwrap().len();
    let none = Filter::default;
    assert_eq!(count(none()).await, 10);
    assert_eq!(
        count(Filter {
            package: Some("even".into()),
            ..none()
        })
        .await,
        5
    );
    assert_eq!(
        count(Filter {
            version: Some("3.0.0".into()),
            ..none()
        })
        .await,
        1
    );
    assert_eq!(
        count(Filter {
            integrity: Some("sha512-odd".into()),
            ..none()
        })
        .await,
        5
    );
    assert_eq!(
        count(Filter {
            event: Some(LedgerEvent::Refused),
            ..none()
        })
        .await,
        1
    );
    assert_eq!(
        count(Filter {
            action: Some(Action::Hold),
            ..none()
        })
        .await,
        1
    );
    assert_eq!(
        count(Filter {
            block_id: Some("w-7".into()),
            ..none()
        })
        .await,
        1
    );
    assert_eq!(
        count(Filter {
            since: Some(at(3)),
            until: Some(at(5)),
            ..none()
        })
        .await,
        2
    );
    assert_eq!(
        count(Filter {
            client: Some("0.0.3 npm".into()),
            ..none()
        })
        .await,
        1
    );
    assert_eq!(
        count(Filter {
            client: Some("_x%".into()),
            ..none()
        })
        .await,
        10
    );
    assert_eq!(
        count(Filter {
            client: Some("%3".into()),
            ..none()
        })
        .await,
        0
    );
    assert_eq!(
        count(Filter {
            limit: Some(0),
            ..none()
        })
        .await,
        0
    );
    let newest = Filter {
        limit: Some(2),
        package: Some("odd".into()),
        ..none()
    };
    let entries = store.ledger().entries(&newest).await.unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.time).collect::<Vec<_>>(),
        [at(7), at(9)]
    );
    let streamed: Vec<_> = store.ledger().stream(&newest).try_collect().await.unwrap();
    assert_eq!(streamed, entries);
}

#[tokio::test]
async fn long_answers_come_in_pages() {
    let (_folder, store) = open().await;
    for second in 0..2500 {
        store.ledger().append(served("a", second)).await.unwrap();
    }
    for (limit, expected) in [
        (None, 2500),
        (Some(2000), 2000),
        (Some(9999), 2500),
        (Some(0), 0),
    ] {
        let filter = Filter {
            limit,
            ..Filter::default()
        };
        let streamed: Vec<_> = store.ledger().stream(&filter).try_collect().await.unwrap();
        assert_eq!(streamed.len(), expected);
        assert!(streamed.is_sorted_by_key(|entry| entry.time));
        assert_eq!(streamed, store.ledger().entries(&filter).await.unwrap());
    }
}

#[tokio::test]
async fn history_cannot_be_rewritten() {
    let (_folder, store) = open().await;
    store.ledger().append(served("a", 1)).await.unwrap();
    for sql in ["UPDATE ledger SET name = 'b'", "DELETE FROM ledger"] {
        let error = sqlx::query(sql)
            .execute(&store.inner.database.write)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_eq!(
        store
            .ledger()
            .entries(&Filter::default())
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn closing_commits_what_waits_and_refuses_what_comes_later() {
    let (_folder, store) = open().await;
    let path = store.folder().to_owned();
    let waiting: Vec<_> = (0..100)
        .map(|second| {
            let store = store.clone();
            tokio::spawn(async move { store.ledger().append(served("a", second)).await })
        })
        .collect();
    for append in waiting {
        append.await.unwrap().unwrap();
    }
    store.ledger().flush().await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(
        store.ledger().append(served("a", 1)).await,
        Err(StoreError::Closed)
    ));
    let store = Store::open(&path).await.unwrap();
    assert_eq!(
        store
            .ledger()
            .entries(&Filter::default())
            .await
            .unwrap()
            .len(),
        100
    );
}
