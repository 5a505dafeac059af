use weir_npm::lockfile::Lockfile;
use weir_npm::spec::classify;

use super::*;

const PIN: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "76543210fedcba9876543210fedcba9876543210";

/// Whether npm's entry with this address is another than what is asked for.
fn is_other(asked: &str, resolved: &str) -> bool {
    let written = |text: &str| text.replace("PIN", PIN).replace("OTHER", OTHER);
    let (asked, resolved) = (written(asked), written(resolved));
    let text = format!(
        r#"{{"lockfileVersion": 3, "packages": {{"node_modules/silt": {{"version": "1.0.0", "resolved": "{resolved}"}}}}}}"#
    );
    let lockfile = Lockfile::parse("package-lock.json", text.as_bytes()).unwrap();
    is_another(
        Format::Npm,
        &classify("silt", &asked),
        lockfile.node(0).unwrap(),
    )
}

#[test]
fn a_repository_is_the_one_that_is_asked_for() {
    let hub = "git+ssh://git@github.com/river/silt.git#PIN";
    for (asked, resolved, wanted) in [
        ("github:river/silt", hub, false),
        ("River/Silt", hub, false),
        ("git://github.com/river/silt.git", hub, false),
        ("git+https://a:b@GitHub.com/river/silt", hub, false),
        ("git+ssh://git@github.com:22/river/silt.git", hub, false),
        ("https://www.github.com/river/silt/tree/main", hub, false),
        ("git@github.com:river/silt.git", hub, false),
        ("github:river/silt#main", hub, false),
        ("github:river/silt#semver:^1.0.0", hub, false),
        ("github:evil/silt", hub, true),
        ("gitlab:river/silt", hub, true),
        ("github:river/silty", hub, true),
        (
            "github:river/silt#semver:^1.0.0",
            "git+ssh://git@github.com/evil/silt.git#PIN",
            true,
        ),
        (
            "git+ssh://git@host.invalid/a/silt",
            "git+https://host.invalid/a/silt.git#PIN",
            false,
        ),
        (
            "git+ssh://git@host.invalid/a/silt",
            "git+https://host.invalid/A/silt.git#PIN",
            true,
        ),
        (
            "git+https://host.invalid:8443/a/silt",
            "git+https://host.invalid/a/silt.git#PIN",
            true,
        ),
        (
            "github:river/silt",
            "git+https://github.com@evil.invalid/river/silt.git#PIN",
            true,
        ),
        (
            "github:river/silt",
            "git+https://github.com/river/silt/../../evil/silt#PIN",
            true,
        ),
        (
            "github:river/silt",
            "https://registry.example.invalid/silt/-/silt-1.0.0.tgz",
            true,
        ),
        (
            "github:river/silt",
            "https://codeload.github.com/river/silt/tar.gz/PIN",
            false,
        ),
        (
            "github:river/silt",
            "https://codeload.github.com/evil/silt/tar.gz/PIN",
            true,
        ),
        (
            "gitlab:a/b/silt",
            "https://gitlab.com/a/b/silt/-/archive/PIN/silt-PIN.tar.gz",
            false,
        ),
        (
            "gitlab:a/silt",
            "https://gitlab.com/api/v4/projects/a%2Fsilt/repository/archive.tar.gz?ref=PIN",
            false,
        ),
        (
            "git+https://host.invalid/a/silt.git",
            "https://host.invalid/a/silt/x.tgz",
            false,
        ),
        (
            "git+https://host.invalid/a/silt.git",
            "https://host.invalid/api/a%2Fsilt/x.tgz",
            false,
        ),
        (
            "git+https://host.invalid/a/silt.git",
            "https://host.invalid/evil/silt/x.tgz",
            true,
        ),
        (
            "git+https://host.invalid/a/silt.git",
            "https://host.invalid/a/silt/../../evil/silt.tgz",
            true,
        ),
        (
            "bitbucket:a/silt",
            "https://bitbucket.org/a/silt/get/PIN.tar.gz",
            false,
        ),
        (
            "gist:0123abc",
            "https://codeload.github.com/gist/0123abc/tar.gz/PIN",
            false,
        ),
        (
            "github:river/silt",
            "git+ssh://git@github.com/river/silt/evil.git#PIN",
            true,
        ),
        (
            "git+https://host.invalid/a/silt.git",
            "git+http://host.invalid/a/silt.git#PIN",
            true,
        ),
        (
            "git+http://host.invalid/a/silt.git",
            "git+http://host.invalid/a/silt.git#PIN",
            false,
        ),
        (
            "git+https://host.invalid/a/silt.git",
            "git+file://host.invalid/a/silt.git#PIN",
            true,
        ),
        (
            "github:river/silt",
            "git://github.com/river/silt.git#PIN",
            false,
        ),
        (
            "git+https://host.invalid/a/silt.git",
            "git://host.invalid/a/silt.git#PIN",
            true,
        ),
    ] {
        assert_eq!(is_other(asked, resolved), wanted, "{asked} {resolved}");
    }
}

/// Archives of no form that is known.
#[test]
fn an_archive_lies_in_the_repository_and_names_the_commit() {
    let asked = "git+https://host.invalid/a/silt.git";
    for (resolved, of_any, of_pin) in [
        ("https://host.invalid/a/silt/x.tgz", false, true),
        ("https://host.invalid/a/silt/PIN.tgz", false, false),
        ("https://host.invalid/a/silt/x.tgz?at=PIN", false, false),
        ("https://host.invalid/api/v1/a%2Fsilt/PIN.tgz", false, false),
        ("https://host.invalid/evil/a/silt/PIN.tgz", true, true),
        ("https://host.invalid/evil/PIN.tgz?/a/silt/", true, true),
        ("https://host.invalid/a/silt.tgz?PIN", true, true),
    ] {
        assert_eq!(is_other(asked, resolved), of_any, "{resolved}");
        let pinned = format!("{asked}#PIN");
        assert_eq!(is_other(&pinned, resolved), of_pin, "{resolved}");
    }
    // What anybody may put there, and a branch of anybody's.
    for resolved in [
        "https://github.com/river/silt/raw/evil/PIN.tgz",
        "https://github.com/river/silt/releases/download/v1/PIN.tgz",
    ] {
        assert!(is_other("github:river/silt", resolved), "{resolved}");
    }
}

