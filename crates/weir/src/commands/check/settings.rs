//! What the project's own settings leave open, for the client that its lockfile is for. Defaults differ by
//! version; where the project does not say which one it uses, the older ones are assumed and said so.
//!
//! Which version brought what: npm's, pnpm's and bun's documentation; yarn's `yarn config get` in 4.12,
//! 4.14, 4.15 and 4.16.

mod ages;
mod lines;
mod sources;
mod transport;

use std::path::Path;

use weir_model::json::v1::{CheckFinding, CheckLevel};
use weir_npm::lockfile::Format;
use weir_npm::settings::Setting;

use super::client::{Client, ClientFiles, File, shown};
use super::{Findings, Rule, Run, about_file};
use crate::cli::Global;
use crate::setup;

/// The rules about defaults. What to do is said client by client, by [`lines::to_write`].
const NO_AGE: Rule = Rule {
    id: "no-release-age",
    level: CheckLevel::Note,
    todo: "take a version of the client that knows the setting: most attacks are found within a day",
};
const SCRIPTS_RUN: Rule = Rule {
    id: "scripts-run",
    level: CheckLevel::Note,
    todo: "",
};
const REMOTE_SOURCES: Rule = Rule {
    id: "remote-sources",
    level: CheckLevel::Note,
    todo: "",
};
const NO_TRUST_POLICY: Rule = Rule {
    id: "no-trust-policy",
    level: CheckLevel::Note,
    todo: "",
};
const WEAK: Rule = Rule {
    id: "weak-setting",
    level: CheckLevel::Warning,
    todo: "take the setting out, or say in a comment beside it why it is needed",
};
const TLS_OFF: Rule = Rule {
    id: "tls-off",
    level: CheckLevel::Error,
    todo: "take the setting out, and name the certificate authority instead if one of your own is in use",
};
const PLAIN_REGISTRY: Rule = Rule {
    id: "plain-registry",
    level: CheckLevel::Error,
    todo: "use https: whoever is on the way can answer in the registry's place",
};
pub(super) const CREDENTIAL: Rule = Rule {
    id: "credential-in-project",
    level: CheckLevel::Warning,
    todo: "revoke it, and put a variable like ${NPM_TOKEN} in its place",
};
const NOT_FOLLOWED: Rule = Rule {
    id: "connection-setting",
    level: CheckLevel::Warning,
    todo: "make sure that this is wanted, and say it in your own .npmrc or in the environment: it leads requests, and \
           what they show, to whom it names",
};
const UNREADABLE_SETTINGS: Rule = Rule {
    id: "unreadable-settings",
    level: CheckLevel::Warning,
    todo: "could not be checked: put the file right",
};

/// The same of npm's own settings, whoever's they are: which registries there are is not known without them,
/// so neither addresses nor digests could be checked.
const UNREADABLE_REGISTRIES: Rule = Rule {
    level: CheckLevel::Error,
    todo: "could not be checked: put the file right, it says where packages come from",
    ..UNREADABLE_SETTINGS
};

/// What keeps npm's settings from being read in a folder.
pub(super) fn unread(global: &Global, folder: &Path) -> Option<CheckFinding> {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let (file, why) = setup::unreadable_settings(global, &whole)?;
    let is_own = file == whole.join(".npmrc");
    let file = if is_own { folder.join(".npmrc") } else { file };
    Some(about_file(&UNREADABLE_REGISTRIES, &file, 1, &why))
}

/// Settings of the project's own `.npmrc` that do not count where registries are asked: whoever proposes a change
/// could have requests go through a proxy of theirs, or believe whoever they like. Nothing where nobody is asked.
pub(super) fn ignored(run: &Run<'_>) -> Vec<CheckFinding> {
    let options = run.options;
    if options.offline {
        return Vec::new();
    }
    let whole = std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
    let before = run.npmrc_before.as_deref();
    let ignored = setup::ignored_settings(run.global, &whole, before);
    if ignored.is_empty() {
        return Vec::new();
    }
    let files = ClientFiles::read(&run.tree);
    let told = ignored.into_iter().map(|(key, place)| {
        let is_own = place == whole.join(".npmrc");
        let setting = files.npmrc.get(&[&key]).filter(|_| is_own);
        let line = setting.map_or(1, |it| it.line);
        let file = match is_own {
            true => options.folder.join(".npmrc"),
            false => place,
        };
        let what = format!("`{key}` was not followed: only the project itself says it");
        about_file(&NOT_FOLLOWED, &file, line, &what)
    });
    told.collect()
}

