//! What time alone changes: every moment from which on a rule or a waiver reads the clock otherwise.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use weir_model::finding::printable;
use weir_model::{Action, Assessment};

use super::case::dated;
use super::{Context, action_at, waiver};
use crate::config::{Period, Policy};

/// What time alone changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Later {
    /// From when on.
    #[schemars(with = "String")]
    pub from: Timestamp,
    /// The key of the policy whose period ends then, or `waiver` where one ends.
    pub key: &'static str,
    /// The decision then.
    pub action: Action,
    /// What ends then, in words.
    pub why: String,
}

/// Something that ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    MinimumAge,
    YoungForRules,
    PopularAge,
    EstablishedAge,
    /// The waiver at this place of the policy.
    Waiver(usize),
}

impl Cause {
    fn key(self) -> &'static str {
        match self {
            Self::MinimumAge => "age.minimum",
            Self::YoungForRules => "age.young_for_rules",
            Self::PopularAge => "established.popular_age",
            Self::EstablishedAge => "established.age",
            Self::Waiver(_) => "waiver",
        }
    }

    /// The period of the policy; nothing for a waiver.
    fn period(self, policy: &Policy) -> Option<Period> {
        match self {
            Self::MinimumAge => Some(policy.age.minimum),
            Self::YoungForRules => Some(policy.age.young_for_rules),
            Self::PopularAge => Some(policy.established.popular_age),
            Self::EstablishedAge => Some(policy.established.age),
            Self::Waiver(_) => None,
        }
    }

    fn end(self, context: &Context, policy: &Policy) -> Option<Timestamp> {
        match self {
            Self::Waiver(place) => Some(policy.waivers.get(place)?.expires.end()),
            period => period.period(policy)?.after(context.published?),
        }
    }

    /// The policy with an end of this that is still to come.
    fn postponed(self, policy: &Policy) -> Policy {
        let mut policy = policy.clone();
        let longer = |period: Period| Period::from_secs(period.get().as_secs().saturating_add(2));
        match self {
            Self::MinimumAge => policy.age.minimum = longer(policy.age.minimum),
            Self::YoungForRules => policy.age.young_for_rules = longer(policy.age.young_for_rules),
            Self::PopularAge => {
                policy.established.popular_age = longer(policy.established.popular_age);
            }
            Self::EstablishedAge => policy.established.age = longer(policy.established.age),
            Self::Waiver(place) => {
                if let Some(waiver) = policy.waivers.get_mut(place) {
                    waiver.expires = waiver.expires.postponed();
                }
            }
        }
        policy
    }

    /// "24h since it was published", "the waiver by Jo for left-pad 1.3.1 ends (2026-12-31)".
    fn in_words(self, policy: &Policy, dated: &str) -> String {
        if let Some(period) = self.period(policy) {
            return format!("{period} since it was {dated}");
        }
        let waiver = match self {
            Self::Waiver(place) => policy.waivers.get(place),
            _ => None,
        };
        waiver.map_or_else(String::new, |waiver| {
            format!(
                "the waiver by {} for {} {} ends ({})",
                printable(waiver.author.as_str(), 80),
                waiver.package,
                printable(waiver.versions.as_str(), 80),
                waiver.expires
            )
        })
    }
}

/// What ends after the moment of the decision, by when.
fn ends(
    assessment: &Assessment,
    context: &Context,
    policy: &Policy,
) -> BTreeMap<Timestamp, Vec<Cause>> {
    let periods = [
        Cause::MinimumAge,
        Cause::YoungForRules,
        Cause::PopularAge,
        Cause::EstablishedAge,
    ];
    let waivers = policy.waivers.iter().enumerate();
    let waivers = waivers
        .filter(|(_, waiver)| waiver::concerns(waiver, &assessment.release))
        .map(|(place, _)| Cause::Waiver(place));
    let mut ends: BTreeMap<Timestamp, Vec<Cause>> = BTreeMap::new();
    for cause in periods.into_iter().chain(waivers) {
        if let Some(end) = cause.end(context, policy).filter(|end| *end > context.now) {
            ends.entry(end).or_default().push(cause);
        }
    }
    ends
}

