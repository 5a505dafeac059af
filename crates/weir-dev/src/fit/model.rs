//! Logistic regression with few, non-negative weights: one per group of evidence, each counted once.

use weir_model::Group;

/// The groups that have a weight, in the order of the table of rules.
pub(crate) const GROUPS: [Group; 9] = [
    Group::Identity,
    Group::Trust,
    Group::Execution,
    Group::Dependency,
    Group::Shape,
    Group::Code,
    Group::Runtime,
    Group::Name,
    Group::Intel,
];

/// How strongly weights are drawn towards zero, against one row: a group that few rows show keeps a
/// small weight.
const RIDGE: f64 = 0.05;

/// Steps of the descent, and their length: with features of zero and one the loss is smooth enough for
/// this to settle to the fifth digit.
const STEPS: usize = 6_000;
const LENGTH: f64 = 0.5;

/// One release: which groups spoke against it, and whether it is an attack.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) release: String,
    pub(crate) groups: Vec<Group>,
    pub(crate) attack: bool,
    /// Whether the rules refuse it for its evidence.
    pub(crate) refused: bool,
    /// How much it counts: alike releases of one scenario are one fact.
    pub(crate) weight: f64,
}

/// Log-odds of an attack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weights {
    pub(crate) base: f64,
    pub(crate) of: [f64; GROUPS.len()],
}

impl Weights {
    /// The weights that fit the rows best.
    pub(crate) fn fit(rows: &[&Row]) -> Self {
        let mut weights = Self {
            base: 0.0,
            of: [0.0; GROUPS.len()],
        };
        let total: f64 = rows.iter().map(|row| row.weight).sum();
        for _ in 0..STEPS {
            let mut slope = Self {
                base: 0.0,
                of: weights.of.map(|weight| RIDGE * weight),
            };
            for row in rows {
                let miss =
                    probability(weights.score(&row.groups)) - f64::from(u8::from(row.attack));
                let share = miss * row.weight / total.max(1.0);
                slope.base += share;
                for (slope, group) in slope.of.iter_mut().zip(GROUPS) {
                    if row.groups.contains(&group) {
                        *slope += share;
                    }
                }
            }
            weights.base -= LENGTH * slope.base;
            for (weight, slope) in weights.of.iter_mut().zip(slope.of) {
                // More evidence never makes a release better.
                *weight = (*weight - LENGTH * slope).max(0.0);
            }
        }
        weights
    }

    pub(crate) fn score(&self, groups: &[Group]) -> f64 {
        let weights = GROUPS.iter().zip(self.of);
        let counted = weights.filter(|(group, _)| groups.contains(group));
        self.base + counted.map(|(_, weight)| weight).sum::<f64>()
    }

    /// The least score that no benign row reaches.
    pub(crate) fn threshold(&self, rows: &[&Row]) -> f64 {
        let benign = rows.iter().filter(|row| !row.attack);
        let most = benign
            .map(|row| self.score(&row.groups))
            .fold(f64::NEG_INFINITY, f64::max);
        // Beyond rounding.
        most + 1e-6
    }
}

fn probability(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// Gives rows of one scenario that look alike the weight of one together.
pub(crate) fn share_weights(rows: &mut [Row]) {
    let alike = |one: &Row, other: &Row| {
        (one.scenario, one.attack, &one.groups) == (other.scenario, other.attack, &other.groups)
    };
    let counts: Vec<usize> = rows
        .iter()
        .map(|row| rows.iter().filter(|other| alike(row, other)).count())
        .collect();
    for (row, count) in rows.iter_mut().zip(counts) {
        row.weight = 1.0 / count.max(1) as f64;
    }
}

/// How a way of deciding fares, in rows by their weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Fared {
    /// Attacks refused.
    pub(crate) hits: f64,
    /// Benign releases refused.
    pub(crate) wrong: f64,
}

/// The rules, the score alone, and the rules with the score beside them, each scenario judged by weights
/// that were fitted on all others.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Compared {
    pub(crate) attacks: f64,
    pub(crate) benign: f64,
    pub(crate) rules: Fared,
    pub(crate) score: Fared,
    pub(crate) both: Fared,
    /// Releases that the score refuses and the rules do not.
    pub(crate) added: Vec<(String, bool)>,
}

/// This many attacks more, and no twin, are seldom chance: a coin falls five times on one side once in
/// thirty.
pub(crate) const BEYOND_CHANCE: f64 = 5.0;

