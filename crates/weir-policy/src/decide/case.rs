//! What the rules look at: the findings that count, and what is known about the release.

use jiff::Timestamp;
use weir_model::{Action, Assessment, Finding, Group, Incomplete, Severity};

use super::structure::{GROUPS, Spared, of_group};
use super::{Context, Request, moment};
use crate::config::{AGE_SIGNAL, Policy, SignalSetting, UnknownAge};

/// Why the assessment of a tarball or folder alone has gaps where a registry would have told something. What
/// could not be there is no check that failed: when somebody only looks, these gaps are told and hold nothing.
pub const ALONE: &str = "a tarball or folder alone has no history";

/// Something that speaks against a release, and that a waiver can cover.
#[derive(Clone, Copy)]
pub(super) enum Ground<'a> {
    /// A finding that counts.
    Finding(&'a Finding),
    /// Its age.
    Age,
    /// That something could not be checked.
    Incomplete,
    /// That there is nothing to check the bytes against.
    NoIntegrity,
}

/// Where a release stands with the hold of young releases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Youth {
    /// Old enough, or nobody asks.
    None,
    /// Young, and held for it.
    Held,
    /// Young, and let through because it fixes an advisory and nothing speaks against it.
    FixesAdvisory,
    /// Young, and let through because it has been served before.
    Served,
    /// Young, and let through because the policy says so.
    Excluded,
    /// Young, and a waiver covers that; told by the waiver.
    Waived,
}

