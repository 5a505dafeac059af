//! The benign twins of INCIDENTS section 6 that no attack above is a twin of.

use jiff::Timestamp;
use serde_json::json;

use super::deviations::{elsewhere, from_workflow, package, release};
use super::parts::Stage;
use super::{Scenario, history, minutes_before};
use crate::samples::{FORMATTER, PREBUILT_LOOKUP, QUERY_LIBRARY};
use crate::{Package, Release};

/// Releases that change much and mean nothing.
pub fn honest_releases(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    hands(&mut stage, now);
    maintainers(&mut stage, now);
    builds(&mut stage, now);
    sensitive(&mut stage);
    sensitive_by_trade(&mut stage);
    names(&mut stage, now);
    stage.end(
        "honest-releases",
        "Ordinary releases that resemble attacks.",
    )
}

/// Who publishes, and how.
fn hands(stage: &mut Stage, now: Timestamp) {
    let hotfix = stage.updated("task-pipes", "mara", from_workflow, 12, |_| {
        release("1.4.1")
    });
    stage.registry.add(hotfix);
    stage.twin(
        "task-pipes",
        "1.4.1",
        "a hot-fix by hand by the owner, without provenance",
    );
    let added = super::days_before(now, 200).to_string();
    stage.registry.add(
        package("@northwind/mailer", "nora")
            .maintainer_since("nils", &added)
            .releases(history(
                now,
                &["2.0.0", "2.1.0", "2.2.0", "2.3.0"],
                (900, 400),
                |version| release(version).publisher("nora"),
            ))
            .releases(history(
                now,
                &["2.4.0", "2.5.0", "2.6.0"],
                (180, 30),
                |version| release(version).publisher("nils"),
            ))
            .release(
                release("2.6.1")
                    .publisher("nils")
                    .published_at(minutes_before(now, 16)),
            ),
    );
    stage.twin(
        "@northwind/mailer",
        "2.6.1",
        "handed over within a team half a year ago",
    );
    stage.registry.add(
        package("seed-catalogue", "petra-old-name")
            .maintainer("petra")
            .releases(history(
                now,
                &["1.0.0", "1.1.0", "1.2.0", "1.3.0"],
                (900, 60),
                |version| {
                    let publisher = if version < "1.2.0" {
                        "petra-old-name"
                    } else {
                        "petra"
                    };
                    release(version).publisher(publisher)
                },
            ))
            .release(
                release("1.3.1")
                    .publisher("petra")
                    .published_at(minutes_before(now, 18)),
            ),
    );
    stage.twin(
        "seed-catalogue",
        "1.3.1",
        "the owner's account got another name a while ago",
    );
    stage.honest(
        "steady-pump",
        "moves from a token to a workflow with provenance",
        release,
        |next| next.trusted_publisher().attested(),
    );
}

/// Lists of maintainers that change.
fn maintainers(stage: &mut Stage, now: Timestamp) {
    let listed = |version: &str, names: &[&str]| {
        let people: Vec<_> = names
            .iter()
            .map(|name| json!({"name": name, "email": format!("{name}@mail.example")}))
            .collect();
        release(version)
            .publisher("nora")
            .packument_field("maintainers", json!(people))
    };
    let versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"];
    for (name, after, why) in [
        (
            "fewer-hands",
            &["nora"][..],
            "a maintainer who had left is taken off the list",
        ),
        (
            "more-hands",
            &["nora", "nils", "nele"][..],
            "a colleague joins, and the usual one publishes",
        ),
    ] {
        stage.registry.add(
            package(name, "nora")
                .releases(history(now, &versions, (900, 40), |version| {
                    listed(version, &["nora", "nils"])
                }))
                .release(listed("1.4.1", after).published_at(minutes_before(now, 17))),
        );
        stage.twin(name, "1.4.1", why);
    }
}

