//! Asking a registry: by its bulk endpoint, or by the older one for trees where it has no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use weir_model::FlawSeverity;
use weir_model::finding::printable;
use weir_npm::version::Range;
use weir_upstream::{Document, Upstream};

use super::{Asked, Heard, NO_FIX, UpstreamSaid, given_twice};

const BULK: &str = "-/npm/v1/security/advisories/bulk";
const QUICK: &str = "-/npm/v1/security/audits/quick";

/// Clients give up after half a minute (PROTOCOL 3.6), and have to be answered before.
const PATIENCE: Duration = Duration::from_secs(15);

/// Most advisories about one package that are taken over. The package with the most has a few dozen.
const MOST: usize = 5000;

/// Stands for a range that is missing, and cannot be read either.
const NO_RANGE: &str = "not stated";

pub(super) type Answers = BTreeMap<String, Vec<Heard>>;

/// What a registry told, as far as it can be understood.
#[derive(Debug, Default)]
struct Reading {
    heard: Answers,
    /// The first thing in it that cannot be understood. Whoever told it meant something.
    problem: Option<String>,
}

impl Reading {
    fn note(&mut self, why: &str) {
        if self.problem.is_none() {
            self.problem = Some(printable(why, 200));
        }
    }

    /// Takes in what is told of a package.
    fn add(&mut self, name: &str, advisory: &Value) {
        match read(advisory) {
            Some(heard) => self.heard.entry(name.to_owned()).or_default().push(heard),
            None => self.note(&format!("what it tells of {name:?} is no advisory")),
        }
    }

    /// Takes in an answer of the bulk endpoint.
    fn bulk(&mut self, answer: &Map<String, Value>) {
        for (name, list) in answer {
            let Some(list) = list.as_array() else {
                self.note(&format!("its answer on {name:?} is no list"));
                continue;
            };
            if list.len() > MOST {
                self.note(&format!("it tells more than {MOST} things of {name:?}"));
            }
            for advisory in list.iter().take(MOST) {
                self.add(name, advisory);
            }
        }
    }

    /// Takes in an answer of the older endpoint.
    fn quick(&mut self, answer: &Map<String, Value>) {
        let Some(advisories) = answer.get("advisories").and_then(Value::as_object) else {
            self.note("its answer holds no advisories");
            return;
        };
        if advisories.len() > MOST {
            self.note(&format!("it tells more than {MOST} things"));
        }
        for advisory in advisories.values().take(MOST) {
            match advisory.get("module_name").and_then(Value::as_str) {
                Some(name) => self.add(name, advisory),
                None => self.note("an advisory of its names no package"),
            }
        }
    }
}

/// Asks about packages of one registry. What can be understood of an answer is told, also where not all can.
pub(super) async fn ask(upstream: &Upstream, asked: &Asked) -> (UpstreamSaid, Answers) {
    let asking = async {
        match bulk(upstream, asked).await {
            Err(UpstreamSaid::Missing) => quick(upstream, asked).await,
            done => done,
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(Reading { heard, problem })) => {
            let said = problem.map_or(UpstreamSaid::Answered, UpstreamSaid::Failed);
            (said, heard)
        }
        Ok(Err(said)) => (said, Answers::new()),
        Err(_) => {
            let why = format!("no answer within {} s", PATIENCE.as_secs());
            (UpstreamSaid::Failed(why), Answers::new())
        }
    }
}

