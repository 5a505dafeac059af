use super::*;

/// A project, a home and a folder of settings, and what is in them.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home/config", "work/inner"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for (file, text) in files {
            let file = root.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Self(root)
    }

    /// What leads past weir: file below the root, and names.
    fn past(&self, client: Client, known: &[&str], bunfig: Option<&str>) -> Vec<(String, String)> {
        self.past_by(false, client, known, bunfig)
    }

    fn past_by(
        &self,
        by_shell: bool,
        client: Client,
        known: &[&str],
        bunfig: Option<&str>,
    ) -> Vec<(String, String)> {
        let path = |name: &str| self.0.path().join(name);
        let (folder, project) = (path("work/inner"), path("work"));
        let (home, config) = (path("home"), path("home/config"));
        let known: Vec<String> = known.iter().map(|&scope| scope.to_owned()).collect();
        let bunfig = bunfig.map(path);
        let around = Around {
            folder: &folder,
            project: &project,
            home: Some(&home),
            config: Some(&config),
            bunfig: bunfig.as_deref(),
            yarnrc_yml: ".yarnrc.yml",
            known: &known,
            by_shell,
        };
        let past = client.past_settings(&around).into_iter();
        past.map(|past| {
            let file = past.file.strip_prefix(self.0.path());
            let file = file.unwrap_or(&past.file).display().to_string();
            let what = match past.what {
                Leads::Names(names) | Leads::Lost(names) | Leads::Settings(names) => {
                    names.into_iter().collect::<Vec<_>>().join(" ")
                }
                other => format!("{other:?}"),
            };
            (file, what)
        })
        .collect()
    }
}

const NPMRC: &str = "@zoo:registry=http://zoo.example/\nregistry=http://r.example/\n";
const YARNRC: &str = "\"@zoo:registry\" \"http://zoo.example/\"\n";
const YARNRC_YML: &str = "npmScopes:\n  zoo:\n    npmRegistryServer: \"http://zoo.example\"\n  ark:\n    npmAuthToken: x\n";
const PNPM: &str = "registries:\n  default: http://r.example/\n  \"@zoo\": http://zoo.example/\n";
const BUNFIG: &str = "[install.scopes]\nzoo = \"http://zoo.example/\"\n\"@ark\" = { url = \"http://ark.example/\", token = \"x\" }\n";

/// Each tried with the client itself: pnpm 10.34 and 12.21, yarn 1.22 and 4.18, bun 1.4.
#[test]
fn settings_of_the_clients_own_are_noticed() {
    type Case<'a> = (Client, &'a str, &'a str, &'a [&'a str], Option<&'a str>);
    let cases: &[Case<'_>] = &[
        // npm's files are read as npm reads them.
        (Client::Npm, "work/inner/.npmrc", NPMRC, &[], None),
        (
            Client::Pnpm,
            "work/pnpm-workspace.yaml",
            PNPM,
            &["zoo"],
            Some("@zoo default"),
        ),
        (
            Client::Pnpm,
            "work/pnpm-workspace.yaml",
            "namedRegistries:\n  ark: http://ark.example/\n",
            &[],
            Some("ark"),
        ),
        (
            Client::Pnpm,
            "work/pnpm-workspace.yaml",
            "registries: {\n",
            &[],
            Some("Unreadable"),
        ),
        (
            Client::Pnpm,
            "home/config/pnpm/auth.ini",
            NPMRC,
            &[],
            Some("@zoo"),
        ),
        (Client::Pnpm, "home/config/pnpm/rc", NPMRC, &["zoo"], None),
        (Client::Pnpm, "work/inner/.npmrc", NPMRC, &[], Some("@zoo")),
        (Client::Yarn, "work/.npmrc", NPMRC, &[], Some("@zoo")),
        (Client::Yarn, "work/.npmrc", NPMRC, &["zoo"], None),
        (Client::Yarn, "home/.yarnrc", YARNRC, &[], Some("@zoo")),
        (
            Client::Yarn,
            "work/.yarnrc.yml",
            YARNRC_YML,
            &["zoo"],
            Some("@zoo"),
        ),
        (
            Client::Yarn,
            "home/.yarnrc.yml",
            YARNRC_YML,
            &[],
            Some("@zoo"),
        ),
        (Client::Bun, "home/.npmrc", NPMRC, &["zoo"], Some("@zoo")),
        (Client::Bun, "work/.npmrc", NPMRC, &["zoo"], Some("@zoo")),
        (
            Client::Bun,
            "work/bunfig.toml",
            BUNFIG,
            &[],
            Some("@ark @zoo"),
        ),
        // It reads the settings of the workspaces' root, and no others.
        (Client::Bun, "work/inner/bunfig.toml", BUNFIG, &[], None),
    ];
    for &(client, file, text, known, expected) in cases {
        let past = Files::new(&[(file, text)]).past(client, known, None);
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|names| (file.to_owned(), (*names).to_owned()))
            .collect();
        assert_eq!(past, expected, "{client:?} {file} {known:?}");
    }
    let files = Files::new(&[("other.toml", BUNFIG), ("work/bunfig.toml", "")]);
    let past = files.past(Client::Bun, &[], Some("other.toml"));
    assert_eq!(past, [("other.toml".to_owned(), "@ark @zoo".to_owned())]);
}

