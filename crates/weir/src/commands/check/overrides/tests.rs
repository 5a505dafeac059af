use super::super::tree::Tree;
use super::*;

const NPM: &str = r#"{"lockfileVersion": 3, "packages": {"": {}}}"#;
const BERRY: &str = "__metadata:\n  version: 8\n";
const CLASSIC: &str = "# yarn lockfile v1\n\n\n";
const PNPM: &str = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n";

/// What a project with this in its `package.json` wants.
fn overrides(file: &str, lock: &str, said: &str) -> Overrides {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(r#"{{"dependencies": {{"d": "^4.0.0"}}, {said}}}"#);
    std::fs::write(folder.path().join("package.json"), manifest).unwrap();
    let yaml = "overrides:\n  b: 2.0.0\n  'a>c': 3.0.0\n  'd@1': 4.0.0\n";
    std::fs::write(folder.path().join("pnpm-workspace.yaml"), yaml).unwrap();
    let tree = Tree::Folder(folder.path().to_owned());
    let lockfile = Lockfile::parse(file, lock.as_bytes()).unwrap();
    let manifests = Manifests::read(&tree, &lockfile).unwrap_or_else(|why| panic!("{why:?}"));
    Overrides::of(&manifests, &ClientFiles::read(&tree), &lockfile)
}

/// A package that asks, or the project of a name.
fn asker<'n>(by: Option<&'n str>, project: &'n str) -> Asker<'n> {
    by.map_or(Asker::Project(project), Asker::Package)
}

/// npm knows an alias by its alias, the others by what it stands for.
#[test]
fn an_alias_that_asks_is_known_as_its_client_knows_it() {
    let mut overrides = overrides("package-lock.json", NPM, r#""overrides": {}"#);
    let lock =
        r#"{"lockfileVersion": 3, "packages": {"": {}, "node_modules/al": {"name": "silt"}}}"#;
    let lock = Lockfile::parse("package-lock.json", lock.as_bytes()).unwrap();
    let silt = lock.nodes.iter().find(|it| it.name == "silt").unwrap();
    assert_eq!(overrides.asker(silt), "al");
    overrides.format = Format::Pnpm;
    assert_eq!(overrides.asker(silt), "silt");
}

/// As bun 1.4 does it: for the requests of that package alone, and `$name` written out.
#[test]
fn bun_sets_for_one_package_what_its_lockfile_has_too() {
    let said = r#""overrides": {"a": {"b": "2.0.0", "d": "$d"}, "c@1": {"e": "3.0.0"}, "f": {".": "4.0.0"}, "g": "5.0.0"}"#;
    let wanted = |table: &str| {
        let lock = format!(
            r#"{{"lockfileVersion": 3, "workspaces": {{"": {{}}}}, "overrides": {table}, "packages": {{}}}}"#
        );
        let overrides = overrides("bun.lock", &lock, said);
        let asked = [
            (Some("a"), "b"),
            (Some("x"), "b"),
            (Some("a"), "d"),
            (Some("c"), "e"),
            (None, "f"),
            (None, "g"),
        ];
        asked.map(
            |(by, name)| match overrides.wanted(asker(by, ""), name, "^1.0.0") {
                Wanted::AsAsked => "as asked".to_owned(),
                Wanted::Unclear => "unclear".to_owned(),
                Wanted::Instead(to) => to.to_owned(),
            },
        )
    };
    let whole = r#"{"a": {"b": "2.0.0", "d": "^4.0.0"}, "c@1": {"e": "3.0.0"}, "f": "4.0.0", "g": "5.0.0"}"#;
    assert_eq!(
        wanted(whole),
        ["2.0.0", "as asked", "^4.0.0", "unclear", "4.0.0", "5.0.0"]
    );
    assert_eq!(
        wanted(r#"{"g": "5.0.0"}"#),
        [
            "unclear", "as asked", "unclear", "unclear", "unclear", "5.0.0"
        ]
    );
}

/// As yarn 1.22 does it: what it sets for a package counts for the root that asks in the same words.
#[test]
fn yarn_1_sets_for_the_root_what_it_sets_for_others() {
    use Wanted::{AsAsked, Instead, Unclear};
    let folder = tempfile::tempdir().unwrap();
    let lock = "# yarn lockfile v1\n\n\na@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1.0.0\"\n\n\
                b@2.0.0, b@^1.0.0:\n  version \"2.0.0\"\n\nb@^1.1.0:\n  version \"1.1.0\"\n";
    for (key, asked, of_root, of_a) in [
        ("b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
        ("**/b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
        ("a/b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
        ("a/**/b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
        ("x/b", "^1.0.0", Unclear, Unclear),
        ("b", "^1.1.0", AsAsked, Instead("2.0.0")),
        ("a/b", "^1.1.0", AsAsked, Instead("2.0.0")),
    ] {
        let manifest = format!(
            r#"{{"dependencies": {{"a": "^1.0.0", "b": "{asked}"}}, "resolutions": {{"{key}": "2.0.0"}}}}"#
        );
        std::fs::write(folder.path().join("package.json"), manifest).unwrap();
        let tree = Tree::Folder(folder.path().to_owned());
        let mut lockfile = Lockfile::parse("yarn.lock", lock.as_bytes()).unwrap();
        let manifests = Manifests::read(&tree, &lockfile).unwrap_or_else(|why| panic!("{why:?}"));
        manifests.complete(&mut lockfile);
        let overrides = Overrides::of(&manifests, &ClientFiles::read(&tree), &lockfile);
        assert_eq!(
            overrides.wanted(asker(None, ""), "b", asked),
            of_root,
            "{key} {asked}"
        );
        assert_eq!(
            overrides.wanted(asker(Some("a"), ""), "b", "^1.0.0"),
            of_a,
            "{key} {asked}"
        );
    }
}

#[test]
fn what_is_wanted_is_told_where_it_is_plain() {
    use Wanted::{AsAsked, Instead, Unclear};
    let npm = r#""overrides": {"b": "2.0.0", "a": {"c": "3.0.0", "d": "$d", "e": {"f": "1"}}, "g@1": "2", "h": "*"}"#;
    let yarn = r#""resolutions": {"b": "2.0.0", "a/c": "3.0.0", "**/d": "4.0.0", "g@1": "2"}"#;
    for (file, lock, said, by, name, wanted) in [
        ("package-lock.json", NPM, npm, None, "b", Instead("2.0.0")),
        (
            "package-lock.json",
            NPM,
            npm,
            Some("x"),
            "b",
            Instead("2.0.0"),
        ),
        (
            "package-lock.json",
            NPM,
            npm,
            Some("a"),
            "c",
            Instead("3.0.0"),
        ),
        ("package-lock.json", NPM, npm, Some("x"), "c", Unclear),
        (
            "package-lock.json",
            NPM,
            npm,
            Some("a"),
            "d",
            Instead("^4.0.0"),
        ),
        ("package-lock.json", NPM, npm, Some("e"), "f", Unclear),
        // What is for others is not for the project.
        ("package-lock.json", NPM, npm, None, "a", AsAsked),
        ("package-lock.json", NPM, npm, None, "c", AsAsked),
        ("package-lock.json", NPM, npm, None, "e", AsAsked),
        ("package-lock.json", NPM, npm, None, "f", AsAsked),
        ("package-lock.json", NPM, yarn, None, "b", AsAsked),
        ("package-lock.json", NPM, npm, None, "g", Unclear),
        ("package-lock.json", NPM, npm, None, "h", Unclear),
        ("package-lock.json", NPM, npm, None, "i", AsAsked),
        ("yarn.lock", BERRY, yarn, None, "b", Instead("2.0.0")),
        ("yarn.lock", BERRY, yarn, Some("a"), "c", Instead("3.0.0")),
        ("yarn.lock", BERRY, yarn, Some("x"), "c", AsAsked),
        ("yarn.lock", BERRY, yarn, None, "c", AsAsked),
        ("yarn.lock", BERRY, npm, None, "b", AsAsked),
        ("yarn.lock", BERRY, yarn, None, "d", Unclear),
        ("yarn.lock", CLASSIC, yarn, None, "b", AsAsked),
        ("yarn.lock", CLASSIC, yarn, Some("x"), "b", Instead("2.0.0")),
        ("yarn.lock", CLASSIC, yarn, Some("x"), "d", Instead("4.0.0")),
        (
            "pnpm-lock.yaml",
            PNPM,
            r#""name": "x""#,
            None,
            "b",
            Instead("2.0.0"),
        ),
        (
            "pnpm-lock.yaml",
            PNPM,
            r#""name": "x""#,
            Some("a"),
            "c",
            Instead("3.0.0"),
        ),
        ("pnpm-lock.yaml", PNPM, r#""name": "x""#, None, "c", AsAsked),
        (
            "pnpm-lock.yaml",
            PNPM,
            r#""name": "a""#,
            None,
            "c",
            Instead("3.0.0"),
        ),
        ("pnpm-lock.yaml", PNPM, npm, Some("x"), "c", AsAsked),
        ("pnpm-lock.yaml", PNPM, npm, None, "h", AsAsked),
        ("pnpm-lock.yaml", PNPM, r#""name": "x""#, None, "d", Unclear),
    ] {
        let overrides = overrides(file, lock, said);
        let project = if said.contains(r#""name": "a""#) {
            "a"
        } else {
            "x"
        };
        let by = asker(by, project);
        assert_eq!(
            overrides.wanted(by, name, "^1.0.0"),
            wanted,
            "{file} {by:?} {name}"
        );
        let path = overrides.wanted(by, name, "file:x");
        assert!(!matches!(path, Instead(_)), "{file} {name}");
    }
}

/// For whose requests a key is: pnpm and yarn name one package above, whose versions and own may be limited.
#[test]
fn a_key_says_for_whom_it_is() {
    for (format, key, above, is_plain) in [
        (Format::Pnpm, "b", None, true),
        (Format::Pnpm, "b@>=1 <2", None, false),
        (Format::Pnpm, "a>b", Some("a"), true),
        (Format::Pnpm, "a@1>@s/b", Some("a"), false),
        (Format::Pnpm, "@s/a>b@>=2", Some("@s/a"), false),
        (Format::Pnpm, "a/b", None, false),
        (Format::YarnBerry, "a/b", Some("a"), true),
        (Format::YarnBerry, "a@npm:^1.0.0/b", Some("a"), false),
        (Format::YarnBerry, "b@npm:^1.0.0", None, false),
        (Format::YarnBerry, "**/b", None, false),
        (Format::YarnClassic, "**/b", None, true),
        (Format::YarnClassic, "a/**/b", Some("a"), true),
        (Format::YarnClassic, "c/a/b", None, false),
        (Format::Bun, "b@1", None, false),
    ] {
        let found = below(format, key, last_name(key));
        assert_eq!(
            found,
            (above.map(str::to_owned), is_plain),
            "{format:?} {key}"
        );
    }
}

/// Several of them for one package: the one that counts for who asks, if that is plain.
#[test]
fn of_several_the_one_that_counts_is_taken() {
    use Wanted::{AsAsked, Instead, Unclear};
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("package.json"), r#"{"name": "r"}"#).unwrap();
    for (keys, of_root, of_a, of_x) in [
        (
            "b: 1.0.0\n  a>b: 2.0.0",
            Instead("1.0.0"),
            Unclear,
            Instead("1.0.0"),
        ),
        (
            "a>b: 2.0.0\n  x>b: 3.0.0",
            AsAsked,
            Instead("2.0.0"),
            Instead("3.0.0"),
        ),
        (
            "a@1>b: 2.0.0\n  x>b: 3.0.0",
            AsAsked,
            Unclear,
            Instead("3.0.0"),
        ),
        ("b@<1 || >2: 2.0.0\n  x>b: 3.0.0", Unclear, Unclear, Unclear),
    ] {
        let yaml = format!("overrides:\n  {keys}\n");
        std::fs::write(folder.path().join("pnpm-workspace.yaml"), yaml).unwrap();
        let tree = Tree::Folder(folder.path().to_owned());
        let lockfile = Lockfile::parse("pnpm-lock.yaml", PNPM.as_bytes()).unwrap();
        let manifests = Manifests::read(&tree, &lockfile).unwrap_or_else(|why| panic!("{why:?}"));
        let overrides = Overrides::of(&manifests, &ClientFiles::read(&tree), &lockfile);
        let wanted = |by| overrides.wanted(asker(by, "r"), "b", "^1.0.0");
        let found = [wanted(None), wanted(Some("a")), wanted(Some("x"))];
        assert_eq!(found, [of_root, of_a, of_x], "{keys}");
    }
}

/// A key may name a workspace: yarn 2 and later, and pnpm, set what that one asks for, and not what others do.
#[test]
fn a_key_may_name_a_project() {
    let yarn = r#""name": "r", "resolutions": {"a/c": "3.0.0"}"#;
    let npm = r#""name": "a", "overrides": {"a": {"c": "3.0.0"}}"#;
    for (file, lock, said, project, wanted) in [
        ("yarn.lock", BERRY, yarn, "a", Wanted::Instead("3.0.0")),
        ("yarn.lock", BERRY, yarn, "r", Wanted::AsAsked),
        ("pnpm-lock.yaml", PNPM, npm, "a", Wanted::Instead("3.0.0")),
        ("pnpm-lock.yaml", PNPM, npm, "r", Wanted::AsAsked),
        // npm's count for everything below as well, other workspaces among it.
        ("package-lock.json", NPM, npm, "a", Wanted::Unclear),
        ("package-lock.json", NPM, npm, "r", Wanted::Unclear),
        ("package-lock.json", NPM, yarn, "a", Wanted::AsAsked),
    ] {
        let overrides = overrides(file, lock, said);
        let found = overrides.wanted(Asker::Project(project), "c", "^1.0.0");
        assert_eq!(found, wanted, "{file} {said} {project}");
    }
}

/// yarn 1 asks for everything on behalf of one project then.
#[test]
fn yarn_1_sets_for_the_root_too_where_there_are_workspaces() {
    for (said, wanted) in [
        (r#""resolutions": {"d": "5.0.0"}"#, Wanted::AsAsked),
        (
            r#""workspaces": ["w"], "resolutions": {"d": "5.0.0"}"#,
            Wanted::Instead("5.0.0"),
        ),
    ] {
        let overrides = overrides("yarn.lock", CLASSIC, said);
        let found = overrides.wanted(Asker::Project(""), "d", "^4.0.0");
        assert_eq!(found, wanted, "{said}");
    }
}