/// Each moment from which on it is decided otherwise, if nothing but time changes.
pub(super) fn later(
    assessment: &Assessment,
    context: &Context,
    policy: &Policy,
    action: Action,
) -> Vec<Later> {
    let mut last = action;
    let mut found = Vec::new();
    for (from, ended) in ends(assessment, context, policy) {
        let then = action_at(assessment, context, from, policy);
        if then == last {
            continue;
        }
        last = then;
        let matters =
            |cause: &Cause| action_at(assessment, context, from, &cause.postponed(policy)) != then;
        // Of what ends together, what the change rests on; all of it, where each would do.
        let mut causes: Vec<Cause> = ended.iter().copied().filter(matters).collect();
        if causes.is_empty() {
            causes = ended;
        }
        let dated = dated(assessment, context);
        let words = causes.iter().map(|cause| cause.in_words(policy, dated));
        found.push(Later {
            from,
            key: causes.first().map_or("", |cause| cause.key()),
            action: then,
            why: words.collect::<Vec<_>>().join(" and "),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use weir_model::{Group, Incomplete};

    use super::super::tests::{NOW, finding, release, time};
    use super::super::{decide, trace};
    use super::*;

    /// A waiver for the release of the tests.
    fn waiver(signals: &str, action: &str, expires: &str) -> String {
        format!(
            "[[waiver]]\npackage = \"left-pad\"\nversions = \"1.3.1\"\nsignals = [{signals}]\n\
             action = \"{action}\"\nreason = \"read\"\nauthor = \"Jo\"\nexpires = \"{expires}\"\n"
        )
    }

    fn aged(hours: i64) -> Context {
        Context {
            published: Some(time(NOW) - jiff::SignedDuration::from_hours(hours)),
            ..Context::new(time(NOW))
        }
    }

    /// "hold from 2026-11-25T00:00:00Z (waiver)", one per line.
    fn told(assessment: &Assessment, context: &Context, policy: &str) -> String {
        let policy = Policy::from_toml(policy, "weir.toml").unwrap();
        let trace = trace(assessment, context, &policy);
        let line = |it: &Later| format!("{} from {} ({})", it.action, it.from, it.key);
        trace.later.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_change_has_its_own_cause_and_moment() {
        let two = release(vec![finding(Group::Code), finding(Group::Shape)]);
        let telling = release(vec![finding(Group::Code), finding(Group::Trust)]);
        let code = "\"some-code\"";
        let allow = waiver(code, "allow", "2026-11-24");
        let young = waiver("\"young-release\"", "allow", "2026-11-22");
        for (assessment, context, policy, expected) in [
            (
                &two,
                aged(300),
                allow.clone(),
                "hold from 2026-11-25T00:00:00Z (waiver)",
            ),
            (
                &telling,
                aged(36),
                waiver(code, "notice", "2026-11-22T18:00:00Z"),
                "block from 2026-11-22T18:00:00Z (waiver)\n\
                 hold from 2026-11-24T00:00:00Z (age.young_for_rules)",
            ),
            // Not known when it was published: a waiver ends all the same.
            (
                &two,
                Context::new(time(NOW)),
                format!("[age]\nunknown = \"old\"\n{allow}"),
                "hold from 2026-11-25T00:00:00Z (waiver)",
            ),
            // The waiver ends before the release is old enough.
            (
                &release(vec![]),
                aged(1),
                young,
                "hold from 2026-11-23T00:00:00Z (waiver)\nallow from 2026-11-23T11:00:00Z (age.minimum)",
            ),
            // A waiver that ends without changing anything is no cause.
            (
                &release(vec![]),
                aged(1),
                waiver(code, "allow", "2026-11-22"),
                "allow from 2026-11-23T11:00:00Z (age.minimum)",
            ),
            // Two ends at one moment: only one of them changes anything.
            (
                &two,
                aged(60),
                waiver(code, "allow", "2026-11-23T00:00:00Z"),
                "hold from 2026-11-23T00:00:00Z (waiver)",
            ),
        ] {
            assert_eq!(told(assessment, &context, &policy), expected, "{policy}");
        }
    }

    #[test]
    fn a_hold_does_not_end_by_itself_where_a_waiver_ends_first() {
        let assessment = release(vec![finding(Group::Code), finding(Group::Shape)]);
        for (expires, ends) in [("2026-11-22", false), ("2026-11-30", true)] {
            let text = waiver("\"some-code\", \"some-shape\"", "allow", expires);
            let policy = Policy::from_toml(&text, "weir.toml").unwrap();
            let decision = decide(&assessment, &aged(1), &policy);
            assert_eq!(decision.action, Action::Hold, "{expires}");
            assert_eq!(decision.until.is_some(), ends, "{expires}");
        }
    }

    #[test]
    fn what_ends_is_told_in_words() {
        let mut assessment = release(vec![]);
        let why = |assessment: &Assessment, text: &str| {
            let policy = Policy::from_toml(text, "weir.toml").unwrap();
            let trace = trace(assessment, &aged(1), &policy);
            trace.later.first().map(|it| it.why.clone()).unwrap()
        };
        let waived = waiver("\"young-release\"", "allow", "2026-11-22");
        assert_eq!(
            why(&assessment, &waived),
            "the waiver by Jo for left-pad 1.3.1 ends (2026-11-22)"
        );
        assert_eq!(why(&assessment, ""), "24h since it was published");
        assessment.incomplete.push(Incomplete {
            what: weir_model::assessment::PUBLISH_TIME.into(),
            why: "the registry does not say when it was published".into(),
        });
        assert_eq!(why(&assessment, ""), "24h since it was first seen");
    }
}