/// Each tried with the client itself, which then asks what is named.
#[test]
fn settings_that_lead_elsewhere_are_noticed() {
    const CONFIG: &str = "configDependencies:\n  left:\n    tarball: http://r.example/left.tgz\n    integrity: sha512-AAAA\n  right: 1.0.0+sha512-AAAA\n";
    const PROXIES: &str = "networkSettings:\n  \"*\":\n    httpProxy: http://p.example\n  \"*.corp.example\":\n    httpProxy: http://p.example\n";
    let cases = [
        (
            Client::Pnpm,
            "work/pnpm-workspace.yaml",
            CONFIG,
            Some("configDependencies.left.tarball"),
        ),
        (
            Client::Pnpm,
            "work/pnpm-workspace.yaml",
            "lockfileDir: ..\n",
            Some("lockfileDir"),
        ),
        (
            Client::Pnpm,
            "work/pnpm-workspace.yaml",
            "\"configDep\\x65ndencies\": {\n",
            Some("Unreadable"),
        ),
        (
            Client::Pnpm,
            "work/.npmrc",
            "lockfile-dir=..\n",
            Some("lockfile-dir"),
        ),
        (Client::Bun, "work/.npmrc", "lockfile-dir=..\n", None),
        (
            Client::Yarn,
            "work/.yarnrc.yml",
            PROXIES,
            Some("networkSettings.*.httpProxy"),
        ),
        (
            Client::Yarn,
            "work/.yarnrc.yml",
            "lockfileFilename: other.lock\n",
            Some("lockfileFilename"),
        ),
        (
            Client::Yarn,
            "work/.yarnrc",
            "--install.registry \"http://r.example/\"\n",
            Some("--install.registry"),
        ),
        (
            Client::Yarn,
            "home/.yarnrc",
            "--registry \"http://r.example/\"\n",
            Some("--registry"),
        ),
        (
            Client::Bun,
            "work/bunfig.toml",
            "[install]\nsaveTextLockfile = false\n",
            Some("WritesBinary"),
        ),
        (
            Client::Bun,
            "work/bunfig.toml",
            "[install]\nsaveTextLockfile = true\n",
            None,
        ),
    ];
    for (client, file, text, expected) in cases {
        let past = Files::new(&[(file, text)]).past(client, &[], None);
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|what| (file.to_owned(), (*what).to_owned()))
            .collect();
        assert_eq!(past, expected, "{client:?} {file} {text}");
    }
    // yarn 1 may be the one that runs where settings of a later one are.
    let files = Files::new(&[
        ("work/.yarnrc.yml", "nodeLinker: node-modules\n"),
        ("work/.yarnrc", "--registry \"http://r.example/\"\n"),
    ]);
    let past = files.past(Client::Yarn, &[], None);
    assert_eq!(past, [("work/.yarnrc".to_owned(), "--registry".to_owned())]);
    // bun keeps to a text where there is one.
    let files = Files::new(&[
        ("work/bunfig.toml", "[install]\nsaveTextLockfile = false\n"),
        ("work/bun.lock", "{}"),
    ]);
    assert!(files.past(Client::Bun, &[], None).is_empty());
}

/// yarn 1 makes another scope of it, and asks the registry that its own reading of the file gives.
#[test]
fn a_scope_that_no_variable_can_name_is_noticed() {
    let lock = ("work/yarn.lock", "# yarn lockfile v1\n");
    let past = Files::new(&[lock]).past(Client::Yarn, &["my_org", "acme"], None);
    let place = "npm's configuration";
    assert_eq!(past, [(place.to_owned(), "@my_org".to_owned())]);
    // Where it is found, the file is named.
    for file in ["work/.npmrc", "home/.npmrc"] {
        let own = (file, "@my_org:registry=http://zoo.example/\n");
        let past = Files::new(&[lock, own]).past(Client::Yarn, &["my_org"], None);
        assert_eq!(past, [(file.to_owned(), "@my_org".to_owned())]);
    }
    // dash, which runs the script that starts it, drops them all.
    let past = Files::new(&[lock]).past_by(true, Client::Yarn, &["acme"], None);
    assert_eq!(past, [(place.to_owned(), "@acme".to_owned())]);
    // Later ones send it to the gateway like everything else.
    let berry = ("work/.yarnrc.yml", "nodeLinker: node-modules\n");
    let past = Files::new(&[berry]).past(Client::Yarn, &["my_org"], None);
    assert!(past.is_empty(), "{past:?}");
    // A fresh project says by its manifest which one it is for.
    for (manager, lost) in [("yarn@4.18.1", 0), ("yarn@1.22.22", 1), ("pnpm@10.0.0", 1)] {
        let text = format!("{{\"packageManager\": \"{manager}\"}}");
        let files = Files::new(&[("work/package.json", &text)]);
        let past = files.past_by(true, Client::Yarn, &["acme"], None);
        assert_eq!(past.len(), lost, "{manager}: {past:?}");
    }
}

