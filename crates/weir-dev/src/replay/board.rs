//! The table of replays, and what it comes to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use weir_model::Action;

use super::play::{MARKS, Played, PlayedAttack, Seen, counts};

/// From this many attacks on, those of one scenario that fared alike share a row.
const MANY: usize = 6;

/// The incidents on record (INCIDENTS sections 2 to 4).
const INCIDENTS: u32 = 45;

/// What all replays come to.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Per incident, by number: how its replays fared.
    incidents: BTreeMap<u32, Fared>,
    /// Scenarios, and how their worst attack fared.
    scenarios: Vec<(&'static str, Fared)>,
    twins: usize,
    twins_noticed: usize,
    /// Twins that would be held or blocked for what they are.
    pub(crate) twins_refused: Vec<String>,
}

/// How replays fared, the worst of them counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fared {
    separable: bool,
    /// Refused for evidence.
    refused: bool,
    /// Refused on the day at least, if only for age.
    on_the_day: bool,
    groups: usize,
    minutes: Option<i64>,
    /// Still two kinds without what the publishing machine leaves behind.
    without_marks: bool,
}

impl Fared {
    fn of(attack: &PlayedAttack) -> Self {
        Self {
            separable: attack.attack.separable,
            refused: !attack.seen.by_evidence.serves(),
            on_the_day: !attack.seen.action.serves(),
            groups: attack.seen.groups.len(),
            minutes: attack.minutes,
            without_marks: attack.seen.refused_without_marks,
        }
    }

    fn worse(self, other: Self) -> Self {
        Self {
            separable: self.separable && other.separable,
            refused: self.refused && other.refused,
            on_the_day: self.on_the_day && other.on_the_day,
            groups: self.groups.min(other.groups),
            minutes: self
                .minutes
                .zip(other.minutes)
                .map(|(one, two)| one.max(two)),
            without_marks: self.without_marks && other.without_marks,
        }
    }

    fn twice(self) -> bool {
        self.refused && self.groups >= 2
    }
}

impl Summary {
    pub(crate) fn of(played: &[Played]) -> Self {
        let mut summary = Self::default();
        for scenario in played {
            let mut worst: Option<Fared> = None;
            for attack in &scenario.attacks {
                let fared = Fared::of(attack);
                worst = Some(worst.map_or(fared, |worst| worst.worse(fared)));
                for incident in attack.attack.incidents {
                    let number = incident.trim_start_matches('I').parse().unwrap_or(0);
                    summary
                        .incidents
                        .entry(number)
                        .and_modify(|known| *known = known.worse(fared))
                        .or_insert(fared);
                }
            }
            summary
                .scenarios
                .extend(worst.map(|worst| (scenario.name, worst)));
            for twin in &scenario.twins {
                summary.twins += 1;
                match twin.seen.by_evidence {
                    Action::Allow => {}
                    Action::Notice => summary.twins_noticed += 1,
                    Action::Hold | Action::Block => {
                        summary
                            .twins_refused
                            .push(format!("{}@{}", twin.name, twin.version));
                    }
                }
            }
        }
        summary
    }

    pub(crate) fn in_words(&self) -> String {
        let separable = || self.incidents.values().filter(|fared| fared.separable);
        let count = |test: fn(&Fared) -> bool| separable().filter(|fared| test(fared)).count();
        let all = separable().count();
        let refused = count(|fared| fared.refused);
        let twice = count(|fared| fared.twice());
        let day = count(|fared| fared.on_the_day);
        let unmarked = count(|fared| fared.without_marks);
        let scenarios = || {
            self.scenarios
                .iter()
                .map(|(_, fared)| fared)
                .filter(|it| it.separable)
        };
        let scenarios_twice = scenarios().filter(|fared| fared.twice()).count();
        let percent = |part: usize, whole: usize| part as f64 * 100.0 / whole.max(1) as f64;
        format!(
            "{all} separable incidents are replayed ({} more are not separable): {day} are refused on the day, \
             {refused} for their evidence alone, {twice} of them ({:.1} %) by two or more independent kinds of \
             evidence, counting the worst of each incident's replays. Without the traces of the publishing machine \
             ({MARKS}) it would be {unmarked}. Of {} scenarios {scenarios_twice} ({:.1} %) are \
             refused by two or more kinds. {} benign twins: {} held or blocked, {} noticed.",
            self.incidents.len() - all,
            percent(twice, all),
            scenarios().count(),
            percent(scenarios_twice, scenarios().count()),
            self.twins,
            self.twins_refused.len(),
            self.twins_noticed,
        )
    }
}

pub(crate) fn render(played: &[Played], summary: &Summary) -> String {
    let mut text = String::from(
        "# Replays\n\n\
         Written by `cargo dev replay`; [docs/replays.md](../docs/replays.md) says how to read it. Every release was \
         looked at by the engine as it is, a minute after it came out, and once more at the end of its scenario.\n\n",
    );
    let _ = writeln!(text, "{}\n", summary.in_words());
    attacks(&mut text, played);
    twins(&mut text, played);
    incidents(&mut text, played, summary);
    text
}