/// Sends a question. Of keys that are there twice the last is taken, and noted that this is not all.
async fn post(
    upstream: &Upstream,
    path: &str,
    body: &Value,
    reading: &mut Reading,
) -> Result<Map<String, Value>, UpstreamSaid> {
    let failed = |why: String| UpstreamSaid::Failed(printable(&why, 200));
    let sent = upstream.audit(path, Bytes::from(body.to_string())).await;
    let Document { status, body, .. } = sent.map_err(|error| failed(error.to_string()))?;
    match status.as_u16() {
        200 => {}
        // Not there, or not for POST. Some proxies know the path and cannot serve it.
        404 | 405 | 410 | 501 => return Err(UpstreamSaid::Missing),
        status => return Err(failed(format!("it answered {status}"))),
    }
    if let Some(key) = given_twice(&body) {
        reading.note(&format!("its answer has the key {key:?} twice"));
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Object(answer)) => Ok(answer),
        Ok(_) => Err(failed("its answer is no JSON object".to_owned())),
        Err(error) => Err(failed(format!("its answer is no JSON: {error}"))),
    }
}

async fn bulk(upstream: &Upstream, asked: &Asked) -> Result<Reading, UpstreamSaid> {
    let mut reading = Reading::default();
    let answer = post(upstream, BULK, &json!(asked), &mut reading).await?;
    reading.bulk(&answer);
    Ok(reading)
}

/// The older endpoint takes a tree, in which a name has one version at each place: several versions of one
/// package are asked about one after another.
async fn quick(upstream: &Upstream, asked: &Asked) -> Result<Reading, UpstreamSaid> {
    let rounds = asked.values().map(BTreeSet::len).max().unwrap_or(0);
    let mut reading = Reading::default();
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
        let answer = post(upstream, QUICK, &tree, &mut reading).await?;
        reading.quick(&answer);
    }
    Ok(reading)
}

/// What says that something is an advisory: without any of these nobody knows what is told.
const SIGNS: [&str; 6] = [
    "id",
    "url",
    "title",
    "vulnerable_versions",
    "github_advisory_id",
    "cves",
];

