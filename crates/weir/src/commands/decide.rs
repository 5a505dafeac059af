//! `weir decide`: a kept decision, taken again. No registry is asked.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use weir_engine::Verdict;
use weir_model::json::v1::ASSESSMENT;
use weir_model::{Assessment, Decision, ReleaseId};
use weir_policy::decide::Request;
use weir_policy::json::v1;
use weir_policy::{Context, Policy, Trace, decide, trace};
use weir_signals::NameIndex;
use weir_store::Store;

use crate::cli::{Decide, Global};
use crate::{exit, print, setup};

/// What is kept of a release: what was seen, and what was decided when.
struct Kept {
    assessment: Assessment,
    decision: Option<Decision>,
    /// When the release was published, where nothing but the verdict says so.
    published: Option<Timestamp>,
}

/// Decides on each release that is named; the exit code tells the strictest decision.
pub(super) async fn run(global: &Global, options: &Decide) -> Result<ExitCode> {
    let policy = setup::policy(global)?;
    let file = setup::policy_file(global)?;
    let now = setup::clock(global).now();
    let names = NameIndex::embedded()?;
    let mut code = exit::FINE;
    for kept in find(global, &options.what).await? {
        let context = context(&kept, &policy, &names, global.now, now);
        let mut decision = decide(&kept.assessment, &context, &policy);
        // As the engine has it, so that both tell and propose the same.
        decision.circumstances = Some(context.circumstances());
        let trace = trace(&kept.assessment, &context, &policy);
        code = code.max(exit::for_action(decision.action));
        if options.json {
            show_json(&kept, &decision, &trace, &policy)?;
        } else {
            let shown = print::Redecided {
                assessment: &kept.assessment,
                kept: kept.decision.as_ref(),
                decision: &decision,
                context: &context,
                trace: options.explain.then_some(&trace),
                rules: &policy,
                policy: file.as_deref(),
            };
            crate::out::print!("{}", print::redecided(&shown));
        }
    }
    Ok(ExitCode::from(code))
}

fn show_json(kept: &Kept, decision: &Decision, trace: &Trace, policy: &Policy) -> Result<()> {
    let public = v1::Decide {
        schema: v1::DECIDE,
        release: &kept.assessment.release,
        kept: kept.decision.as_ref(),
        decision,
        trace,
        policy: policy.fingerprint(),
    };
    crate::out::println!("{}", serde_json::to_string(&public)?);
    Ok(())
}

/// The circumstances that were kept, at the moment that was asked for. Where none were, what is known
/// of the release stands in.
fn context(
    kept: &Kept,
    policy: &Policy,
    names: &NameIndex,
    asked: Option<Timestamp>,
    now: Timestamp,
) -> Context {
    let decision = kept.decision.as_ref();
    let mut context = match decision.and_then(|decision| decision.circumstances.as_ref()) {
        Some(circumstances) => {
            let mut circumstances = circumstances.clone();
            circumstances.now = asked.unwrap_or(circumstances.now);
            Context::again(&circumstances, policy)
        }
        None => {
            let rank = names.rank(&kept.assessment.release.name);
            let rank = rank.map(|place| place.saturating_add(1));
            Context {
                published: kept.published,
                rank,
                request: match kept.assessment.release.integrity {
                    Some(_) => Request::NewResolution,
                    None => Request::Inspection,
                },
                established: policy.is_established(kept.published, rank, now),
                ..Context::new(now)
            }
        }
    };
    context.instead = decision.and_then(|decision| decision.instead.clone());
    context
}

/// What is kept under that id, of that release, or in that file.
async fn find(global: &Global, what: &str) -> Result<Vec<Kept>> {
    if what == "-" || Path::new(what).is_file() {
        return from_file(what);
    }
    let store = setup::store(global).await?;
    if let Some(refusal) = store.refusal(what).await? {
        return Ok(vec![Kept {
            published: None,
            assessment: refusal.assessment,
            decision: Some(refusal.decision),
        }]);
    }
    match what.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
        Some((name, version)) => from_verdict(&store, name, version).await,
        None => bail!(
            "{what:?} is no file, and no refusal of that id is in {} (the gateway that refused may use another \
             --data); of a release name the version too: name@1.0.0",
            store.folder().display()
        ),
    }
}

async fn from_verdict(store: &Store, name: &str, version: &str) -> Result<Vec<Kept>> {
    let Some(json) = store.last_verdict(name, version).await? else {
        bail!(
            "nothing was decided on {name}@{version} in {} (`weir inspect` decides on it)",
            store.folder().display()
        );
    };
    let verdict: Verdict = serde_json::from_str(&json)
        .with_context(|| format!("the kept verdict on {name}@{version}"))?;
    Ok(vec![Kept {
        published: verdict.published,
        assessment: verdict.assessment,
        decision: Some(verdict.decision),
    }])
}

/// What a file of [`ASSESSMENT`] objects says. More fields than these are another version's, or for
/// people.
#[derive(serde::Deserialize)]
struct Written {
    schema: String,
    release: ReleaseId,
    /// Says in one word what `incomplete` says in detail. Where the two differ, something was lost on the way.
    complete: Option<bool>,
    findings: Vec<weir_model::Finding>,
    incomplete: Vec<weir_model::Incomplete>,
    decision: Option<Decision>,
}

fn from_file(file: &str) -> Result<Vec<Kept>> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("reading standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
    }
    let mut found = Vec::new();
    let objects = serde_json::Deserializer::from_str(&text).into_iter::<Written>();
    for (number, object) in (1..).zip(objects) {
        let written = object.with_context(|| {
            format!("{file}: object {number} is not what `weir inspect --json` prints")
        })?;
        if written.schema != ASSESSMENT {
            bail!(
                "{file}: object {number} is of schema {:?}, not {ASSESSMENT:?}",
                written.schema
            );
        }
        let assessment = Assessment {
            release: written.release,
            findings: written.findings,
            incomplete: written.incomplete,
        };
        if written.complete == Some(!assessment.is_complete()) {
            bail!(
                "{file}: object {number} contradicts itself: `complete` is {}, and `incomplete` names {} that could \
                 not be checked; it is not decided on",
                !assessment.is_complete(),
                match assessment.incomplete.len() {
                    0 => "nothing".to_owned(),
                    gaps => gaps.to_string(),
                }
            );
        }
        found.push(Kept {
            assessment,
            decision: written.decision,
            published: None,
        });
    }
    if found.is_empty() {
        bail!("{file}: there is no assessment in it");
    }
    Ok(found)
}