/// Whether a rule is about what the clients do where nothing is set: told of the file it belongs into, or of another
/// while that is not there.
pub(super) fn is_of_defaults(rule: &str) -> bool {
    [NO_AGE, SCRIPTS_RUN, REMOTE_SOURCES, NO_TRUST_POLICY]
        .iter()
        .any(|it| it.id == rule)
}

/// Whether a finding was told already: with another lockfile, or as a worse one of the same file.
pub(super) fn is_told(told: &[CheckFinding], finding: &CheckFinding) -> bool {
    let is_worse = |it: &CheckFinding| {
        it.rule == UNREADABLE_REGISTRIES.id
            && it.level == UNREADABLE_REGISTRIES.level
            && (it.rule, it.file.as_str()) == (finding.rule, finding.file.as_str())
    };
    told.iter().any(|it| it == finding || is_worse(it))
}

/// Where findings about settings go, and what they are about.
struct Judge<'a> {
    findings: &'a mut Findings,
    files: &'a ClientFiles,
    client: Client,
}

pub(super) fn check(findings: &mut Findings, files: &ClientFiles, client: Client) {
    for (file, line, why) in &files.broken {
        findings.about(file, &UNREADABLE_SETTINGS, *line, why);
    }
    let mut judge = Judge {
        findings,
        files,
        client,
    };
    ages::check(&mut judge);
    scripts(&mut judge);
    sources::check(&mut judge);
    transport::check(&mut judge);
    weak(&mut judge);
}

impl Judge<'_> {
    /// A setting that says too much, where it says it.
    fn says(&mut self, rule: &Rule, file: &File, setting: &Setting, what: &str) {
        let name = file.name.unwrap_or("package.json");
        let what = format!("`{}`: {what}", shown(setting));
        self.findings.about(name, rule, setting.line, &what);
    }

    /// A setting that is not there, in the file it belongs into. Where there is no such file either, it is told of the
    /// manifest, without which nothing is checked: code hosts show nothing beside the lines of a file that is not there.
    fn lacks(&mut self, rule: &Rule, file: &str, what: &str) {
        let rule = Rule {
            todo: lines::to_write(rule, self.client.format),
            ..*rule
        };
        let is_there = self.files.has(file);
        let file = if is_there { file } else { "package.json" };
        self.findings.about(file, &rule, 1, what);
    }
}

/// A sentence about a default, with whose it is.
fn by_default(client: Client, since: &str, what: &str) -> String {
    format!("{} {what}{since}", client.label())
}

/// Whether install scripts of dependencies run without having been named.
fn scripts(judge: &mut Judge<'_>) {
    let (files, client) = (judge.files, judge.client);
    match client.format {
        Format::Npm => {
            let off =
                on(&files.npmrc, "ignore-scripts") || on(&files.npmrc, "strict-allow-scripts");
            if !off && client.since(12, 0) != Some(true) {
                let what = by_default(
                    client,
                    ": `ignore-scripts` is not set, and `allowScripts` counts from npm 12 on",
                    "runs every package's install scripts",
                );
                judge.lacks(&SCRIPTS_RUN, ".npmrc", &what);
            }
            for key in ["dangerously-allow-all-scripts", "unsafe-perm"] {
                if let Some(setting) = files.npmrc.get(&[key]).filter(|it| it.is_on()) {
                    judge.says(
                        &WEAK,
                        &files.npmrc,
                        setting,
                        "install scripts get more than they need",
                    );
                }
            }
        }
        Format::Pnpm => pnpm_scripts(judge),
        Format::YarnClassic => {
            let off = on(&files.npmrc, "ignore-scripts")
                || on(&files.yarnrc, "ignore-scripts")
                || on(&files.yarnrc, "--install.ignore-scripts");
            if !off {
                let what =
                    "yarn 1 runs every package's install scripts: `ignore-scripts` is not set";
                judge.lacks(&SCRIPTS_RUN, ".yarnrc", what);
            }
        }
        Format::YarnBerry => match files.yarnrc_yml.get(&["enableScripts"]) {
            Some(setting) if setting.is_on() => {
                judge.says(
                    &WEAK,
                    &files.yarnrc_yml,
                    setting,
                    "every package's install scripts run",
                );
            }
            Some(_) => {}
            None if client.since(4, 14) == Some(true) => {}
            None => {
                let what = by_default(
                    client,
                    " before 4.14: `enableScripts` is not set",
                    "runs every package's install scripts",
                );
                judge.lacks(&SCRIPTS_RUN, ".yarnrc.yml", &what);
            }
        },
        Format::Bun => {
            let named = files
                .package
                .under(&["trustedDependencies"])
                .next()
                .is_some();
            if !named && !is_on(files.bunfig.get(&["install", "ignoreScripts"])) {
                let what = "bun runs the install scripts of packages on a list of its own: there is no \
                    `trustedDependencies`, which would replace it";
                judge.lacks(&SCRIPTS_RUN, "package.json", what);
            }
        }
    }
}

