use super::*;

/// What leads past in a folder with these files, each with its file.
fn past(client: Client, files: &[(&str, &str)]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(client.bypassing(folder.path(), Doing::Installs), []);
    for (file, text) in files {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let past = client.bypassing(folder.path(), Doing::Installs);
    let words = |past: Past| {
        let what = match past.what {
            Leads::Entries(count) => count.to_string(),
            Leads::Unread(_) => "unread".to_owned(),
            other => format!("{other:?}"),
        };
        (past.file.display().to_string(), what)
    };
    past.into_iter().map(words).collect()
}

fn assert_leads(client: Client, file: &str, text: &str, expected: &str) {
    let found = past(client, &[(file, text)]);
    let found: Vec<(&str, &str)> = found.iter().map(|(it, what)| (&**it, &**what)).collect();
    if expected.is_empty() {
        assert_eq!(found, [], "{client:?} {text}");
    } else {
        assert_eq!(found, [(file, expected)], "{client:?} {text}");
    }
}

const YARN: &str = "a@^1:\n  version \"1.0.0\"\n  resolved \"https://registry.example.invalid/a/-/a-1.0.0.tgz#x\"\n";

#[test]
fn entries_of_yarn_1_are_counted_unless_they_are_pointed_at_the_gateway() {
    assert_leads(Client::Yarn, "yarn.lock", YARN, "1");
    assert_leads(Client::Npm, "yarn.lock", YARN, "");
    // yarn 1 may be the one that runs where settings of a later one are.
    let files = [("yarn.lock", YARN), (".yarnrc.yml", "")];
    assert_eq!(past(Client::Yarn, &files).len(), 1);
    // One that is pointed at the gateway counts where it is not.
    let folder = tempfile::tempdir().unwrap();
    let pointed = YARN.replace("#x", "#0123456789abcdef0123456789abcdef01234567");
    std::fs::write(folder.path().join("yarn.lock"), pointed).unwrap();
    for (doing, counts) in [
        (Doing::Installs, false),
        (Doing::Fetches, true),
        (Doing::Runs, true),
    ] {
        let past = Client::Yarn.bypassing(folder.path(), doing);
        assert_eq!(!past.is_empty(), counts, "{doing:?}");
    }
}

#[test]
fn archives_that_later_yarns_are_bound_to_are_counted() {
    let lock = |resolution: &str| {
        format!(
            "__metadata:\n  version: 8\n\n\"left@npm:^1.0.0\":\n  version: 1.1.0\n  resolution: \"{resolution}\"\n  \
             languageName: node\n  linkType: hard\n"
        )
    };
    const BOUND: &str = "__archiveUrl=http%3A%2F%2Fregistry.example.invalid%2Fleft.tgz";
    let encoded = BOUND.replace('%', "%25").replace('=', "%3D");
    for (resolution, expected) in [
        ("left@npm:1.1.0".to_owned(), ""),
        (format!("left@npm:1.1.0::{BOUND}"), "1"),
        (
            "left@patch:left@npm%3A1.1.0#./a.patch::version=1.1.0&hash=1c".to_owned(),
            "",
        ),
        (
            format!("left@patch:left@npm%3A1.1.0%3A%3A{encoded}#./a.patch::version=1.1.0&hash=1c"),
            "1",
        ),
        // Spelled otherwise than yarn does it, the name is read all the same.
        (
            format!("left@npm:1.1.0::{}", BOUND.replace("Url", "%55rl")),
            "unread",
        ),
    ] {
        assert_leads(Client::Yarn, "yarn.lock", &lock(&resolution), expected);
    }
    // What cannot be read, and has no such word, has no address.
    let odd = lock("left@npm:1.1.0").replace("version: 8", "version: x");
    assert_leads(Client::Yarn, "yarn.lock", &odd, "");
    let escaped = odd.replace("left@npm:1.1.0", "left@npm:1.1.0::__archive\\u0055rl=x");
    assert_leads(Client::Yarn, "yarn.lock", &escaped, "unread");
}

#[test]
fn addresses_in_buns_lockfile_are_counted_however_they_are_spelled() {
    let lock = |address: &str| {
        format!(
            "{{\"lockfileVersion\": 2, \"workspaces\": {{\"\": {{\"name\": \"p\", \"dependencies\": {{\"left\": \"1\"}}}}}},\n\
             \"packages\": {{\"left\": [\"left@1.1.0\",{address}, {{\"dependencies\": {{\"http-x\": \"1\"}}}}, \"sha512-x\"],}}}}"
        )
    };
    const ADDRESS: &str = "http://registry.example.invalid/left/-/left-1.1.0.tgz";
    let escaped = ADDRESS.replacen('h', "\\u0068", 1);
    for (address, expected) in [
        (" \"\"".to_owned(), ""),
        (format!(" \"{ADDRESS}\""), "1"),
        (format!("\"{ADDRESS}\""), "1"),
        (format!("\n\"{ADDRESS}\""), "1"),
        (format!(" \"{escaped}\""), "1"),
        (format!(" {ADDRESS}"), "unread"),
    ] {
        assert_leads(Client::Bun, "bun.lock", &lock(&address), expected);
    }
}

#[test]
fn what_bun_would_make_a_lockfile_of_is_looked_at() {
    let npm = r#"{"name": "p", "lockfileVersion": 3, "packages": {"": {"dependencies": {"left": "^1.0.0"}},
        "node_modules/left": {"version": "1.1.0", "integrity": "sha512-AAAA",
        "resolved": "https://registry.example.invalid/left/-/left-1.1.0.tgz"}}}"#;
    assert_leads(Client::Bun, "package-lock.json", npm, "1");
    assert_leads(Client::Bun, "npm-shrinkwrap.json", npm, "1");
    assert_leads(Client::Bun, "yarn.lock", YARN, "1");
    let bare = npm.replace("\"resolved\"", "\"was\"");
    assert_leads(Client::Bun, "package-lock.json", &bare, "");
    assert_leads(Client::Npm, "package-lock.json", npm, "");
    assert_leads(Client::Bun, "bun.lockb", "#!/usr/bin/env bun", "Binary");
    // One of bun's own comes before all of them.
    const OWN: &str = "{\"lockfileVersion\": 2, \"workspaces\": {}, \"packages\": {}}";
    for other in [("package-lock.json", npm), ("bun.lockb", "")] {
        assert_eq!(past(Client::Bun, &[("bun.lock", OWN), other]), []);
    }
    let found = past(
        Client::Bun,
        &[("bun.lockb", ""), ("package-lock.json", npm)],
    );
    assert_eq!(found, [("bun.lockb".to_owned(), "Binary".to_owned())]);
}

