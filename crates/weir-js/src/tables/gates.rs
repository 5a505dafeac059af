//! Words in a condition that say what it waits for.

use weir_model::contents::GateKind;

/// A word, what a condition with it asks, and why.
pub(crate) struct Row {
    /// A whole identifier or member name.
    pub(crate) word: &'static str,
    /// What it asks.
    pub(crate) kind: GateKind,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn row(word: &'static str, kind: GateKind, reason: &'static str) -> Row {
    Row { word, kind, reason }
}

use GateKind::{Browser, Ci, Locale, Platform, Target, Time};

/// The table.
pub(crate) const WORDS: &[Row] = &[
    row("CI", Ci, "set by every CI service"),
    row("isCI", Ci, "answer of ci-info and its relatives"),
    row("CONTINUOUS_INTEGRATION", Ci, "set by several CI services"),
    row("GITHUB_ACTIONS", Ci, "set by GitHub"),
    row("GITLAB_CI", Ci, "set by GitLab"),
    row("JENKINS_URL", Ci, "set by Jenkins"),
    row("TRAVIS", Ci, "set by Travis"),
    row("CIRCLECI", Ci, "set by CircleCI"),
    row("BUILDKITE", Ci, "set by Buildkite"),
    row("TF_BUILD", Ci, "set by Azure Pipelines"),
    row("CODEBUILD_BUILD_ID", Ci, "set by AWS CodeBuild"),
    row("BITBUCKET_BUILD_NUMBER", Ci, "set by Bitbucket"),
    row("RUNNER_OS", Ci, "set by GitHub's runners"),
    row("RUNNER_ENVIRONMENT", Ci, "set by GitHub's runners"),
    row("LANG", Locale, "language of the user"),
    row("LANGUAGE", Locale, "language of the user"),
    row("LC_ALL", Locale, "language of the user"),
    row("LC_MESSAGES", Locale, "language of the user"),
    row("timeZone", Locale, "where the user is"),
    row("getTimezoneOffset", Locale, "where the user is"),
    row("resolvedOptions", Locale, "where the user is"),
    row("languages", Locale, "languages of the browser"),
    row(
        "country_name",
        Locale,
        "answer of services that place addresses",
    ),
    row(
        "countryCode",
        Locale,
        "answer of services that place addresses",
    ),
    row("Date", Time, "what day or hour it is"),
    row("getTime", Time, "what day or hour it is"),
    row("getHours", Time, "what hour it is"),
    row("getDay", Time, "what day it is"),
    row("getMonth", Time, "what month it is"),
    row("getFullYear", Time, "what year it is"),
    row("getUTCHours", Time, "what hour it is"),
    row("uptime", Time, "for how long the machine runs"),
    row("npm_package_name", Target, "which project installs"),
    row(
        "npm_package_description",
        Target,
        "which project installs; a wallet was singled out so",
    ),
    row("npm_config_registry", Target, "from where it installs"),
    row("INIT_CWD", Target, "in which folder it installs"),
    row("GITHUB_REPOSITORY", Target, "which repository builds"),
    row("GITHUB_REPOSITORY_OWNER", Target, "whose repository builds"),
    row("hostname", Target, "which machine or site"),
    row("username", Target, "which user"),
    row("userInfo", Target, "which user"),
    row("USERNAME", Target, "which user"),
    row("USERDOMAIN", Target, "which company"),
    row("window", Browser, "exists in browsers only"),
    row("document", Browser, "exists in browsers only"),
    row("navigator", Browser, "exists in browsers first of all"),
    row("localStorage", Browser, "exists in browsers only"),
    row("platform", Platform, "which system"),
    row("arch", Platform, "which processor"),
    row("win32", Platform, "which system"),
    row("darwin", Platform, "which system"),
];

/// What a condition with this text asks, each kind once.
pub(crate) fn kinds(text: &str) -> Vec<GateKind> {
    let mut found = Vec::new();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
    for word in words.take(400) {
        if let Some(row) = WORDS.iter().find(|row| row.word == word)
            && !found.contains(&row.kind)
        {
            found.push(row.kind);
        }
    }
    found
}
