//! How old a release has to be before the client takes it.

use weir_npm::lockfile::Format;
use weir_npm::settings::{Said, Setting};

use super::{Judge, NO_AGE, NO_TRUST_POLICY, WEAK, by_default};
use crate::commands::check::client::File;

pub(super) fn check(judge: &mut Judge<'_>) {
    let (files, client) = (judge.files, judge.client);
    match client.format {
        // Days, since npm 11.10.
        Format::Npm => {
            let said = files.npmrc.get(&["min-release-age"]);
            age(judge, &files.npmrc, said, ".npmrc", (11, 10), None);
        }
        // Minutes, since pnpm 10.16; a day by default since 11. The `.npmrc` has settings until 10.
        Format::Pnpm => {
            let here = files.pnpm.get(&["minimumReleaseAge"]);
            let in_npmrc = files.npmrc.get(&["minimum-release-age"]);
            let old = client.since(11, 0) != Some(true);
            match (here, in_npmrc) {
                (None, Some(_)) if old => {
                    age(
                        judge,
                        &files.npmrc,
                        in_npmrc,
                        ".npmrc",
                        (10, 16),
                        Some((11, 0)),
                    );
                }
                _ => age(
                    judge,
                    &files.pnpm,
                    here,
                    "pnpm-workspace.yaml",
                    (10, 16),
                    Some((11, 0)),
                ),
            }
            trust_policy(judge);
        }
        // Minutes or a duration, since yarn 4.10; a day by default since 4.15.
        Format::YarnBerry => {
            let said = files.yarnrc_yml.get(&["npmMinimalAgeGate"]);
            let file = &files.yarnrc_yml;
            age(judge, file, said, ".yarnrc.yml", (4, 10), Some((4, 15)));
        }
        Format::YarnClassic => {
            judge.lacks(
                &NO_AGE,
                "package.json",
                "yarn 1 takes releases of any age, and has no setting for it",
            );
        }
        // Seconds, since bun 1.3.
        Format::Bun => {
            let said = files.bunfig.get(&["install", "minimumReleaseAge"]);
            age(judge, &files.bunfig, said, "bunfig.toml", (1, 3), None);
        }
    }
}

/// Judges an age: known since one version, a day by default since another.
fn age(
    judge: &mut Judge<'_>,
    file: &File,
    said: Option<&Setting>,
    name: &str,
    known: (u64, u64),
    default: Option<(u64, u64)>,
) {
    let client = judge.client;
    let knows = client.since(known.0, known.1);
    match said {
        Some(setting) if is_none(setting) => {
            judge.says(&WEAK, file, setting, "releases of any age are taken");
        }
        Some(setting) if knows == Some(false) => {
            let what = format!(
                "{} does not know this setting, which came with {}.{}",
                client.label(),
                known.0,
                known.1
            );
            judge.says(&NO_AGE, file, setting, &what);
        }
        Some(_) => {}
        None => {
            let by_itself = default.and_then(|(major, minor)| client.since(major, minor));
            if by_itself == Some(true) {
                return;
            }
            let before = default.map(|(major, minor)| format!(" before {major}.{minor}"));
            let before = before.unwrap_or_default();
            let what = by_default(client, &before, "takes releases of any age");
            judge.lacks(&NO_AGE, name, &what);
        }
    }
}

/// Whether an age is none: zero, in whatever unit.
fn is_none(setting: &Setting) -> bool {
    match &setting.value {
        Said::Nothing => true,
        Said::Flag(flag) => !flag,
        Said::Text(text) => {
            let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
            number.parse::<f64>().is_ok_and(|number| number <= 0.0)
        }
    }
}

/// pnpm compares the evidence of a release's origin with that of earlier ones, if it is told to (10.21).
fn trust_policy(judge: &mut Judge<'_>) {
    let files = judge.files;
    let said = files.pnpm.get(&["trustPolicy"]).and_then(Setting::text);
    if said == Some("no-downgrade") {
        return;
    }
    let what = match judge.client.since(10, 21) {
        Some(false) => format!("{} cannot compare evidence of origin", judge.client.label()),
        _ => "`trustPolicy` is not set: pnpm takes releases with weaker evidence of origin"
            .to_owned(),
    };
    judge.lacks(&NO_TRUST_POLICY, "pnpm-workspace.yaml", &what);
}