fn attacks(text: &mut String, played: &[Played]) {
    text.push_str(
        "## Attacks\n\n\
         | scenario | release | incidents | fired | kinds of evidence | on the day | for evidence alone | minutes | \
         enough alone |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for scenario in played {
        let mut rows: Vec<(String, usize, String)> = Vec::new();
        for attack in &scenario.attacks {
            let fared = row(attack);
            let known = rows
                .iter_mut()
                .find(|(_, _, known)| scenario.attacks.len() >= MANY && *known == fared);
            match known {
                Some((_, more, _)) => *more += 1,
                None => {
                    let release = format!("{}@{}", attack.attack.name, attack.attack.version);
                    rows.push((release, 0, fared));
                }
            }
        }
        for (release, more, fared) in rows {
            let more = match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let _ = writeln!(text, "| {} | {release}{more} | {fared}", scenario.name);
        }
    }
    text.push('\n');
}

fn row(attack: &PlayedAttack) -> String {
    let seen = &attack.seen;
    let minutes = match (attack.minutes, attack.attack.separable) {
        (Some(minutes), _) => minutes.to_string(),
        (None, true) => "never".to_owned(),
        (None, false) => "not separable".to_owned(),
    };
    let unseen = if attack.noticed {
        ""
    } else {
        " (not all that was expected)"
    };
    format!(
        "{} | {}{unseen} | {} | {} | {} | {minutes} | {} |",
        or_dash(of_incidents(attack)),
        or_dash(seen.fired().join(", ")),
        or_dash(groups(seen)),
        seen.action.as_str(),
        seen.by_evidence.as_str(),
        or_dash(seen.enough_alone.join(", ")),
    )
}

/// The incidents an attack replays; those of which it is one side alone in brackets.
fn of_incidents(attack: &PlayedAttack) -> String {
    let mut text = attack.attack.incidents.join(" ");
    if !attack.attack.parts_of.is_empty() {
        let _ = write!(text, " ({})", attack.attack.parts_of.join(" "));
    }
    text.trim().to_owned()
}

fn twins(text: &mut String, played: &[Played]) {
    text.push_str(
        "## Benign twins\n\n\
         | scenario | release | why it is fine | fired | for evidence alone |\n|---|---|---|---|---|\n",
    );
    for scenario in played {
        let mut rows: Vec<(String, usize, String)> = Vec::new();
        for twin in &scenario.twins {
            let fared = format!(
                "{} | {} | {} |",
                twin.why,
                or_dash(twin.seen.fired().join(", ")),
                twin.seen.by_evidence.as_str()
            );
            match rows.iter_mut().find(|(_, _, known)| *known == fared) {
                Some((_, more, _)) => *more += 1,
                None => rows.push((format!("{}@{}", twin.name, twin.version), 0, fared)),
            }
        }
        for (release, more, fared) in rows {
            let more = match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let _ = writeln!(text, "| {} | {release}{more} | {fared}", scenario.name);
        }
    }
    text.push('\n');
}

fn incidents(text: &mut String, played: &[Played], summary: &Summary) {
    text.push_str(
        "## Incidents\n\nThe worst of each incident's replays counts.\n\n\
         | incident | replayed by | refused | kinds of evidence | minutes |\n|---|---|---|---|---|\n",
    );
    for number in 1..=INCIDENTS {
        let id = format!("I{number:02}");
        let by: Vec<&str> = played
            .iter()
            .filter(|scenario| {
                let mut attacks = scenario.attacks.iter();
                attacks.any(|attack| attack.attack.incidents.contains(&id.as_str()))
            })
            .map(|scenario| scenario.name)
            .collect();
        let Some(fared) = summary.incidents.get(&number) else {
            let _ = writeln!(text, "| {id} | none | | | |");
            continue;
        };
        let refused = match (fared.separable, fared.refused, fared.on_the_day) {
            (false, ..) => "not separable",
            (_, true, _) => "for its evidence",
            (_, false, true) => "for its age only",
            (_, false, false) => "no",
        };
        let minutes = fared
            .minutes
            .map_or_else(|| "–".to_owned(), |minutes| minutes.to_string());
        let _ = writeln!(
            text,
            "| {id} | {} | {refused} | {} | {minutes} |",
            by.join(", "),
            fared.groups
        );
    }
}

/// What is seen, in full, for a person.
pub(crate) fn details(played: &[Played]) -> String {
    let mut text = String::new();
    for scenario in played {
        let _ = writeln!(text, "{}: {}", scenario.name, scenario.description);
        for attack in &scenario.attacks {
            let _ = writeln!(text, "  {}@{}", attack.attack.name, attack.attack.version);
            describe(&mut text, &attack.seen);
        }
        for twin in &scenario.twins {
            let _ = writeln!(text, "  {}@{} ({})", twin.name, twin.version, twin.why);
            describe(&mut text, &twin.seen);
        }
    }
    text
}

fn describe(text: &mut String, seen: &Seen) {
    let _ = writeln!(
        text,
        "    {} on the day, {} for its evidence ({})",
        seen.action.as_str(),
        seen.by_evidence.as_str(),
        groups(seen)
    );
    for finding in &seen.findings {
        let mark = if counts(finding) { "*" } else { " " };
        let _ = writeln!(
            text,
            "    {mark} {} {} {}: {}",
            finding.severity.as_str(),
            finding.group.as_str(),
            finding.signal,
            finding.message
        );
    }
    for gap in &seen.incomplete {
        let _ = writeln!(text, "    ? {gap}");
    }
}

fn groups(seen: &Seen) -> String {
    let names: Vec<&str> = seen.groups.iter().map(|group| group.as_str()).collect();
    names.join(", ")
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "–".to_owned()
    } else {
        text
    }
}
