//! Whether dependencies may bring code from git and from addresses of their own.

use weir_npm::lockfile::Format;
use weir_npm::settings::Setting;

use super::{Judge, REMOTE_SOURCES, WEAK, by_default};

pub(super) fn check(judge: &mut Judge<'_>) {
    match judge.client.format {
        Format::Npm => npm(judge),
        Format::Pnpm => pnpm(judge),
        Format::YarnBerry => berry(judge),
        // Neither has a setting for it; `weir check` lists what comes from elsewhere.
        Format::YarnClassic | Format::Bun => {}
    }
}

/// `allow-git` since npm 11.10, `allow-remote` since 11.15; both are `all` before npm 12 and `none` from then on.
fn npm(judge: &mut Judge<'_>) {
    let (files, client) = (judge.files, judge.client);
    let mut open = Vec::new();
    for key in ["allow-git", "allow-remote"] {
        match files.npmrc.get(&[key]) {
            Some(setting) if setting.text() == Some("all") => {
                let what = "any package may bring code past the registry";
                judge.says(&WEAK, &files.npmrc, setting, what);
            }
            Some(_) => {}
            None if client.since(12, 0) == Some(true) => {}
            None => open.push(format!("`{key}`")),
        }
    }
    if !open.is_empty() {
        let since = format!(" before 12: {} not set", are(&open));
        let what = by_default(
            client,
            &since,
            "fetches what any package asks of git and other servers",
        );
        judge.lacks(&REMOTE_SOURCES, ".npmrc", &what);
    }
}

fn are(names: &[String]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(" and "))
}

/// `blockExoticSubdeps` since pnpm 10.26, on since 11.
fn pnpm(judge: &mut Judge<'_>) {
    let (files, client) = (judge.files, judge.client);
    match files.pnpm.get(&["blockExoticSubdeps"]) {
        Some(setting) if setting.is_off() => {
            let what = "any package may bring code past the registry";
            judge.says(&WEAK, &files.pnpm, setting, what);
        }
        Some(_) => {}
        None if client.since(11, 0) == Some(true) => {}
        None => {
            let since = " before 11: `blockExoticSubdeps` is not set";
            let what = by_default(
                client,
                since,
                "fetches what any package asks of git and other servers",
            );
            judge.lacks(&REMOTE_SOURCES, "pnpm-workspace.yaml", &what);
        }
    }
}

/// `approvedGitRepositories` since yarn 4.14, empty by default.
fn berry(judge: &mut Judge<'_>) {
    let (files, client) = (judge.files, judge.client);
    let all = |setting: &&Setting| matches!(setting.text(), Some("**" | "*"));
    let approved = files.yarnrc_yml.under(&["approvedGitRepositories"]);
    let approved: Vec<&Setting> = approved.collect();
    if let Some(setting) = approved.iter().copied().find(all) {
        judge.says(
            &WEAK,
            &files.yarnrc_yml,
            setting,
            "any package may bring code from any git repository",
        );
    } else if approved.is_empty() && client.since(4, 14) != Some(true) {
        let since = " before 4.14: `approvedGitRepositories` is not set";
        let what = by_default(client, since, "fetches what any package asks of git");
        judge.lacks(&REMOTE_SOURCES, ".yarnrc.yml", &what);
    }
}
