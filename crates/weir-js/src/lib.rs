#![doc = include_str!("../README.md")]

mod ability;
mod analyse;
mod analyst;
mod bundled;
mod command;
mod component;
mod cut;
mod digits;
mod flow;
mod fold;
mod follow;
pub mod fuzz;
mod guard;
mod gyp;
mod hash;
mod installs;
mod led;
mod loaded;
mod makefile;
mod modules;
mod opened;
mod parse;
mod place;
mod report;
mod resolve;
mod scan;
mod script;
mod slice;
mod started;
mod survey;
mod tables;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use analyst::{Analyst, analyse};
pub use bundled::Bundled;

use weir_model::contents::{Capability, Flow, Host, InstallStep, Surface, Unread};
use weir_npm::manifest::Manifest;
use weir_npm::tools::{plain, shadowed};

/// Most files of a folder of commands that count as such.
const COMMANDS: usize = 1_000;

/// One file of a package.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Path inside the package, `/`-separated, without a leading `./`.
    pub path: &'a str,
    /// The file's bytes, as they are in the tarball.
    pub bytes: &'a [u8],
}

/// A file of a package whose bytes are not at hand.
#[derive(Debug, Clone, Copy)]
pub struct Unkept<'a> {
    /// Path inside the package, as in [`SourceFile`].
    pub path: &'a str,
    /// Why nobody kept it.
    pub why: &'a str,
    /// It may hold code by its name: where nothing but `require` or the manifest names it, only these count.
    pub is_code: bool,
    /// It is worth telling even where nothing runs it.
    pub is_told: bool,
}

/// One package, with what its manifest says about how its code is run.
#[derive(Debug, Clone, Default)]
pub struct Package<'a> {
    /// All files, in any order. Files that are no JavaScript cost nothing unless a command runs them.
    pub files: &'a [SourceFile<'a>],
    /// Further files, of which only the names are known. Those that something runs are reported as not read.
    pub unkept: &'a [Unkept<'a>],
    /// `type` of the package's manifest: `module` or `commonjs`.
    pub module_type: Option<&'a str>,
    /// Files that run without an install command, as written in the manifest (`./lib`, `lib/index.js`,
    /// a folder): `main`, `module`, `exports` as [`Surface::Import`], `bin` and what lies in
    /// `directories.bin` as [`Surface::Command`].
    pub entries: Vec<(Surface, String)>,
    /// What the client runs at install time, in run order: event and command line.
    pub install_commands: Vec<(String, String)>,
    /// All of `scripts`, so that `npm run other` can be followed.
    pub scripts: BTreeMap<String, String>,
    /// `gypfile` of the manifest; `false` switches the implicit build off.
    pub gypfile: Option<bool>,
    /// `name` of the manifest: by it the package is found in the `node_modules` of who installs it.
    pub name: Option<&'a str>,
    /// Packages that lie in this one, and whose hooks run as well.
    pub bundled: Vec<Bundled>,
    /// Commands that install scripts, of whatever package, find in the place of a tool: name and file.
    pub shadowing: Vec<(String, String)>,
}

impl<'a> Package<'a> {
    /// A package as its manifest describes it: `preinstall`, `install` and `postinstall` run at install time, those of
    /// packages bundled with it and of its own folders that it depends on too, `main` (default `index`) and the
    /// exported paths at import, `bin` by hand.
    /// `prepare` runs for git dependencies only and is left to the caller.
    #[must_use]
    pub fn new(files: &'a [SourceFile<'a>], manifest: &'a Manifest) -> Self {
        let mut entries = vec![(
            Surface::Import,
            manifest.main.clone().unwrap_or_else(|| "index".to_owned()),
        )];
        entries.extend(
            manifest
                .entries
                .iter()
                .map(|path| (Surface::Import, path.clone())),
        );
        entries.extend(
            manifest
                .bin
                .values()
                .map(|path| (Surface::Command, path.clone())),
        );
        let in_folder = commands_in_folder(files, manifest);
        let shadowing = shadowing(manifest, &in_folder);
        entries.extend(in_folder);
        Self {
            files,
            unkept: &[],
            module_type: manifest.module_type.as_deref(),
            entries,
            install_commands: install_commands(manifest),
            scripts: manifest.scripts.clone(),
            gypfile: manifest.gypfile,
            name: manifest.name.as_deref(),
            bundled: bundled::packages(files, manifest),
            shadowing,
        }
    }
}

