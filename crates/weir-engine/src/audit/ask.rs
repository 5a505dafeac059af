//! Asking a registry: by its bulk endpoint, or by the older one for trees where it has no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use weir_model::FlawSeverity;
use weir_model::finding::printable;
use weir_upstream::{Document, Upstream};

use super::{Asked, Heard, UpstreamSaid};

const BULK: &str = "-/npm/v1/security/advisories/bulk";
const QUICK: &str = "-/npm/v1/security/audits/quick";

/// Clients give up after half a minute (PROTOCOL 3.6), and have to be answered before.
const PATIENCE: Duration = Duration::from_secs(15);

/// Most advisories about one package that are taken over. The package with the most has a few dozen.
const MOST: usize = 5000;

pub(super) type Answers = BTreeMap<String, Vec<Heard>>;

/// Asks about packages of one registry.
pub(super) async fn ask(upstream: &Upstream, asked: &Asked) -> (UpstreamSaid, Answers) {
    let asking = async {
        match bulk(upstream, asked).await {
            Err(UpstreamSaid::Missing) => quick(upstream, asked).await,
            done => done,
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(heard)) => (UpstreamSaid::Answered, heard),
        Ok(Err(said)) => (said, Answers::new()),
        Err(_) => {
            let why = format!("no answer within {} s", PATIENCE.as_secs());
            (UpstreamSaid::Failed(why), Answers::new())
        }
    }
}

async fn post(upstream: &Upstream, path: &str, body: &Value) -> Result<Value, UpstreamSaid> {
    let failed = |why: String| UpstreamSaid::Failed(printable(&why, 200));
    let sent = upstream.audit(path, Bytes::from(body.to_string())).await;
    let Document { status, body, .. } = sent.map_err(|error| failed(error.to_string()))?;
    match status.as_u16() {
        200 => {}
        // Not there, or not for POST. Some proxies know the path and cannot serve it.
        404 | 405 | 410 | 501 => return Err(UpstreamSaid::Missing),
        status => return Err(failed(format!("it answered {status}"))),
    }
    let answer: Value = serde_json::from_slice(&body)
        .map_err(|error| failed(format!("its answer is no JSON: {error}")))?;
    if answer.is_object() {
        Ok(answer)
    } else {
        Err(failed("its answer is no JSON object".to_owned()))
    }
}

async fn bulk(upstream: &Upstream, asked: &Asked) -> Result<Answers, UpstreamSaid> {
    let answer = post(upstream, BULK, &json!(asked)).await?;
    let mut heard = Answers::new();
    for (name, list) in answer.as_object().into_iter().flatten() {
        let Some(list) = list.as_array() else {
            let why = format!("its answer on {name:?} is no list");
            return Err(UpstreamSaid::Failed(printable(&why, 200)));
        };
        let list = list.iter().take(MOST).filter_map(read);
        heard.entry(name.clone()).or_default().extend(list);
    }
    Ok(heard)
}

/// The older endpoint takes a tree, in which a name has one version at each place: several versions of one
/// package are asked about one after another.
async fn quick(upstream: &Upstream, asked: &Asked) -> Result<Answers, UpstreamSaid> {
    let rounds = asked.values().map(BTreeSet::len).max().unwrap_or(0);
    let mut heard = Answers::new();
    for round in 0..rounds {
        let versions = asked.iter();
        let versions = versions.filter_map(|(name, list)| Some((name, list.iter().nth(round)?)));
        let (mut requires, mut dependencies) = (Map::new(), Map::new());
        for (name, version) in versions {
            requires.insert(name.clone(), version.as_str().into());
            dependencies.insert(name.clone(), json!({ "version": version }));
        }
        let tree = json!({
            "name": "audit",
            "version": "0.0.0",
            "requires": requires,
            "dependencies": dependencies,
        });
        let answer = post(upstream, QUICK, &tree).await?;
        let Some(advisories) = answer.get("advisories").and_then(Value::as_object) else {
            return Err(UpstreamSaid::Failed(
                "its answer holds no advisories".to_owned(),
            ));
        };
        for advisory in advisories.values().take(MOST) {
            let name = advisory.get("module_name").and_then(Value::as_str);
            if let (Some(name), Some(read)) = (name, read(advisory)) {
                heard.entry(name.to_owned()).or_default().push(read);
            }
        }
    }
    Ok(heard)
}

/// One advisory, in the form that both endpoints share.
fn read(advisory: &Value) -> Option<Heard> {
    let text = |key: &str| advisory.get(key).and_then(Value::as_str);
    let number = advisory.get("id").and_then(Value::as_u64);
    let url = text("url").unwrap_or_default();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    ids.extend(text("github_advisory_id").map(str::to_owned));
    ids.extend(
        url.rsplit('/')
            .next()
            .filter(|it| it.starts_with("GHSA-"))
            .map(str::to_owned),
    );
    let cves = advisory.get("cves").and_then(Value::as_array);
    ids.extend(
        cves.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned),
    );
    ids.extend(
        number
            .filter(|_| ids.is_empty())
            .map(|number| format!("registry:{number}")),
    );
    if ids.is_empty() {
        ids.insert(format!("registry:{url}"));
    }
    let cwe = advisory.get("cwe");
    let weaknesses = match cwe {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    let score = advisory.pointer("/cvss/score").and_then(Value::as_f64);
    let vector = advisory
        .pointer("/cvss/vectorString")
        .and_then(Value::as_str);
    Some(Heard {
        ids,
        number,
        url: printable(url, 500),
        title: printable(text("title").unwrap_or("an advisory of the registry"), 300),
        severity: text("severity").and_then(FlawSeverity::named),
        vulnerable: text("vulnerable_versions")?.to_owned(),
        patched: text("patched_versions")
            .filter(|it| it.replace(' ', "") != "<0.0.0")
            .map(str::to_owned),
        weaknesses: weaknesses.into_iter().map(|it| printable(it, 30)).collect(),
        cvss: score.filter(|it| *it > 0.0).map(|score| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to what fits"
            )]
            let tenths = (score * 10.0).round().clamp(0.0, 100.0) as u8;
            (tenths, vector.map(|it| printable(it, 400)))
        }),
        versions: BTreeSet::new(),
    })
}
