//! Documents beside packuments: asked for once, kept, and stale when the upstream fails.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use moka::sync::Cache;
use weir_store::Store;
use weir_upstream::Upstream;

use crate::EngineError;
use crate::clock::Clock;
use crate::keyed::Keyed;

/// A document at hand.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its bytes.
    pub body: Bytes,
    /// Why it may be out of date, if the upstream could not be asked.
    pub stale: Option<String>,
}

/// How a kind of document is treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// How long the upstream need not be asked again.
    pub(crate) fresh_for: Duration,
    /// Whether bytes are such a document: nothing else replaces what is kept.
    pub(crate) check: fn(&[u8]) -> Result<(), String>,
    /// Whether such a document holds nothing: it does not replace one that does.
    pub(crate) is_empty: fn(&[u8]) -> bool,
}

/// An answer is looked up again after this long: by then another process may have fetched the document,
/// or an upstream that failed be back.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Most documents in memory.
const IN_MEMORY: u64 = 500;

/// Why a kept document is used where the upstream answers that it has none.
const GONE: &str = "the upstream had one, and says now that it has none";

/// What an upstream answered: a document, that there is none, or why it did not answer.
type Answered = Result<Option<Arc<Document>>, EngineError>;

#[derive(Debug)]
pub(crate) struct Documents {
    store: Store,
    loading: Keyed<(String, String)>,
    memory: Cache<(String, String), Answered>,
}

impl Documents {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            loading: Keyed::default(),
            memory: Cache::builder()
                .max_capacity(IN_MEMORY)
                .time_to_live(REMEMBERED)
                .build(),
        }
    }

    /// A document of an upstream; `None` where the upstream has none.
    pub(crate) async fn get(&self, upstream: &Upstream, path: &str, kind: Kind) -> Answered {
        let key = (upstream.id().to_owned(), path.to_owned());
        if let Some(answered) = self.memory.get(&key) {
            return answered;
        }
        let _guard = self.loading.hold(&key).await;
        if let Some(answered) = self.memory.get(&key) {
            return answered;
        }
        let loaded = self.load(upstream, path, kind).await;
        let answered = loaded.map(|document| document.map(Arc::new));
        self.memory.insert(key, answered.clone());
        answered
    }

    /// A document of an upstream as it is now, however fresh the kept one is. Where the upstream has none, none is
    /// kept any longer: somebody asked, and is told.
    pub(crate) async fn refetch(
        &self,
        upstream: &Upstream,
        path: &str,
        kind: Kind,
    ) -> Result<Option<Document>, EngineError> {
        let fetched = fetch(upstream, path, kind).await;
        let fetched = fetched.map_err(|why| EngineError::Upstream {
            what: path.to_owned(),
            why,
        })?;
        self.memory
            .invalidate(&(upstream.id().to_owned(), path.to_owned()));
        let Some(body) = fetched else {
            self.store.forget_document(upstream.id(), path).await?;
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&body);
        let now = Clock::system().now();
        self.store
            .put_document(upstream.id(), path, &text, now)
            .await?;
        Ok(Some(Document { body, stale: None }))
    }

    async fn load(
        &self,
        upstream: &Upstream,
        path: &str,
        kind: Kind,
    ) -> Result<Option<Document>, EngineError> {
        // Freshness is about the wire, not about the moment being replayed.
        let now = Clock::system().now();
        let kept = self.store.document(upstream.id(), path).await?;
        if let Some(kept) = &kept
            && is_fresh(kept.fetched_at, now, kind.fresh_for)
        {
            let body = Bytes::from(kept.body.clone());
            return Ok(Some(Document { body, stale: None }));
        }
        let holds = kept
            .as_ref()
            .is_some_and(|kept| !(kind.is_empty)(kept.body.as_bytes()));
        let why = match fetch(upstream, path, kind).await {
            // What was there is not gone because whoever answers today does not pass it on.
            Ok(None) if holds => GONE.to_owned(),
            Ok(Some(body)) if holds && (kind.is_empty)(&body) => GONE.to_owned(),
            Ok(None) => return Ok(None),
            Ok(Some(body)) => {
                let text = String::from_utf8_lossy(&body);
                self.store
                    .put_document(upstream.id(), path, &text, now)
                    .await?;
                return Ok(Some(Document { body, stale: None }));
            }
            Err(why) => why,
        };
        match kept {
            Some(kept) => {
                tracing::warn!(document.path = path, %why, fetched_at = %kept.fetched_at,
                    "the document that was kept is used");
                Ok(Some(Document {
                    stale: Some(format!("of {}, because {why}", kept.fetched_at)),
                    body: kept.body.into(),
                }))
            }
            None => Err(EngineError::Upstream {
                what: path.to_owned(),
                why,
            }),
        }
    }
}

fn is_fresh(fetched_at: Timestamp, now: Timestamp, fresh_for: Duration) -> bool {
    Duration::try_from(now.duration_since(fetched_at)).is_ok_and(|age| age < fresh_for)
}

async fn fetch(upstream: &Upstream, path: &str, kind: Kind) -> Result<Option<Bytes>, String> {
    let answer = upstream
        .document(path, None)
        .await
        .map_err(|error| error.to_string())?;
    match answer.status {
        // However a registry says that it does not know the question.
        StatusCode::BAD_REQUEST
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_ACCEPTABLE
        | StatusCode::GONE
        | StatusCode::NOT_IMPLEMENTED => Ok(None),
        status if status.is_success() => {
            (kind.check)(&answer.body)?;
            Ok(Some(answer.body))
        }
        status => Err(format!("it answered {status}")),
    }
}