impl Compared {
    /// Whether the score beside the rules finds more than chance would, and is wrong no more often.
    pub(crate) fn helps(&self) -> bool {
        let more = self.both.hits - self.rules.hits;
        more >= BEYOND_CHANCE - 1e-6 && self.both.wrong <= self.rules.wrong
    }
}

pub(crate) fn compare(rows: &[Row]) -> Compared {
    let mut compared = Compared::default();
    let mut scenarios: Vec<&str> = rows.iter().map(|row| row.scenario).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    for scenario in scenarios {
        let (own, others): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| row.scenario == scenario);
        let weights = Weights::fit(&others);
        let threshold = weights.threshold(&others);
        for row in own {
            let scored = weights.score(&row.groups) >= threshold;
            let all = if row.attack {
                &mut compared.attacks
            } else {
                &mut compared.benign
            };
            *all += row.weight;
            for (refused, fared) in [
                (row.refused, &mut compared.rules),
                (scored, &mut compared.score),
                (row.refused || scored, &mut compared.both),
            ] {
                let count = if row.attack {
                    &mut fared.hits
                } else {
                    &mut fared.wrong
                };
                *count += if refused { row.weight } else { 0.0 };
            }
            if scored && !row.refused {
                compared.added.push((row.release.clone(), row.attack));
            }
        }
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scenario: &'static str, groups: &[Group], attack: bool) -> Row {
        Row {
            scenario,
            release: format!("{scenario}-{attack}"),
            groups: groups.to_vec(),
            attack,
            refused: attack && groups.len() > 1,
            weight: 1.0,
        }
    }

    fn rows() -> Vec<Row> {
        use Group::{Code, Execution, Identity, Name};
        vec![
            row("a", &[Execution, Code], true),
            row("a", &[Identity], false),
            row("b", &[Execution, Code, Identity], true),
            row("b", &[], false),
            row("c", &[Code], true),
            row("c", &[Name], false),
            row("d", &[Code, Name], true),
            row("d", &[Identity, Name], false),
            row("e", &[Code], true),
            row("e", &[], false),
        ]
    }

    #[test]
    fn every_group_that_counts_has_a_weight() {
        let rules = weir_policy::decide::GROUPS.iter();
        let counting = rules.filter(|rule| rule.cap > 0).map(|rule| rule.group);
        assert_eq!(GROUPS.to_vec(), counting.collect::<Vec<_>>());
    }

    #[test]
    fn what_attacks_show_weighs_and_what_only_honest_releases_show_does_not() {
        let rows = rows();
        let weights = Weights::fit(&rows.iter().collect::<Vec<_>>());
        let of = |wanted: Group| {
            let place = GROUPS.iter().position(|group| *group == wanted).unwrap();
            weights.of[place]
        };
        assert!(of(Group::Code) > of(Group::Execution));
        assert!(of(Group::Execution) > 0.0);
        assert_eq!(of(Group::Trust), 0.0);
        assert_eq!(of(Group::Name), 0.0);
        assert!(weights.of.iter().all(|weight| *weight >= 0.0));
        // The same rows give the same weights.
        assert_eq!(weights, Weights::fit(&rows.iter().collect::<Vec<_>>()));
        let benign = rows.iter().filter(|row| !row.attack);
        let threshold = weights.threshold(&rows.iter().collect::<Vec<_>>());
        for row in benign {
            assert!(weights.score(&row.groups) < threshold);
        }
    }

    #[test]
    fn a_score_is_judged_on_scenarios_it_was_not_fitted_on() {
        let compared = compare(&rows());
        assert_eq!((compared.attacks, compared.benign), (5.0, 5.0));
        assert_eq!(
            compared.rules,
            Fared {
                hits: 3.0,
                wrong: 0.0
            }
        );
        assert_eq!(
            compared.both,
            Fared {
                hits: 5.0,
                wrong: 0.0
            }
        );
        assert_eq!(compared.added.len(), 2);
        // Two more are chance, five are not.
        assert!(!compared.helps());
        let mut more = rows();
        more.extend(["g", "h", "i"].map(|name| row(name, &[Group::Code], true)));
        assert!(compare(&more).helps());
        // A lone group that both show is no help.
        more.push(row("f", &[Group::Code], false));
        assert!(!compare(&more).helps());
    }

    #[test]
    fn alike_releases_of_one_scenario_count_as_one() {
        let mut rows = vec![
            row("a", &[Group::Code], true),
            row("a", &[Group::Code], true),
            row("a", &[Group::Code], false),
            row("b", &[Group::Code], true),
        ];
        share_weights(&mut rows);
        let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
        assert_eq!(weights, [0.5, 0.5, 1.0, 1.0]);
    }
}
