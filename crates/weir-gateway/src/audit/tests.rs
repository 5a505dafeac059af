//! What the tests of several parts need.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use weir_engine::audit::{AuditAnswer, Heard};

use super::*;

/// A report of a flaw of unstated severity.
pub(super) fn heard(id: &str, number: Option<u64>) -> Heard {
    Heard {
        ids: BTreeSet::from([id.to_owned()]),
        number,
        url: String::new(),
        title: "reed leaks".to_owned(),
        severity: None,
        vulnerable: "*".to_owned(),
        patched: None,
        weaknesses: Vec::new(),
        cvss: None,
        versions: BTreeSet::new(),
    }
}

pub(super) fn answer<const N: usize>(heard: [(&str, Vec<Heard>); N]) -> AuditAnswer {
    AuditAnswer {
        heard: heard.map(|(name, heard)| (name.to_owned(), heard)).into(),
        has_advisories: true,
        ..AuditAnswer::default()
    }
}

#[tokio::test]
async fn a_body_has_a_deadline() {
    let pieces = |pause: Duration| {
        let pieces = futures_util::stream::iter([b"{", b"}"]).then(move |piece| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::io::Error>(Bytes::from_static(piece))
        });
        Body::from_stream(pieces)
    };
    let (short, long) = (Duration::from_millis(20), Duration::from_secs(3600));
    let read = whole(pieces(Duration::ZERO), long).await.unwrap();
    assert_eq!(read, "{}");
    let (status, _) = whole(pieces(long), short).await.unwrap_err();
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
}
