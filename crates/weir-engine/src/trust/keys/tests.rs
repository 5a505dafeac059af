use jiff::Timestamp;
use weir_npm::npmrc::Npmrc;
use weir_policy::Policy;
use weir_store::Store;
use weir_testing::Registry;
use weir_testing::sigstore::SigningKey;
use weir_upstream::{Options, Upstreams};

use super::*;
use crate::trust::TrustSources;

/// How registries say that they have no keys, or whoever stands between leaves them out.
const NONE: [(u16, &str); 4] = [
    (404, "{}"),
    (403, "<html>"),
    (200, r#"{"keys":[]}"#),
    (410, ""),
];

fn document(label: &str) -> String {
    SigningKey::generate(label).document(None).to_string()
}

/// A registry, what is kept of its keys, and a copy of them.
struct Case {
    registry: Registry,
    upstreams: Arc<Upstreams>,
    store: Store,
    pinned: Option<String>,
    _folder: tempfile::TempDir,
}

impl Case {
    async fn new(pinned: Option<&str>) -> Self {
        let registry = Registry::start();
        let text = format!("registry={}\n", registry.url());
        let npmrc = Npmrc::parse(&text, &BTreeMap::new());
        let folder = tempfile::tempdir().unwrap();
        Self {
            upstreams: Arc::new(Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap()),
            store: Store::open(folder.path()).await.unwrap(),
            pinned: pinned.map(str::to_owned),
            _folder: folder,
            registry,
        }
    }

    fn upstream(&self) -> &Arc<Upstream> {
        self.upstreams.default_upstream()
    }

    /// What an earlier run left, too old to go by without asking.
    async fn kept(&self, body: &str) {
        let (upstream, then) = (self.upstream().id(), Timestamp::UNIX_EPOCH);
        let put = self.store.put_document(upstream, KEYS, body, then);
        put.await.unwrap();
    }

    fn answers(&self, status: u16, body: &str) {
        let path = "/-/npm/v1/keys";
        self.registry
            .serve(path, status, "application/json", body.to_owned());
    }

    /// One that remembers nothing but what is in the data folder.
    fn verifier(&self) -> ReleaseVerifier {
        let pinned = self.pinned.iter();
        let sources = TrustSources {
            keys: pinned
                .map(|keys| ("127.0.0.1".to_owned(), keys.clone()))
                .collect(),
            ..TrustSources::default()
        };
        let (policy, upstreams) = (Policy::default(), Arc::clone(&self.upstreams));
        ReleaseVerifier::new(&policy, self.store.clone(), upstreams, &sources).unwrap()
    }

    /// The labels of the keys that releases are verified with.
    async fn labels(&self) -> Vec<String> {
        let keys = self.verifier().keys(self.upstream()).await.unwrap();
        keys.keys.iter().map(|key| key.id.clone()).collect()
    }
}

#[tokio::test]
async fn keys_that_were_named_once_are_not_gone_with_an_answer_that_names_none() {
    let case = Case::new(None).await;
    for (status, body) in NONE {
        case.kept(&document("SHA256:one")).await;
        case.answers(status, body);
        assert_eq!(case.labels().await, ["SHA256:one"], "{status} {body}");
        let verifier = case.verifier();
        let told = verifier.keys_document(case.upstream()).await.unwrap();
        assert!(told.unwrap().stale.is_some(), "{status} {body}");
    }
    // Others take their place, also where they are of a kind that is not known.
    case.answers(200, &document("SHA256:two"));
    assert_eq!(case.labels().await, ["SHA256:two"]);
    case.kept(&document("SHA256:one")).await;
    case.answers(200, r#"{"keys":[{"keytype":"new"}]}"#);
    let keys = case.verifier().keys(case.upstream()).await.unwrap();
    assert_eq!((keys.keys.is_empty(), keys.keys.skipped()), (true, 1));
}

#[tokio::test]
async fn whoever_asks_for_the_keys_takes_the_answer_that_there_are_none() {
    for (status, body) in NONE {
        let case = Case::new(None).await;
        case.kept(&document("SHA256:one")).await;
        case.answers(status, body);
        let answers = case.verifier().refetch_keys().await;
        assert!(
            matches!(answers.as_slice(), [(_, Ok(0))]),
            "{status} {body}: {answers:?}"
        );
        assert_eq!(case.labels().await, [""; 0], "{status} {body}");
    }
}

#[tokio::test]
async fn near_miss_a_registry_that_never_named_keys_signs_nothing() {
    for (status, body) in NONE {
        let case = Case::new(None).await;
        case.answers(status, body);
        assert_eq!(case.labels().await, [""; 0], "{status} {body}");
        case.kept(r#"{"keys":[]}"#).await;
        assert_eq!(case.labels().await, [""; 0], "{status} {body}");
    }
}

#[tokio::test]
async fn a_copy_of_the_keys_stands_in_for_an_answer_that_names_none() {
    let pinned = document("SHA256:pinned");
    for (status, body) in NONE {
        let case = Case::new(Some(&pinned)).await;
        case.answers(status, body);
        assert_eq!(case.labels().await, ["SHA256:pinned"], "{status} {body}");
        let verifier = case.verifier();
        let keys = verifier.keys(case.upstream()).await.unwrap();
        // What comes of verifying is kept under them.
        assert_eq!(verifier.known_under(case.upstream()), Some(keys.under));
    }
    // Nor does asking for them by hand take it out of force, and that is said.
    let case = Case::new(Some(&pinned)).await;
    case.answers(404, "{}");
    let answers = case.verifier().refetch_keys().await;
    assert!(matches!(answers.as_slice(), [(_, Err(_))]), "{answers:?}");
    assert_eq!(case.labels().await, ["SHA256:pinned"]);
    // An answer with keys counts, unless it contradicts the copy.
    let case = Case::new(Some(&pinned)).await;
    case.answers(200, &document("SHA256:new"));
    assert_eq!(case.labels().await, ["SHA256:new"]);
    let case = Case::new(Some(&pinned)).await;
    case.answers(200, &document("SHA256:pinned"));
    let refused = case.verifier().keys(case.upstream()).await.unwrap_err();
    assert!(refused.contains("names another key"), "{refused}");
}
