//! Counting. A story counts once, however many styles there are of it.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::Severity;

use super::{Scored, Seen, has_to_be_found};
use crate::corpus::{Kind, Style};

/// The behaviours of code, as the public record of incidents shows them.
pub(crate) const BEHAVIOURS: &[(&str, &str)] = &[
    ("B1", "reads the whole environment"),
    ("B2", "reads credential files, wallets, credential tools"),
    ("B3", "cloud metadata, cluster secrets, runner memory"),
    ("B4", "sends over HTTP(S) or a socket"),
    ("B5", "stores in repositories made with the victim's token"),
    ("B6", "sends in name lookups"),
    ("B7", "webhooks, bots, tunnels, dead drops"),
    ("B8", "downloads and runs"),
    ("B9", "runs a bundled binary"),
    ("B10", "obfuscation"),
    ("B11", "hidden text"),
    ("B12", "runs decoded or fetched text"),
    ("B13", "publishes itself with found tokens"),
    ("B14", "persistence"),
    ("B15", "wallet hooks, key theft, injected scripts"),
    ("B16", "removes or replaces itself"),
    ("B17", "waits for a target, place or time"),
    ("B18", "destroys"),
    ("B19", "edits other installed packages"),
    ("B20", "leaves a silent child behind"),
    ("B21", "switches certificate checks off"),
    ("B22", "drives assistants or poisons their configuration"),
];

/// Found and all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) found: usize,
    pub(crate) all: usize,
}

impl Share {
    pub(crate) fn of(answers: impl IntoIterator<Item = bool>) -> Self {
        let mut share = Self::default();
        for answer in answers {
            share.all += 1;
            share.found += usize::from(answer);
        }
        share
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.all == 0 {
            return f.write_str("none");
        }
        let percent = self.found as f64 * 100.0 / self.all as f64;
        write!(f, "{}/{} ({percent:.1} %)", self.found, self.all)
    }
}

/// The packages of one story.
pub(crate) type Cluster<'a, 's> = Vec<&'a Scored<'s>>;

/// The packages by story.
pub(crate) fn clusters<'a, 's>(
    scored: &'a [Scored<'s>],
    keep: impl Fn(&Scored<'s>) -> bool,
) -> BTreeMap<&'s str, Cluster<'a, 's>> {
    let mut clusters: BTreeMap<&str, Cluster<'_, '_>> = BTreeMap::new();
    for one in scored.iter().filter(|one| keep(one)) {
        clusters
            .entry(one.sample.id.as_str())
            .or_default()
            .push(one);
    }
    clusters
}

/// How many stories are found as they were written, and how many in every style there is.
pub(crate) fn recall<'a, 's: 'a>(
    clusters: impl Iterator<Item = &'a Cluster<'a, 's>> + Clone,
    found: impl Fn(&Scored<'s>) -> bool,
) -> (Share, Share) {
    let written = clusters
        .clone()
        .map(|cluster| cluster.first().is_some_and(|one| found(one)));
    let every = clusters.map(|cluster| cluster.iter().all(|one| found(one)));
    (Share::of(written), Share::of(every))
}

/// The packages of one style that have to be found.
pub(crate) fn in_style<'a, 's>(
    scored: &'a [Scored<'s>],
    style: Style,
) -> impl Iterator<Item = &'a Scored<'s>> + Clone {
    scored
        .iter()
        .filter(move |one| one.style == style && one.sample.kind == Kind::Attack)
}

/// What a signal is worth, and what it costs.
#[derive(Debug, Default)]
pub(crate) struct Worth {
    /// Packages that it reports with severity high or more.
    pub(crate) reports: usize,
    /// Packages that nothing else does.
    pub(crate) alone: usize,
    /// Stories that would not be found in any style without it.
    pub(crate) stories_alone: usize,
    /// Benign twins that it reports like that.
    pub(crate) twins: usize,
}

/// Every signal that reports anything above info, with its worth.
pub(crate) fn ablation(scored: &[Scored<'_>]) -> BTreeMap<String, Worth> {
    let mut worths: BTreeMap<String, Worth> = BTreeMap::new();
    let findings = scored.iter().flat_map(|one| &one.alone.findings);
    let signals: BTreeSet<&str> = findings
        .filter(|finding| finding.severity > Severity::Info)
        .map(|finding| finding.signal.as_str())
        .collect();
    let stories = clusters(scored, has_to_be_found);
    for signal in signals {
        let mut worth = Worth::default();
        for one in scored.iter().filter(|one| reports(&one.alone, signal)) {
            if has_to_be_found(one) {
                worth.reports += 1;
                worth.alone += usize::from(!one.alone.is_high_without(signal));
            } else {
                worth.twins += 1;
            }
        }
        let lost = |cluster: &&Cluster<'_, '_>| {
            cluster.iter().any(|one| one.alone.is_high())
                && !cluster.iter().any(|one| one.alone.is_high_without(signal))
        };
        worth.stories_alone = stories.values().filter(lost).count();
        worths.insert(signal.to_owned(), worth);
    }
    worths
}

/// Whether that signal has a finding of severity high or more.
fn reports(seen: &Seen, signal: &str) -> bool {
    seen.findings
        .iter()
        .any(|finding| finding.signal == signal && finding.severity >= Severity::High)
}
