//! A TUF repository: who says what the trusted root is at present.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::certificate::pem;
use super::key::{Pair, sha256};

/// A repository with one key for all roles, and its files by path.
pub struct TufRepository {
    key: Pair,
    root: u64,
    version: u64,
    expires: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl TufRepository {
    /// A fresh one with these targets. Everything in it ends at a moment (RFC 3339).
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[must_use]
    pub fn publish(targets: &[(&str, String)], expires: &str) -> Self {
        let mut repository = Self {
            key: Pair::generate(),
            root: 1,
            version: 0,
            expires: expires.to_owned(),
            files: BTreeMap::new(),
        };
        let root = repository.root_metadata();
        let signed = repository.sign(&root, &[&repository.key]);
        repository.put("1.root.json", signed);
        repository.republish(targets);
        repository
    }

    /// Its first root metadata, which a client begins with.
    #[must_use]
    pub fn start(&self) -> String {
        String::from_utf8_lossy(&self.files["1.root.json"]).into_owned()
    }

    /// All files, by path.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The same, to break them.
    pub const fn files_mut(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        &mut self.files
    }

    /// Replaces the key: the next root metadata are signed by both.
    pub fn rotate(&mut self) {
        let old = std::mem::replace(&mut self.key, Pair::generate());
        self.root += 1;
        let root = self.root_metadata();
        let signed = self.sign(&root, &[&old, &self.key]);
        self.put(&format!("{}.root.json", self.root), signed);
    }

    /// Publishes other targets, in the next version.
    pub fn republish(&mut self, targets: &[(&str, String)]) {
        self.version += 1;
        let version = self.version;
        let mut named = BTreeMap::new();
        for (path, content) in targets {
            let digest = hex::encode(sha256(content.as_bytes()));
            named.insert(
                (*path).to_owned(),
                json!({"length": content.len(), "hashes": {"sha256": digest}}),
            );
            let file = match path.rsplit_once('/') {
                Some((folder, name)) => format!("targets/{folder}/{digest}.{name}"),
                None => format!("targets/{digest}.{path}"),
            };
            self.files.insert(file, content.clone().into_bytes());
        }
        let snapshot = json!({"targets.json": {"version": version}});
        let timestamp = json!({"snapshot.json": {"version": version}});
        for (file, role, key, value) in [
            (
                format!("{version}.targets.json"),
                "targets",
                "targets",
                json!(named),
            ),
            (
                format!("{version}.snapshot.json"),
                "snapshot",
                "meta",
                snapshot,
            ),
            ("timestamp.json".to_owned(), "timestamp", "meta", timestamp),
        ] {
            let mut metadata = self.metadata(role, version);
            metadata[key] = value;
            let signed = self.sign(&metadata, &[&self.key]);
            self.put(&file, signed);
        }
    }

    fn metadata(&self, role: &str, version: u64) -> Value {
        json!({
            "_type": role,
            "spec_version": "1.0.31",
            "version": version,
            "expires": self.expires,
        })
    }

    fn root_metadata(&self) -> Value {
        let id = id_of(&self.key);
        let mut root = self.metadata("root", self.root);
        root["consistent_snapshot"] = true.into();
        root["keys"] = json!({&id: {
            "keytype": "ecdsa",
            "scheme": "ecdsa-sha2-nistp256",
            "keyval": {"public": pem("PUBLIC KEY", &self.key.spki)},
        }});
        let role = json!({"keyids": [id], "threshold": 1});
        root["roles"] = json!({
            "root": role, "timestamp": role, "snapshot": role, "targets": role,
        });
        root
    }

    fn sign(&self, metadata: &Value, keys: &[&Pair]) -> Value {
        let message = canonical(metadata);
        let signatures: Vec<Value> = keys
            .iter()
            .map(|key| {
                let signature = hex::encode(key.sign(message.as_bytes()));
                json!({"keyid": id_of(key), "sig": signature})
            })
            .collect();
        json!({"signatures": signatures, "signed": metadata})
    }

    fn put(&mut self, path: &str, document: Value) {
        self.files
            .insert(path.to_owned(), document.to_string().into_bytes());
    }
}

/// A label, as opaque as they are.
fn id_of(key: &Pair) -> String {
    hex::encode(sha256(&key.spki))
}

/// JSON as TUF signs it: sorted, without spaces, and with only quotes and backslashes escaped.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", quoted(key), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
