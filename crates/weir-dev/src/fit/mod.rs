//! `cargo dev fit`: weights of evidence, fitted on replays and their benign twins, and what a score made
//! of them would add to the rules. Nothing else is read: what came after the catalogue of incidents ends
//! judges, and is not learned from.

mod model;

use std::fmt::Write as _;

use anyhow::bail;
use weir_testing::scenarios;

use crate::files::{self, Output};
use crate::replay::play::{self, Seen};
use model::{BEYOND_CHANCE, Compared, Fared, GROUPS, Row, Weights};

/// Where the weights are written down.
const BOARD: &str = "corpus/weights.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Compare with the committed table instead of writing it
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut rows = Vec::new();
    for make in scenarios::ALL {
        let scenario = make(scenarios::default_now());
        let played = runtime.block_on(play::play(&scenario))?;
        let row = |release: String, seen: &Seen, attack: bool| Row {
            scenario: played.name,
            release,
            groups: seen.groups.clone(),
            attack,
            refused: !seen.by_evidence.serves(),
            weight: 1.0,
        };
        let attacks = played.attacks.iter().filter(|it| it.attack.separable);
        rows.extend(attacks.map(|it| {
            let release = format!("{}@{}", it.attack.name, it.attack.version);
            row(release, &it.seen, true)
        }));
        let twins = played.twins.iter();
        rows.extend(twins.map(|it| row(format!("{}@{}", it.name, it.version), &it.seen, false)));
    }
    if rows.iter().all(|row| row.attack) || rows.iter().all(|row| !row.attack) {
        bail!("weights need attacks and benign twins, and there is only one kind");
    }
    model::share_weights(&mut rows);
    let weights = Weights::fit(&rows.iter().collect::<Vec<_>>());
    let compared = model::compare(&rows);
    let text = render(&rows, &weights, &compared);
    print!("{text}");
    let outputs = [Output::new(BOARD, text)];
    files::settle(
        &files::root(),
        &outputs,
        &[],
        arguments.check,
        "cargo dev fit",
    )
}

fn render(rows: &[Row], weights: &Weights, compared: &Compared) -> String {
    let attacks = rows.iter().filter(|row| row.attack).count();
    let mut text = format!(
        "# Weights of evidence\n\n\
         Written by `cargo dev fit`; [docs/deciding.md](../docs/deciding.md) says what it is for. Fitted on the replays \
         of public incidents until May 2026 and their benign twins, and on nothing else: {attacks} attacks and {} twins, \
         where those of one scenario that look alike count as one.\n\n",
        rows.len() - attacks
    );
    text.push_str(
        "Log-odds of an attack, by logistic regression with weights that cannot be negative; each group counts once.\n\n\
         | group | weight | attacks that show it | twins that show it |\n|---|---|---|---|\n",
    );
    let shown = |wanted: weir_model::Group, attack: bool| -> f64 {
        // A sum of nothing is -0.0, and would be printed so.
        rows.iter()
            .filter(|row| row.attack == attack && row.groups.contains(&wanted))
            .fold(0.0, |sum, row| sum + row.weight)
    };
    for (group, weight) in GROUPS.iter().zip(weights.of) {
        let _ = writeln!(
            text,
            "| {group} | {weight:.2} | {:.1} | {:.1} |",
            shown(*group, true),
            shown(*group, false)
        );
    }
    let _ = writeln!(text, "| (none) | {:.2} | | |\n", weights.base);
    verdict(&mut text, compared);
    text
}

fn verdict(text: &mut String, compared: &Compared) {
    text.push_str(
        "## What a score would add\n\n\
         Each scenario is judged by weights fitted on all the others, at the least score that none of their twins \
         reaches. Rows by weight, age aside.\n\n\
         | decided by | attacks refused | twins refused |\n|---|---|---|\n",
    );
    let share = |part: f64, whole: f64| part * 100.0 / whole.max(1.0);
    let rows: [(&str, Fared); 3] = [
        ("the rules", compared.rules),
        ("the score alone", compared.score),
        ("rules or score", compared.both),
    ];
    for (what, fared) in rows {
        let _ = writeln!(
            text,
            "| {what} | {:.1} of {:.1} ({:.1} %) | {:.1} of {:.1} ({:.1} %) |",
            fared.hits,
            compared.attacks,
            share(fared.hits, compared.attacks),
            fared.wrong,
            compared.benign,
            share(fared.wrong, compared.benign),
        );
    }
    text.push('\n');
    for (attack, what) in [(true, "attacks"), (false, "twins")] {
        let added = compared.added.iter().filter(|(_, is)| *is == attack);
        let names: Vec<&str> = added.map(|(release, _)| release.as_str()).collect();
        let names = match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(", "),
        };
        let _ = writeln!(text, "- {what} that only the score refuses: {names}");
    }
    let says = if compared.helps() {
        "By this measure a score would help.".to_owned()
    } else {
        format!(
            "By this measure a score does not help, and the rules decide alone: it would have to refuse at least \
             {BEYOND_CHANCE} attacks more and no twin more, fewer are chance."
        )
    };
    let _ = writeln!(text, "\n{says}");
}