/// A release to decide on. Copies of a case with fewer grounds answer "what if that were not there".
#[derive(Clone)]
pub(super) struct Case<'a> {
    pub(super) assessment: &'a Assessment,
    pub(super) context: &'a Context,
    pub(super) policy: &'a Policy,
    findings: Vec<&'a Finding>,
    groups: Vec<Group>,
    youth: Youth,
    incomplete: bool,
    unknown_publisher: bool,
    no_integrity: bool,
    unverified: bool,
    first_seen: bool,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        assessment: &'a Assessment,
        context: &'a Context,
        policy: &'a Policy,
    ) -> Self {
        let counts = |finding: &&Finding| {
            let setting = policy.signals.get(&finding.signal).copied();
            let severity = setting.map_or(Some(finding.severity), SignalSetting::severity);
            of_group(finding.group).is_some_and(|rule| rule.cap > 0)
                && severity.is_some_and(|severity| severity > Severity::Info)
        };
        let mut case = Self {
            assessment,
            context,
            policy,
            findings: assessment.findings.iter().filter(counts).collect(),
            groups: Vec::new(),
            youth: youth(assessment, context, policy),
            incomplete: false,
            unknown_publisher: assessment.incomplete.iter().any(is_publisher),
            no_integrity: assessment.incomplete.iter().any(is_integrity),
            unverified: waits_to_verify(assessment, context, policy),
            first_seen: is_first_seen(assessment, context),
        };
        case.incomplete = assessment
            .incomplete
            .iter()
            .any(|gap| !is_publisher(gap) && !case.is_only_told(gap));
        case.count_groups();
        case
    }

    fn count_groups(&mut self) {
        self.groups = self.findings.iter().map(|finding| finding.group).collect();
        self.groups.sort_unstable();
        self.groups.dedup();
        self.weigh_fix();
    }

    /// A fix is no reason not to wait while something speaks against the release: whoever took over a package may
    /// bring the fix along.
    fn weigh_fix(&mut self) {
        let fixes = self.context.fixes_advisory_of.is_some();
        self.youth = match self.youth {
            Youth::FixesAdvisory if !self.groups.is_empty() => Youth::Held,
            Youth::Held if fixes && self.groups.is_empty() => Youth::FixesAdvisory,
            other => other,
        };
    }

    /// Everything that speaks against the release.
    pub(super) fn grounds(&self) -> impl Iterator<Item = Ground<'a>> {
        let age = (self.youth == Youth::Held).then_some(Ground::Age);
        let matters = self.policy.decide.unknown_publisher > Action::Allow;
        let incomplete =
            (self.incomplete || (self.unknown_publisher && matters)).then_some(Ground::Incomplete);
        self.findings
            .iter()
            .copied()
            .map(Ground::Finding)
            .chain(age)
            .chain(incomplete)
            .chain(self.no_integrity.then_some(Ground::NoIntegrity))
    }

    /// The same case with only those grounds that are to be kept.
    pub(super) fn keeping(&self, keep: impl Fn(Ground<'a>) -> bool) -> Self {
        let mut case = self.clone();
        case.findings
            .retain(|finding| keep(Ground::Finding(finding)));
        if case.youth == Youth::Held && !keep(Ground::Age) {
            case.youth = Youth::Waived;
        }
        let gaps = keep(Ground::Incomplete);
        case.incomplete &= gaps;
        case.unknown_publisher &= gaps;
        case.unverified &= gaps;
        case.no_integrity &= keep(Ground::NoIntegrity);
        case.count_groups();
        case
    }

    /// The findings that count, strongest first as the assessment has them.
    pub(super) fn counted(&self) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().copied()
    }

    /// The groups of the findings that count, each once.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// How often groups count, each up to its cap.
    pub(super) fn group_count(&self) -> u32 {
        let count = |group: Group| {
            let findings = self.findings.iter().filter(|it| it.group == group).count();
            // One for those that are only supposed.
            let present = u32::from(self.groups.contains(&group));
            u32::try_from(findings).unwrap_or(u32::MAX).max(present)
        };
        GROUPS
            .iter()
            .map(|rule| count(rule.group).min(rule.cap))
            .fold(0, u32::saturating_add)
    }

    pub(super) fn has_group(&self, wanted: Group) -> bool {
        self.groups.contains(&wanted)
    }

    /// The same case, were there evidence of that group too.
    pub(super) fn with_group(&self, group: Group) -> Self {
        let mut case = self.clone();
        case.groups.push(group);
        case.groups.sort_unstable();
        case.groups.dedup();
        case.weigh_fix();
        case
    }

    /// What could not be checked, unless that is covered.
    pub(super) fn unchecked(&self) -> impl Iterator<Item = &'a Incomplete> {
        let (incomplete, unknown, bare) =
            (self.incomplete, self.unknown_publisher, self.no_integrity);
        let shown = move |gap: &&Incomplete| match (is_publisher(gap), is_integrity(gap)) {
            (true, _) => unknown,
            (_, true) => bare,
            _ => incomplete || self.is_only_told(gap),
        };
        self.assessment.incomplete.iter().filter(shown)
    }

    /// The same, without what no rule holds against the release.
    pub(super) fn unchecked_that_counts(&self) -> impl Iterator<Item = &'a Incomplete> {
        let publisher = self.policy.decide.unknown_publisher > Action::Allow;
        self.unchecked()
            .filter(move |gap| publisher || !is_publisher(gap))
            .filter(move |gap| !self.is_only_told(gap))
    }

    /// Whether the gap is told and no rule asks about it: something stands in for what is missing, or it could
    /// not be there. Where code of severity high speaks against a tarball alone, its history is what could confirm or
    /// excuse that, and is missed.
    fn is_only_told(&self, gap: &Incomplete) -> bool {
        let alone = self.context.request == Request::Inspection && gap.why == ALONE;
        (alone && !self.is_accused()) || self.is_stood_in_for(gap)
    }

    fn is_accused(&self) -> bool {
        let mut counted = self.assessment.counted();
        counted.any(|finding| finding.severity >= Severity::High)
    }

    /// Whether the moment weir first saw the release stands in for what is missing: then age holds it
    /// from there, and nothing else needs to.
    fn is_stood_in_for(&self, gap: &Incomplete) -> bool {
        self.first_seen && is_publish_time(gap)
    }

    /// Whether nothing is missing but its age: neither when it was published nor when weir first saw it is
    /// known.
    pub(super) fn lacks_only_its_age(&self) -> bool {
        let mut gaps = self.assessment.incomplete.iter();
        self.incomplete && gaps.all(|gap| is_publish_time(gap) || is_publisher(gap))
    }

    /// Whether its age is counted from when weir first saw it.
    pub(super) fn is_first_seen(&self) -> bool {
        self.first_seen
    }

    /// What the moment is that its age is counted from.
    pub(super) fn dated(&self) -> &'static str {
        dated(self.assessment, self.context)
    }

    pub(super) fn is_publisher_unknown(&self) -> bool {
        self.unknown_publisher
    }

    pub(super) fn lacks_integrity(&self) -> bool {
        self.no_integrity
    }

    /// Whether something is expected of its origin, and could not be verified.
    pub(super) fn is_unverified(&self) -> bool {
        self.unverified
    }

    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Whether there is reason to trust the release without having seen all of it.
    pub(super) fn is_known(&self) -> bool {
        self.context.established || self.context.served_before
    }

    /// Whether age holds the release.
    pub(super) fn is_held_for_age(&self) -> bool {
        self.youth == Youth::Held
    }

    /// Whether evidence weighs more because the release is young.
    pub(super) fn is_young_for_rules(&self) -> bool {
        let period = self.policy.age.young_for_rules;
        is_young(self.assessment, self.context, self.policy, period)
    }

    /// Whether the package is popular, and nothing but its name and code, or nothing but what
    /// others say, speaks against the release.
    pub(super) fn is_spared_by_popularity(&self) -> bool {
        let popular = self
            .context
            .rank
            .is_some_and(|rank| rank <= self.policy.decide.popular);
        let spared = |group: &Group| of_group(*group).map_or(Spared::Never, |rule| rule.spared);
        let all = |wanted: Spared| self.groups.iter().all(|group| spared(group) == wanted);
        let alone = self.groups.len() == 1 && all(Spared::Alone);
        popular && (self.groups.is_empty() || all(Spared::WithNameAndCode) || alone)
    }

    /// When age no longer holds the release, if that is known.
    pub(super) fn end_of_youth(&self) -> Option<Timestamp> {
        self.policy.age.minimum.after(self.context.published?)
    }

    /// Why a young release passes all the same, or does not though it fixes an advisory, for the record.
    pub(super) fn spared_from_age(&self) -> Option<String> {
        let why = match self.youth {
            Youth::FixesAdvisory => self.fix_in_words()?,
            Youth::Held => {
                let fix = self.fix_in_words()?;
                return Some(format!(
                    "held for its age although {fix}: something else speaks against it"
                ));
            }
            Youth::Served => "exactly these bytes were served here before".to_owned(),
            Youth::Excluded => "age.exclude names it".to_owned(),
            Youth::None | Youth::Waived => return None,
        };
        let published = self.context.published.map_or("unknown".to_owned(), moment);
        Some(format!(
            "young ({} {published}), but not held for that: {why}",
            self.dated()
        ))
    }

    fn fix_in_words(&self) -> Option<String> {
        let fixed = self.context.fixes_advisory_of.as_deref()?;
        let instead = self.context.instead.as_deref();
        let instead = instead.map_or("what would be served instead".to_owned(), |version| {
            format!("{version}, which would be served instead")
        });
        Some(format!("it fixes {fixed}, which affects {instead}"))
    }
}