#[test]
fn advice_is_such_as_helps() {
    let past = |file: &str, what: fn(BTreeSet<String>) -> Leads| Past {
        file: PathBuf::from(file),
        what: what(BTreeSet::from(["@my_org".to_owned()])),
    };
    for (client, file, what, stays) in [
        // pnpm takes an argument for it, and yarn 4 goes with all it has to one registry.
        (
            Client::Pnpm,
            "inner/.npmrc",
            Leads::Names as fn(_) -> _,
            false,
        ),
        (Client::Yarn, ".yarnrc.yml", Leads::Names, false),
        (Client::Yarn, ".yarnrc", Leads::Names, true),
        (Client::Yarn, ".npmrc", Leads::Lost, true),
        (Client::Bun, ".npmrc", Leads::Names, true),
    ] {
        let todo = past(file, what).todo(client);
        let says = todo.starts_with("No variable changes that");
        assert_eq!(says, stays, "{client:?} {file}");
    }
    // yarn 1 was tried: without its address, an entry is asked for anew.
    for (client, file, helps) in [
        (Client::Yarn, "yarn.lock", "Remove those entries"),
        (Client::Bun, "bun.lock", "Remove those addresses"),
        (Client::Bun, "package-lock.json", "Have bun make a lockfile"),
    ] {
        let todo = past(file, |_| Leads::Entries(1)).todo(client);
        assert!(todo.starts_with(helps), "{todo}");
    }
}

#[test]
fn a_scope_that_does_not_come_up_is_no_matter() {
    let past = |file: &str| Past {
        file: PathBuf::from(file),
        what: Leads::Names(BTreeSet::from(["@zoo".to_owned()])),
    };
    for (client, file, scope, expected) in [
        (Client::Bun, ".npmrc", "@zoo", true),
        (Client::Bun, ".npmrc", "@ark", false),
        (Client::Yarn, ".yarnrc", "@ark", false),
        (Client::Yarn, ".yarnrc.yml", "@ark", true),
        (Client::Pnpm, "pnpm-workspace.yaml", "@ark", true),
    ] {
        let matters = past(file).matters(client, |name| name == scope);
        assert_eq!(matters, expected, "{client:?} {file} {scope}");
    }
}

#[test]
fn a_bun_that_writes_binary_lockfiles_is_known_by_its_version() {
    let by = |version: &str, files: &[(&str, &str)]| {
        let files = Files::new(files);
        let path = |name: &str| files.0.path().join(name);
        let (project, home) = (path("work"), path("home"));
        let around = Around {
            folder: &project,
            project: &project,
            home: Some(&home),
            config: None,
            bunfig: None,
            yarnrc_yml: ".yarnrc.yml",
            known: &[],
            by_shell: false,
        };
        around.by_old_bun(version).is_some()
    };
    for (version, expected) in [
        ("1.0.36\n", true),
        ("1.1.45\n", true),
        ("1.2.0\n", false),
        ("1.4.5", false),
        ("2.0.0", false),
        ("said nothing", false),
    ] {
        assert_eq!(by(version, &[]), expected, "{version}");
    }
    // Where it is off, that setting is refused for itself.
    let told = [("work/bunfig.toml", "[install]\nsaveTextLockfile = true\n")];
    assert!(!by("1.1.45", &told));
}

#[test]
fn a_project_of_later_yarns_has_no_lockfile_of_yarn_1() {
    const BERRY: &str = "__metadata:\n  version: 6\n";
    const CLASSIC: &str = "# yarn lockfile v1\na@1:\n  version \"1.0.0\"\n";
    for (files, expected) in [
        (&[("work/.yarnrc.yml", "")][..], true),
        (&[("work/yarn.lock", BERRY)], true),
        (
            &[("work/package.json", r#"{"packageManager": "yarn@3.2.4"}"#)],
            true,
        ),
        (&[("work/.yarnrc.yml", ""), ("work/yarn.lock", "")], true),
        (
            &[("work/.yarnrc.yml", ""), ("work/yarn.lock", CLASSIC)],
            false,
        ),
        (
            &[("work/package.json", r#"{"packageManager": "yarn@1.22.22"}"#)],
            false,
        ),
        (&[], false),
    ] {
        let there = Files::new(files);
        let found = is_by_later_yarn(&there.0.path().join("work"));
        assert_eq!(found, expected, "{files:?}");
    }
}