/// What is built, and how large.
fn builds(stage: &mut Stage, now: Timestamp) {
    let hook = |version: &str| {
        Release::new(version)
            .file("index.js", FORMATTER)
            .file("install.js", PREBUILT_LOOKUP)
            .script("install", "node install.js")
    };
    stage.registry.add(
        package("canvas-native", "oskar")
            .releases(history(
                now,
                &["2.0.0", "2.1.0", "2.2.0"],
                (700, 90),
                release,
            ))
            .release(hook("3.0.0").published_at(minutes_before(now, 25))),
    );
    stage.twin(
        "canvas-native",
        "3.0.0",
        "a new major version gains native code and a hook",
    );
    let bundle = |version: &str| {
        let mut text = format!("/*! flow {version} */");
        for number in 0..900 {
            text.push_str(&format!("function f{number}(a,b){{return a+b*{number}}}"));
        }
        release(version)
            .file("dist/flow.min.js", text)
            .field("main", json!("dist/flow.min.js"))
    };
    stage.honest(
        "flow-bundle",
        "minified since its first release",
        bundle,
        |next| next,
    );
    let mut sources = String::new();
    for number in 0..120 {
        sources.push_str(&format!(
            "export const step{number} = (value) => value + {number};\n"
        ));
    }
    stage.honest(
        "tool-migration",
        "changes its build: files renamed, three times as large",
        |version| release(version).file("lib/steps.js", &sources),
        |next| {
            next.file("dist/steps.mjs", &sources)
                .file(
                    "dist/steps.cjs",
                    sources.replace("export const ", "exports."),
                )
                .file(
                    "dist/steps.d.ts",
                    "export declare const step0: (value: number) => number;\n",
                )
        },
    );
}

/// Tools whose job is sensitive, and always was.
fn sensitive(stage: &mut Stage) {
    let dotenv = "'use strict';\n\nconst fs = require('fs');\n\nmodule.exports = function load(file) {\n  for (const line of \
                  fs.readFileSync(file || '.env', 'utf8').split('\\n')) {\n    const [name, value] = line.split('=');\n    if \
                  (name && !(name in process.env)) process.env[name] = value;\n  }\n};\n";
    stage.honest(
        "settings-from-file",
        "reads settings into the environment, as it always did",
        |version| release(version).file("index.js", dotenv),
        |next| {
            next.file(
                "index.js",
                format!("{dotenv}module.exports.version = '1.4.1';\n"),
            )
        },
    );
    let client = "'use strict';\n\nconst https = require('https');\n\nmodule.exports = function latest(name, token, done) {\n  \
                  https.get(`https://registry.example.invalid/${name}`, { headers: { authorization: `Bearer ${token}` } }, \
                  (answer) => {\n    let text = '';\n    answer.on('data', (part) => (text += part));\n    \
                  answer.on('end', () => done(JSON.parse(text)['dist-tags'].latest));\n  });\n};\n";
    stage.honest(
        "registry-lookup",
        "asks registries for versions, as it always did",
        |version| release(version).file("index.js", client),
        |next| next.file("index.js", format!("{client}module.exports.retries = 2;\n")),
    );
    let telemetry = "'use strict';\n\nconst https = require('https');\nconst os = require('os');\n\nmodule.exports = function \
                     report(event) {\n  if (process.env.DO_NOT_TRACK) return;\n  const request = \
                     https.request('https://telemetry.millpond.example/v1', { method: 'POST' });\n  request.on('error', () => \
                     {});\n  request.end(JSON.stringify({ event, platform: os.platform() }));\n};\n";
    stage.honest(
        "millpond-telemetry",
        "reports usage to its documented host, as it always did",
        |version| release(version).file("index.js", telemetry),
        |next| {
            next.file(
                "index.js",
                telemetry.replace("platform: os.platform()", "platform: os.platform(), v: 2"),
            )
        },
    );
}