#[test]
fn pnpm_may_write_where_an_address_leads_on_the_same_host() {
    let asked = "https://files.invalid/u/silt";
    for (resolved, wanted) in [
        ("https://files.invalid/u/silt", false),
        ("https://files.invalid/immutable/silt", false),
        ("http://files.invalid/immutable/silt", true),
        ("https://files.invalid:8443/immutable/silt", true),
        ("git+https://files.invalid/immutable/silt", true),
        ("https://evil.invalid/u/silt", true),
    ] {
        let resolution = match resolved.strip_prefix("git+") {
            Some(url) => format!("{{type: git, repo: '{url}', commit: {PIN}}}"),
            None => format!("{{tarball: {resolved}}}"),
        };
        let text = format!(
            "lockfileVersion: '9.0'\npackages:\n  'silt@{resolved}':\n    resolution: {resolution}\n\
             snapshots:\n  'silt@{resolved}': {{}}\n"
        );
        let lockfile = Lockfile::parse("pnpm-lock.yaml", text.as_bytes()).unwrap();
        let node = lockfile.nodes.iter().find(|it| it.name == "silt").unwrap();
        let asked = classify("silt", asked);
        assert_eq!(is_another(Format::Pnpm, &asked, node), wanted, "{resolved}");
    }
}

#[test]
fn a_commit_is_the_one_that_is_asked_for() {
    let hub = "git+ssh://git@github.com/river/silt.git#PIN";
    let load = "https://codeload.github.com/river/silt/tar.gz/PIN";
    for (asked, resolved, wanted) in [
        ("github:river/silt#PIN", hub, false),
        ("github:river/silt#OTHER", hub, true),
        ("git+https://github.com/river/silt.git#OTHER", hub, true),
        ("github:river/silt#PIN", load, false),
        ("github:river/silt#OTHER", load, true),
        ("github:river/silt#0123456789AB", hub, false),
        ("github:river/silt#76543210fe", hub, true),
        ("github:river/silt#commit=PIN", hub, false),
        ("github:river/silt#commit=OTHER&workspace=silt", hub, true),
        ("github:river/silt#OTHER&path:/silt", hub, true),
        ("github:river/silt#OTHER::path:silt", hub, true),
        // bun shortens them.
        (
            "github:river/silt#PIN",
            "git+ssh://git@github.com/river/silt.git#0123456",
            false,
        ),
        (
            "github:river/silt#PIN",
            "git+ssh://git@github.com/river/silt.git#main",
            true,
        ),
        (
            "github:river/silt#PIN",
            "git+ssh://git@github.com/river/silt.git",
            true,
        ),
        (
            "github:river/silt#PIN",
            "https://codeload.github.com/river/silt/tar.gz/refs/heads/PIN",
            true,
        ),
        // A date, a word, a tag: not surely a commit.
        ("github:river/silt#20240102", hub, false),
        ("github:river/silt#defaced", hub, false),
        ("github:river/silt#v1.0.0", hub, false),
        ("github:river/silt#head=abc1234", hub, false),
    ] {
        assert_eq!(is_other(asked, resolved), wanted, "{asked} {resolved}");
    }
}

#[test]
fn an_archive_is_the_one_that_is_asked_for() {
    let a = "https://files.example.invalid/a.tgz";
    for (asked, resolved, wanted) in [
        (a, a, false),
        (a, "https://FILES.example.invalid:443/a.tgz#0123abc", false),
        (a, "https://files.example.invalid/b.tgz", true),
        (a, "https://files.example.invalid/a.tgz?v=2", true),
        (a, "http://files.example.invalid/a.tgz", true),
        (a, "https://evil.example.invalid/a.tgz", true),
        (
            a,
            "https://registry.example.invalid/silt/-/silt-1.0.0.tgz",
            true,
        ),
        (a, "git+ssh://git@github.com/river/silt.git#PIN", true),
        (
            "https://github.com/river/silt/archive/refs/tags/v1.tar.gz",
            "https://codeload.github.com/river/silt/tar.gz/refs/tags/v1",
            false,
        ),
        (
            "https://github.com/river/silt/archive/PIN.tar.gz",
            "https://codeload.github.com/river/silt/tar.gz/OTHER",
            true,
        ),
        (
            "https://github.com/river/silt/archive/refs/tags/v1.tar.gz",
            "https://codeload.github.com/river/silt/tar.gz/refs/heads/v1",
            true,
        ),
        (
            "https://github.com/river/silt/archive/refs/tags/v1.tar.gz",
            "https://codeload.github.com/river/silt/tar.gz/v1",
            false,
        ),
        // The query is dropped, and none comes from nowhere.
        ("https://files.example.invalid/a.tgz?x=1", a, false),
        (a, "https://www.files.example.invalid/a.tgz", true),
        (a, "https://files.example.invalid:80/a.tgz", true),
        ("^1.0.0", a, false),
        ("file:x", a, false),
    ] {
        assert_eq!(is_other(asked, resolved), wanted, "{asked} {resolved}");
    }
}