/// One advisory, in the form that both endpoints share; nothing where it is none.
fn read(advisory: &Value) -> Option<Heard> {
    let is_there = |key: &&str| advisory.get(*key).is_some_and(|it| !it.is_null());
    if !SIGNS.iter().any(is_there) {
        return None;
    }
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
        let title = text("title").unwrap_or_default();
        let known_by = if url.is_empty() { title } else { url };
        ids.insert(format!("registry:{known_by}"));
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
        vulnerable: text("vulnerable_versions").unwrap_or(NO_RANGE).to_owned(),
        patched: text("patched_versions").map(patched),
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

/// A statement of fixed versions. What cannot be read states none.
fn patched(text: &str) -> String {
    let is_range = Range::parse_with_prereleases(text).is_ok_and(|it| it.is_understood());
    if is_range && text.replace(' ', "") != NO_FIX {
        text.to_owned()
    } else {
        NO_FIX.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::AuditAnswer;
    use super::*;

    fn asked() -> Asked {
        let versions = ["1.0.0", "2.0.0"].map(str::to_owned);
        Asked::from([("la".to_owned(), versions.into())])
    }

    /// What an audit answers after a reading: the versions that are told of, and whether it may be given.
    fn outcome(reading: Reading) -> (Vec<String>, bool) {
        let asked = asked();
        let mut answer = AuditAnswer::default();
        let said = reading
            .problem
            .map_or(UpstreamSaid::Answered, UpstreamSaid::Failed);
        answer.take_in(&asked, "test".to_owned(), said, reading.heard);
        let heard = answer.heard.get("la").into_iter().flatten();
        let versions: BTreeSet<String> = heard.flat_map(|it| it.versions.clone()).collect();
        (versions.into_iter().collect(), answer.is_grounded())
    }

    #[test]
    fn nothing_a_registry_tells_is_dropped_for_not_being_understood() {
        let adv = |range: Value| json!({"id": 7, "title": "leaks", "vulnerable_versions": range});
        let both = &["1.0.0", "2.0.0"][..];
        for (one, versions, grounded) in [
            (adv(json!("<1.5.0")), &["1.0.0"][..], true),
            (adv(json!("<1.0.0")), &[], true),
            (adv(json!(null)), both, true),
            (adv(json!(5)), both, true),
            (adv(json!("garbage!!")), both, true),
            (adv(json!("1.x.y.z")), both, true),
            (adv(json!("latest")), both, true),
            (adv(json!("<1.5.0 || garbage")), both, true),
            (adv(json!("")), both, true),
            (json!({"id": 7}), both, true),
            (json!({"title": "leaks"}), both, true),
            (json!({}), &[], false),
            (json!({"id": null}), &[], false),
            (json!({"severity": "high"}), &[], false),
            (json!(5), &[], false),
            (json!("GHSA-1"), &[], false),
            (json!(null), &[], false),
            (json!([]), &[], false),
        ] {
            let mut bulk = Reading::default();
            let answer = json!({"la": [one.clone()]});
            bulk.bulk(answer.as_object().unwrap());
            let (told, is_grounded) = outcome(bulk);
            assert_eq!(
                (told.as_slice(), is_grounded),
                (own(versions).as_slice(), grounded),
                "{one}"
            );

            let mut quick = Reading::default();
            let mut named = one.clone();
            if let Some(members) = named.as_object_mut() {
                members.insert("module_name".to_owned(), json!("la"));
            }
            let answer = json!({"advisories": {"7": named}});
            quick.quick(answer.as_object().unwrap());
            let (told, is_grounded) = outcome(quick);
            assert_eq!(
                (told.as_slice(), is_grounded),
                (own(versions).as_slice(), grounded),
                "{one}"
            );
        }
    }

    fn own(list: &[&str]) -> Vec<String> {
        list.iter().map(|it| (*it).to_owned()).collect()
    }

    /// What is beside something that is no advisory still counts.
    #[test]
    fn what_can_be_understood_is_told_beside_what_cannot() {
        let one = json!({"id": 7, "vulnerable_versions": "<1.5.0"});
        for (answer, why) in [
            (
                json!({"la": [5, one]}),
                "what it tells of \"la\" is no advisory",
            ),
            (
                json!({"la": [one], "lb": {}}),
                "its answer on \"lb\" is no list",
            ),
            (
                json!({"la": [one], "lb": null}),
                "its answer on \"lb\" is no list",
            ),
        ] {
            let mut reading = Reading::default();
            reading.bulk(answer.as_object().unwrap());
            assert_eq!(reading.problem.as_deref(), Some(why), "{answer}");
            assert_eq!(outcome(reading), (own(&["1.0.0"]), false), "{answer}");
        }
        for (answer, why) in [
            (json!({"advisories": []}), "its answer holds no advisories"),
            (json!({}), "its answer holds no advisories"),
            (
                json!({"advisories": {"7": one}}),
                "an advisory of its names no package",
            ),
        ] {
            let mut reading = Reading::default();
            reading.quick(answer.as_object().unwrap());
            assert_eq!(reading.problem.as_deref(), Some(why), "{answer}");
        }
        let mut reading = Reading::default();
        let many: Vec<&Value> = std::iter::repeat_n(&one, MOST + 1).collect();
        reading.bulk(json!({"la": many}).as_object().unwrap());
        assert!(
            reading
                .problem
                .is_some_and(|why| why.contains("more than 5000"))
        );
    }

    #[test]
    fn two_advisories_without_an_id_are_two() {
        let mut reading = Reading::default();
        let answer = json!({"la": [{"title": "leaks"}, {"title": "burns"}]});
        reading.bulk(answer.as_object().unwrap());
        let ids: Vec<_> = reading.heard["la"]
            .iter()
            .map(|it| it.ids.clone())
            .collect();
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn only_a_range_states_fixes() {
        for (text, stated) in [
            (">=1.2.0", ">=1.2.0"),
            ("< 0.0.0", NO_FIX),
            ("next week", NO_FIX),
            ("latest", NO_FIX),
            (">=1.2.0 || soon", NO_FIX),
        ] {
            assert_eq!(patched(text), stated, "{text}");
        }
    }
}
