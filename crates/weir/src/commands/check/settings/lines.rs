//! What to write where a client's default leaves something open.

use weir_npm::lockfile::Format;

use super::{NO_AGE, REMOTE_SOURCES, SCRIPTS_RUN};
use crate::commands::check::Rule;

const AGE: &str = NO_AGE.id;
const SCRIPTS: &str = SCRIPTS_RUN.id;
const SOURCES: &str = REMOTE_SOURCES.id;

/// The line to write where a client's default leaves something open, and into which file.
pub(super) fn to_write(rule: &Rule, format: Format) -> &'static str {
    match (rule.id, format) {
        (AGE, Format::Npm) => {
            "write `min-release-age=1` (days; npm 11.10 and later) into .npmrc: most attacks are found within a day"
        }
        (AGE, Format::Pnpm) => {
            "write `minimumReleaseAge: 1440` (minutes; pnpm 10.16 and later) into pnpm-workspace.yaml: most attacks \
             are found within a day"
        }
        (AGE, Format::YarnClassic) => {
            "install through weir, whose policy has `age.minimum`, or take yarn 4.10 or later: most attacks are found \
             within a day"
        }
        (AGE, Format::YarnBerry) => {
            "write `npmMinimalAgeGate: 1440` (minutes; yarn 4.10 and later) into .yarnrc.yml: most attacks are found \
             within a day"
        }
        (AGE, Format::Bun) => {
            "write `minimumReleaseAge = 86400` (seconds; bun 1.3 and later) below `[install]` into bunfig.toml: most \
             attacks are found within a day"
        }
        (SCRIPTS, Format::Npm) => {
            "write `ignore-scripts=true` into .npmrc, and build what has to be with `npm rebuild <name> \
             --ignore-scripts=false`; or take npm 12 or later, where none runs that is not named"
        }
        (SCRIPTS, Format::Pnpm) => {
            "name those that may run in `\"pnpm\": {\"onlyBuiltDependencies\": []}` of package.json, or take pnpm 10 or \
             later, where none runs that is not named"
        }
        (SCRIPTS, Format::YarnClassic) => {
            "write `ignore-scripts true` into .yarnrc, and run what has to be built by hand"
        }
        (SCRIPTS, Format::YarnBerry) => {
            "write `enableScripts: false` into .yarnrc.yml, and name those that may run in package.json: \
             `\"dependenciesMeta\": {\"<name>\": {\"built\": true}}`"
        }
        (SCRIPTS, Format::Bun) => {
            "write `\"trustedDependencies\": []` into package.json, with the names of those that may run"
        }
        (SOURCES, Format::Pnpm) => {
            "write `blockExoticSubdeps: true` (pnpm 10.26 and later) into pnpm-workspace.yaml: then only the project \
             itself asks for what is no registry's"
        }
        (SOURCES, Format::YarnBerry) => {
            "write `approvedGitRepositories: []` (yarn 4.14 and later) into .yarnrc.yml, with the repositories that \
             are wanted"
        }
        (SOURCES, _) => {
            "write `allow-git=root` (npm 11.10 and later) and `allow-remote=root` (11.15 and later) into .npmrc: then \
             only the project itself asks for what is no registry's"
        }
        _ => {
            "write `trustPolicy: no-downgrade` (pnpm 10.21 and later) into pnpm-workspace.yaml: it refuses releases \
             with weaker evidence of their origin than before"
        }
    }
}