/// More of these: what reads credentials, asks whether it runs in CI, runs a package manager, or says of
/// itself that it can be misused.
fn sensitive_by_trade(stage: &mut Stage) {
    let provider = "'use strict';\n\nconst fs = require('fs');\nconst os = require('os');\nconst path = \
                    require('path');\n\nmodule.exports = function profile(name) {\n  const file = path.join(os.homedir(), \
                    '.millpond', 'credentials');\n  const text = fs.readFileSync(file, 'utf8');\n  const at = \
                    text.indexOf(`[${name}]`);\n  return at < 0 ? undefined : text.slice(at).split('\\n')[1];\n};\n";
    stage.honest(
        "millpond-credentials",
        "a credential provider reads the file that it is for, as it always did",
        |version| release(version).file("index.js", provider),
        |next| {
            next.file(
                "index.js",
                format!("{provider}module.exports.sections = true;\n"),
            )
        },
    );
    let in_ci = "'use strict';\n\nconst { env } = process;\n\nmodule.exports = Boolean(env.CI || env.BUILD_NUMBER || \
                 env.RUN_ID);\n";
    stage.honest(
        "runs-in-ci",
        "asks whether it runs in CI, as it always did",
        |version| release(version).file("index.js", in_ci),
        |next| {
            next.file(
                "index.js",
                in_ci.replace("env.RUN_ID", "env.RUN_ID || env.JOB_ID"),
            )
        },
    );
    let outdated = "#!/usr/bin/env node\n'use strict';\n\nconst { execFileSync } = require('child_process');\n\nconst text = \
                    execFileSync('npm', ['outdated', '--json'], { encoding: 'utf8' });\nconsole.log(Object.keys(JSON.parse(text \
                    || '{}')).join('\\n'));\n";
    stage.honest(
        "check-outdated",
        "runs the package manager to list what is outdated, as it always did",
        |version| {
            release(version)
                .file("cli.js", outdated)
                .bin("check-outdated", "cli.js")
        },
        |next| {
            next.file(
                "cli.js",
                outdated.replace("join('\\n')", "sort().join('\\n')"),
            )
        },
    );
    let scanner = "'use strict';\n\nconst net = require('net');\n\nmodule.exports = function open(host, port, done) {\n  \
                   const socket = net.connect({ host, port }, () => done(true));\n  socket.on('error', () => \
                   done(false));\n};\n";
    stage.honest(
        "port-survey",
        "declares itself dual-use, and did from its first release",
        |version| {
            release(version)
                .file("index.js", scanner)
                .file("DISCLOSURE", "Surveys ports of machines you may survey.\n")
                .field("contentPolicy", json!({"class": "dual-use"}))
        },
        |next| {
            next.file(
                "index.js",
                format!("{scanner}module.exports.timeout = 500;\n"),
            )
        },
    );
}

/// Names near others, for good reasons.
fn names(stage: &mut Stage, now: Timestamp) {
    for (name, why) in [
        ("@olive-grove/lodash", "a fork in a scope of its own"),
        ("@types/millwheel", "type declarations"),
        (
            "eslint-plugin-millwheel",
            "a plugin named after what it is for",
        ),
        ("react-millwheel", "named after the library it is for"),
        ("qss", "a short name, one letter from a popular one"),
        (
            "@olive-grove/react-query",
            "a fork of a scoped package in a scope of its own",
        ),
    ] {
        let new = Package::new(name)
            .maintainer("ines")
            .repository("https://git.example.invalid/ines/millwheel")
            .release(
                Release::new("1.0.0")
                    .file("index.js", QUERY_LIBRARY)
                    .published_at(minutes_before(now, 35)),
            );
        stage.registry.add(new);
        stage.twin(name, "1.0.0", why);
    }
    let another = stage.updated("drip-meter", "ines", release, 11, elsewhere);
    stage.registry.add(another);
    stage.twin(
        "drip-meter",
        "1.4.1",
        "the owner publishes a patch from a new machine",
    );
}