fn pnpm_scripts(judge: &mut Judge<'_>) {
    let (files, client) = (judge.files, judge.client);
    if let Some(setting) = files
        .pnpm
        .get(&["dangerouslyAllowAllBuilds"])
        .filter(|it| it.is_on())
    {
        judge.says(
            &WEAK,
            &files.pnpm,
            setting,
            "every package's install scripts run",
        );
        return;
    }
    if let Some(setting) = files
        .pnpm
        .get(&["strictDepBuilds"])
        .filter(|it| it.is_off())
    {
        judge.says(
            &WEAK,
            &files.pnpm,
            setting,
            "an install goes through although scripts did not run",
        );
    }
    let off = on(&files.npmrc, "ignore-scripts") || is_on(files.pnpm.get(&["ignoreScripts"]));
    let named = files
        .pnpm
        .under(&["onlyBuiltDependencies"])
        .next()
        .is_some()
        || files.pnpm.under(&["allowBuilds"]).next().is_some()
        || files
            .package
            .under(&["pnpm", "onlyBuiltDependencies"])
            .next()
            .is_some();
    if !off && !named && client.since(10, 0) != Some(true) {
        let what = by_default(
            client,
            " before 10: nothing names those that may",
            "runs every package's install scripts",
        );
        judge.lacks(&SCRIPTS_RUN, "pnpm-workspace.yaml", &what);
    }
}

/// A setting, when it is weak, and what it does then.
type Weakness<'f> = (&'f File, &'static str, fn(&Setting) -> bool, &'static str);

/// Settings that are there and take a protection away.
fn weak(judge: &mut Judge<'_>) {
    let files = judge.files;
    let keys: [Weakness<'_>; 8] = [
        (
            &files.npmrc,
            "package-lock",
            Setting::is_off,
            "no lockfile is read or written",
        ),
        (
            &files.npmrc,
            "lockfile",
            Setting::is_off,
            "no lockfile is read or written",
        ),
        (
            &files.npmrc,
            "verify-store-integrity",
            Setting::is_off,
            "files in the store are not compared with their digests",
        ),
        (
            &files.npmrc,
            "always-auth",
            Setting::is_on,
            "the token goes along with every request",
        ),
        (
            &files.pnpm,
            "verifyStoreIntegrity",
            Setting::is_off,
            "files in the store are not compared with their digests",
        ),
        (
            &files.pnpm,
            "lockfile",
            Setting::is_off,
            "no lockfile is read or written",
        ),
        (
            &files.yarnrc_yml,
            "enableHardenedMode",
            Setting::is_off,
            "lockfiles of pull requests are not checked",
        ),
        (
            &files.yarnrc_yml,
            "enableImmutableInstalls",
            Setting::is_off,
            "installs in CI may change the lockfile",
        ),
    ];
    for (file, key, is_weak, what) in keys {
        if let Some(setting) = file.get(&[key]).filter(|it| is_weak(it)) {
            judge.says(&WEAK, file, setting, what);
        }
    }
    if let Some(setting) = files.yarnrc_yml.get(&["checksumBehavior"])
        && matches!(setting.text(), Some("ignore" | "update" | "reset"))
    {
        let what = "what was downloaded need not match the lockfile";
        judge.says(&WEAK, &files.yarnrc_yml, setting, what);
    }
    for setting in files.npmrc.iter() {
        let [key] = setting.key.as_slice() else {
            continue;
        };
        let secret = [":_authToken", ":_password", ":_auth"]
            .iter()
            .any(|it| key.ends_with(it));
        if secret && setting.text().is_some_and(|text| !text.contains("${")) {
            // The value stays out of every report.
            let what = format!("`{key}` holds a credential, written out");
            judge
                .findings
                .about(".npmrc", &CREDENTIAL, setting.line, &what);
        }
    }
}

fn on(file: &File, key: &str) -> bool {
    is_on(file.get(&[key]))
}

fn is_on(setting: Option<&Setting>) -> bool {
    setting.is_some_and(Setting::is_on)
}