/// An archive of a git repository is no registry's; that dependency is the client's own, with or without
/// a lockfile.
fn pnpm(left: &str) -> String {
    format!(
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      left:\n        specifier: 1.0.0\n        version: 1.0.0\n\
         \npackages:\n\n  left@1.0.0:\n    resolution: {{integrity: sha512-AAAA{left}}}\n\
         \n  git@https://codeload.example/a/b/tar.gz/0123:\n    resolution: {{gitHosted: true, tarball: https://codeload.example/a/b/tar.gz/0123}}\n    version: 1.0.0\n\
         \nsnapshots:\n\n  left@1.0.0: {{}}\n\n  git@https://codeload.example/a/b/tar.gz/0123: {{}}\n"
    )
}

#[test]
fn every_lockfile_that_pnpm_may_read_is_looked_at() {
    const ADDRESS: &str = ", tarball: https://registry.example.invalid/left/-/left-1.0.0.tgz";
    let (leads, plain) = (pnpm(ADDRESS), pnpm(""));
    for file in ["pnpm-lock.yaml", "pnpm-lock.feature!x.yaml"] {
        assert_leads(Client::Pnpm, file, &leads, "1");
        assert_leads(Client::Pnpm, file, &plain, "");
    }
    let broken = leads.replace("packages:", "packages: {");
    assert_leads(Client::Pnpm, "pnpm-lock.yaml", &broken, "unread");
    // With a lockfile for each member.
    let workspaces = ("pnpm-workspace.yaml", "packages: [packages/*]\n");
    let root = ("pnpm-lock.yaml", &*plain);
    let found = past(
        Client::Pnpm,
        &[
            workspaces,
            root,
            ("packages/a/pnpm-lock.yaml", &leads),
            ("packages/b/pnpm-lock.main.yaml", &leads),
            ("docs/pnpm-lock.yaml", &leads),
        ],
    );
    let mut files: Vec<&str> = found.iter().map(|(file, _)| &**file).collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "packages/a/pnpm-lock.yaml",
            "packages/b/pnpm-lock.main.yaml"
        ]
    );
}