/// Whether a gap keeps an expectation about the release's origin from being told kept or broken.
fn waits_to_verify(assessment: &Assessment, context: &Context, policy: &Policy) -> bool {
    let name = &assessment.release.name;
    // The moment weir first saw it says nothing of whether an expectation was there before.
    let seen = is_first_seen(assessment, context);
    let published = context.published.filter(|_| !seen);
    let mut gaps = assessment.incomplete.iter();
    gaps.any(|gap| policy.waits_to_verify(&gap.what, name, published))
}

/// Whether the gap is that nobody knows who published what.
fn is_publisher(gap: &Incomplete) -> bool {
    gap.what == weir_model::assessment::PUBLISHER
}

/// Whether the gap is that nothing says what the bytes should be.
fn is_integrity(gap: &Incomplete) -> bool {
    gap.what == weir_model::assessment::INTEGRITY
}

/// Whether the gap is that nobody knows when it was published.
fn is_publish_time(gap: &Incomplete) -> bool {
    gap.what == weir_model::assessment::PUBLISH_TIME
}

/// Whether the release's age is counted from when weir first saw it.
fn is_first_seen(assessment: &Assessment, context: &Context) -> bool {
    context.published.is_some() && assessment.incomplete.iter().any(is_publish_time)
}

/// What the moment is that a release's age is counted from: "published", or "first seen" where the
/// registry does not say.
pub(super) fn dated(assessment: &Assessment, context: &Context) -> &'static str {
    if is_first_seen(assessment, context) {
        "first seen"
    } else {
        "published"
    }
}

fn is_young(
    assessment: &Assessment,
    context: &Context,
    policy: &Policy,
    period: crate::config::Period,
) -> bool {
    // Without a length it is switched off, for what claims to come from the future as well.
    if period == crate::config::Period::from_secs(0) {
        return false;
    }
    let unknown_is_young = policy.age.unknown == UnknownAge::Young;
    match context.published {
        Some(_) if is_first_seen(assessment, context) && !unknown_is_young => false,
        Some(since) => period.is_running(since, context.now),
        // Nothing that nobody published can be young.
        None => context.request != Request::Inspection && unknown_is_young,
    }
}

fn youth(assessment: &Assessment, context: &Context, policy: &Policy) -> Youth {
    let release = &assessment.release;
    let asked = context.request != Request::Inspection
        && policy.signals.get(AGE_SIGNAL) != Some(&SignalSetting::Off);
    if !asked || !is_young(assessment, context, policy, policy.age.minimum) {
        Youth::None
    } else if policy.age.excludes(&release.name, &release.version) {
        Youth::Excluded
    } else if context.served_before {
        Youth::Served
    } else if context.fixes_advisory_of.is_some() {
        Youth::FixesAdvisory
    } else {
        Youth::Held
    }
}
