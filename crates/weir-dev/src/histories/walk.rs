//! Each release as if it were new.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::SignedDuration;
use weir_model::{Action, Assessment, Finding, ReleaseId};
use weir_npm::packument::Packument;
use weir_policy::config::Period;
use weir_policy::{Context, Policy, decide};
use weir_signals::{Input, NameIndex, Stage, Subject, observe_all};

use super::find::Found;
use super::order;

/// How long after its publication a release is looked at.
const DELAY: SignedDuration = SignedDuration::from_hours(1);

/// An update that would not have passed without a word.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) release: String,
    pub(crate) action: Action,
    /// The kinds of evidence and the signals, in words.
    pub(crate) why: String,
}

/// What came of all updates.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Packages looked at.
    pub(crate) packages: usize,
    /// Those whose publish times contradict their version numbers.
    pub(crate) shuffled: usize,
    /// Those without a packument, with the reason.
    pub(crate) missing: BTreeMap<String, String>,
    pub(crate) updates: usize,
    pub(crate) allowed: usize,
    pub(crate) noticed: usize,
    pub(crate) held: usize,
    pub(crate) blocked: usize,
    /// Updates for which the registry does not say who published them, or those before.
    pub(crate) unknown_publisher: usize,
    /// Updates with another gap; they are counted by their evidence all the same.
    pub(crate) other_gaps: usize,
    pub(crate) stopped: Vec<Stopped>,
    /// Updates in which a signal counted.
    pub(crate) by_signal: BTreeMap<String, usize>,
    pub(crate) seconds: f64,
    pub(crate) slowest: f64,
}

/// A walk through histories.
pub(crate) struct Walk {
    names: NameIndex,
    /// The default policy, were no release young: age is aside.
    policy: Policy,
    releases: usize,
    /// What is put before every finding that counts, where they are printed.
    list: Option<&'static str>,
    counts: Counts,
}

impl Walk {
    pub(crate) fn new(releases: usize, list: Option<&'static str>) -> anyhow::Result<Self> {
        let mut policy = Policy::default();
        policy.age.minimum = Period::from_secs(0);
        Ok(Self {
            names: NameIndex::embedded()?,
            policy,
            releases,
            list,
            counts: Counts::default(),
        })
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn take(&mut self, (name, found): Found) {
        match found {
            Ok(packument) => self.package(&packument),
            Err(why) => {
                self.counts.missing.insert(name.to_string(), why);
            }
        }
    }

    fn package(&mut self, packument: &Packument) {
        self.counts.packages += 1;
        self.counts.shuffled += usize::from(order::is_shuffled(packument));
        let timed: Vec<String> = packument
            .by_publish_time()
            .into_iter()
            .filter(|version| packument.published(version).is_some())
            .map(str::to_owned)
            .collect();
        // The first release is new, not an update.
        for version in timed.iter().skip(1).rev().take(self.releases) {
            self.update(packument, version);
        }
    }

    fn update(&mut self, packument: &Packument, version: &str) {
        let Some(published) = packument.published(version) else {
            return;
        };
        let now = published.saturating_add(DELAY).unwrap_or(published);
        let name = packument.name();
        let mut subject = Subject::new(name, version, &self.names, now);
        subject.packument = Stage::Known(packument);
        subject.contents = Stage::Pending;
        subject.advisories = Stage::Known(&[]);
        let start = Instant::now();
        let observation = observe_all(&subject);
        let seconds = start.elapsed().as_secs_f64();
        // What is in the tarball is not missing, it is not looked at.
        let unread = Input::Contents.as_str();
        let gaps = observation
            .incomplete
            .iter()
            .filter(|gap| gap.what != unread);
        let (publisher, others): (Vec<_>, Vec<_>) =
            gaps.partition(|gap| gap.what == weir_model::assessment::PUBLISHER);
        let counts = &mut self.counts;
        counts.unknown_publisher += usize::from(!publisher.is_empty());
        counts.other_gaps += usize::from(!others.is_empty());
        counts.seconds += seconds;
        counts.slowest = counts.slowest.max(seconds);
        let rank = self.names.rank(name.as_str());
        let context = Context {
            published: Some(published),
            rank: rank.map(|place| place.saturating_add(1)),
            ..Context::new(now)
        };
        let mut assessment = Assessment {
            release: ReleaseId {
                name: name.to_string(),
                version: version.to_owned(),
                integrity: None,
            },
            findings: observation.findings,
            incomplete: Vec::new(),
        };
        assessment.sort();
        let action = decide(&assessment, &context, &self.policy).action;
        self.count(&assessment, action);
    }

    fn count(&mut self, assessment: &Assessment, action: Action) {
        let counts = &mut self.counts;
        counts.updates += 1;
        match action {
            Action::Allow => counts.allowed += 1,
            Action::Notice => counts.noticed += 1,
            Action::Hold => counts.held += 1,
            Action::Block => counts.blocked += 1,
        }
        let mut signals: Vec<&str> = assessment.counted().map(|it| it.signal.as_str()).collect();
        signals.sort_unstable();
        signals.dedup();
        for signal in &signals {
            *counts.by_signal.entry((*signal).to_owned()).or_default() += 1;
        }
        if action >= Action::Hold {
            let groups: Vec<&str> = assessment.groups().iter().map(|it| it.as_str()).collect();
            counts.stopped.push(Stopped {
                release: assessment.release.to_string(),
                action,
                why: format!("{}: {}", groups.join(", "), signals.join(", ")),
            });
        }
        if let Some(order) = self.list {
            for finding in assessment.counted() {
                println!("{order}: {}", told(assessment, action, finding));
            }
        }
    }
}

fn told(assessment: &Assessment, action: Action, finding: &Finding) -> String {
    format!(
        "{} [{action}] {} {} {}",
        assessment.release,
        finding.severity,
        finding.signal,
        weir_model::finding::printable(&finding.message, 400)
    )
}