/// What npm runs of a package when it installs it: event and command line.
fn install_commands(manifest: &Manifest) -> Vec<(String, String)> {
    let scripts = manifest.install_scripts();
    scripts
        .map(|(event, command)| (event.to_owned(), command.to_owned()))
        .collect()
}

/// The commands of a package that bear the name of a tool which install scripts start, unless it is called after that.
fn shadowing(manifest: &Manifest, in_folder: &[(Surface, String)]) -> Vec<(String, String)> {
    let own = manifest.name.as_deref().unwrap_or_default();
    let named = manifest.bin.iter();
    let all = named.chain(in_folder.iter().map(|(_, path)| (path, path)));
    all.filter(|(name, _)| shadowed(own, name).is_some_and(|one| !one.is_named))
        .map(|(name, path)| (plain(name), path.clone()))
        .take(COMMANDS)
        .collect()
}

/// Every file of the folder that `directories.bin` names: npm makes commands of them, where `bin` names
/// none.
fn commands_in_folder(files: &[SourceFile<'_>], manifest: &Manifest) -> Vec<(Surface, String)> {
    let folder = manifest.bin_folder.as_deref().unwrap_or_default();
    let folder = folder.strip_prefix("./").unwrap_or(folder);
    let folder = folder.trim_end_matches('/');
    if folder.is_empty() || !manifest.bin.is_empty() {
        return Vec::new();
    }
    files
        .iter()
        .filter(|file| {
            let rest = file.path.strip_prefix(folder);
            rest.is_some_and(|rest| rest.starts_with('/'))
        })
        .take(COMMANDS)
        .map(|file| (Surface::Command, file.path.to_owned()))
        .collect()
}

/// How much work one package may cause. What is beyond a limit is reported in [`Facts::unread`].
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest file that is parsed, in bytes; larger ones get the string scan.
    pub file_bytes: usize,
    /// Most JavaScript that is parsed per package, in bytes.
    pub total_bytes: usize,
    /// Most JavaScript that takes part in the value flow, in bytes.
    pub flow_bytes: usize,
    /// The same for files that load each other and that install does not reach. Large files count
    /// with the parts of them that could take part. What is left out is reported.
    pub quiet_flow_bytes: usize,
    /// Largest file that install does not reach and that takes part in the value flow, in bytes,
    /// unless it hides what it does: larger ones are bundles, which have to be parsed a second time
    /// for it. What they are able to do and whom they talk to is seen all the same, and that they
    /// were left out is reported.
    pub quiet_file_bytes: usize,
    /// Deepest nesting of brackets that is given to the parser. The deepest among 44,175 files of
    /// popular packages is 147 (CRATES section 1).
    pub bracket_depth: usize,
    /// Most flows that are reported.
    pub flows: usize,
    /// Most steps of the value-flow solver, each about 100 ns.
    pub flow_steps: u64,
    /// The same for each group of files that install does not reach; all of them together have six
    /// times as many.
    pub quiet_flow_steps: u64,
    /// Stack of the analysing thread, in bytes. Only touched pages count.
    pub stack_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 16 << 20,
            total_bytes: 256 << 20,
            flow_bytes: 24 << 20,
            quiet_flow_bytes: 384 << 10,
            quiet_file_bytes: 1 << 20,
            bracket_depth: 512,
            flows: 50,
            flow_steps: 20_000_000,
            quiet_flow_steps: 200_000,
            stack_bytes: 256 << 20,
        }
    }
}

/// What the code of one package does. Facts, no opinions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What runs at install time, explicit or implicit, and which files it reaches.
    pub install_steps: Vec<InstallStep>,
    /// Values that travel from a secret to the network, strongest surface first.
    pub flows: Vec<Flow>,
    /// What the code is able to do, each kind once for each surface that reaches it.
    pub capabilities: Vec<Capability>,
    /// Hosts that appear as an argument of a call or command.
    pub hosts: Vec<Host>,
    /// From where files run, by path, the strongest surface of each; files that nothing reaches are
    /// not in it.
    pub surfaces: BTreeMap<String, Surface>,
    /// What was not analysed, and why.
    pub unread: Vec<Unread>,
    /// Bytes of JavaScript given to the parser.
    pub javascript_bytes: u64,
    /// Files given to the parser.
    pub files_parsed: u64,
    /// Files that took part in the value flow.
    pub files_in_flow: u64,
}
