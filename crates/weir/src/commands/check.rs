//! `weir check`: a project's lockfile, before anything is installed from it.

mod addresses;
mod base;
mod bundles;
mod catalogs;
mod client;
mod declared;
mod digests;
mod entries;
pub(super) mod github;
pub(super) mod junit;
mod known;
mod local;
mod manifests;
mod overrides;
mod patches;
mod permits;
mod registries;
mod releases;
mod remote;
pub(super) mod sarif;
mod scripts;
mod settings;
mod step;
mod text;
mod tree;
mod url;

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use weir_engine::Engine;
use weir_model::finding::printable;
use weir_model::json::v1;
use weir_model::json::v1::{ChangedPackage, CheckFinding, CheckLevel, CheckedLockfile};
use weir_npm::lockfile::{Edge, Format, Lockfile, Node, NodeId, Paths, Problem};
use weir_upstream::project_root;

pub(super) use self::catalogs::Catalogs;
use self::client::ClientFiles;
use self::known::Known;
pub(super) use self::manifests::Manifests;
use self::registries::Registries;
pub(super) use self::step::unambiguous;
pub(super) use self::text::line;
use self::tree::{Commit, Tree};
use super::lockless;
use crate::addresses::without_secrets;
use crate::cli::{Check, Global};
use crate::{exit, files, setup};

/// A rule: its id, how much its findings matter, and what to do about them.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) level: CheckLevel,
    pub(super) todo: &'static str,
}

const UNREADABLE: Rule = Rule {
    id: "unreadable",
    level: CheckLevel::Error,
    todo: "nothing in this file was checked: restore it, or let the client write it anew",
};
const SEVERAL: Rule = Rule {
    id: "several-lockfiles",
    level: CheckLevel::Warning,
    todo: "keep the one of the client you use: the others are not kept in step by anybody",
};
const APART: Rule = Rule {
    id: "unchecked-project",
    level: CheckLevel::Error,
    todo: "run the same command in that folder as well; --lockfile names the one here where it alone is meant",
};
const NOT_ASKED: Rule = Rule {
    id: "registry-not-asked",
    level: CheckLevel::Error,
    todo: "could not check what only a registry knows: put the settings right",
};
const BASE_UNREADABLE: Rule = Rule {
    id: "base-unreadable",
    level: CheckLevel::Warning,
    todo: "could not be compared: everything counts as new",
};

/// One lockfile on its way through the rules.
struct Checked<'l> {
    file: String,
    lockfile: &'l Lockfile,
    paths: Paths<'l>,
    findings: Vec<CheckFinding>,
}

impl Checked<'_> {
    /// Notes a finding at a line. Texts come from the file and are made safe to print and to hand around.
    fn add(&mut self, rule: &Rule, line: u32, id: Option<NodeId>, what: &str) {
        let package = id
            .and_then(|id| self.lockfile.node(id))
            .map(|node| node.label());
        let path = id.map(|id| self.paths.to(id)).unwrap_or_default();
        let name = |edge: &&Edge| printable(&edge.name, 220);
        self.findings.push(CheckFinding {
            rule: rule.id,
            level: rule.level,
            file: self.file.clone(),
            line,
            package: package.map(|label| printable(&without_secrets(&label), 300)),
            what: printable(&without_secrets(what), 600),
            todo: rule.todo,
            path: path.iter().map(name).collect(),
        });
    }
}

/// Findings about files of the project other than its lockfiles.
struct Findings {
    tree_path: PathBuf,
    all: Vec<CheckFinding>,
}

impl Findings {
    fn of(tree: &Tree) -> Self {
        Self {
            tree_path: tree.path(""),
            all: Vec::new(),
        }
    }

    /// Notes a finding about a file of the project.
    fn about(&mut self, file: &str, rule: &Rule, line: u32, what: &str) {
        let file = self.tree_path.join(file);
        self.all.push(about_file(rule, &file, line, what));
    }
}

/// What a run needs besides the files.
struct Run<'o> {
    global: &'o Global,
    options: &'o Check,
    /// The project as it is.
    tree: Tree,
    /// The project as it was.
    base: Option<Tree>,
    /// The `.npmrc` that npm reads for the project, as it was.
    npmrc_before: Option<String>,
    /// Where registries are asked or releases are assessed.
    engine: Option<Arc<Engine>>,
    /// Why there is none where one is needed.
    unable: Option<String>,
}

/// Checks a project; the exit code tells whether anything must be put right.
pub(super) async fn run(global: &Global, options: &Check) -> Result<ExitCode> {
    let files = lockless::find(&options.folder, options.lockfile.as_ref())?;
    let base = match &options.base {
        Some(name) => Some(Commit::find(&options.folder, name)?),
        None => None,
    };
    let changes = base.as_ref().map(|commit| v1::CheckChanges {
        base: printable(options.base.as_deref().unwrap_or_default(), 200),
        commit: commit.id.clone(),
        packages: Vec::new(),
    });
    let mut report = v1::Check {
        schema: v1::CHECK,
        lockfiles: Vec::new(),
        findings: Vec::new(),
        changes,
    };
    // Told also where nothing is asked that the policy would answer.
    setup::policy_file_of(global, &options.folder)?;
    if base.is_some()
        && let Some(outside) = files
            .iter()
            .find(|file| in_project(&options.folder, file).is_none())
    {
        anyhow::bail!(
            "--base: {} is not in {}",
            outside.display(),
            options.folder.display()
        );
    }
    let npmrc_before = npmrc_before(options);
    let asks = base.is_some() || options.online;
    let (engine, unable) = engine(global, options, npmrc_before.as_deref(), asks).await?;
    let run = Run {
        global,
        options,
        tree: Tree::Folder(options.folder.clone()),
        engine,
        unable,
        base: base.map(Tree::Commit),
        npmrc_before,
    };
    report
        .findings
        .extend(settings::unread(global, &options.folder));
    if let Some(why) = &run.unable
        && report.findings.is_empty()
    {
        let manifest = options.folder.join("package.json");
        let file = files.first().unwrap_or(&manifest);
        let what = format!("no registry was asked: {why}");
        report.findings.push(about_file(&NOT_ASKED, file, 1, &what));
    }
    report.findings.extend(settings::ignored(&run));
    if files.is_empty() {
        report.findings.push(lockless::finding(&options.folder));
    }
    if let [first, second, ..] = files.as_slice() {
        let what = format!("{} and {} are both here", first.display(), second.display());
        report.findings.push(about_file(&SEVERAL, second, 1, &what));
    }
    for file in &files {
        check(&run, file, &mut report).await?;
    }
    if let Some(engine) = &run.engine {
        engine.close().await;
    }
    tell(options, &report)?;
    Ok(ExitCode::from(code(options, &report)))
}

/// Whether anything must be put right, or what was asked for could not be done: who has digests compared with those of
/// the registry is not told that all is well by one that does not answer.
fn code(options: &Check, report: &v1::Check) -> u8 {
    let findings = &report.findings;
    let worst = findings.iter().map(|finding| finding.level).max();
    let mut rules = findings.iter().map(|finding| finding.rule);
    if worst == Some(CheckLevel::Error) {
        exit::FOUND
    } else if options.online && rules.any(|rule| rule == digests::NOT_COMPARED.id) {
        exit::FAILED
    } else {
        exit::FINE
    }
}

/// The `.npmrc` that npm reads for the project, as it was before the change: it may lie further up, at the root of
/// the workspaces. None where that is in no repository.
fn npmrc_before(options: &Check) -> Option<String> {
    let folder = std::path::absolute(&options.folder).ok()?;
    let commit = Commit::find(&project_root(&folder), options.base.as_deref()?).ok()?;
    let text = Tree::Commit(commit)
        .read(".npmrc", weir_npm::settings::MAX_SIZE)
        .ok()??;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// What registries are asked through, if they are to be; or why there is nothing to ask them through.
async fn engine(
    global: &Global,
    options: &Check,
    npmrc_before: Option<&str>,
    needed: bool,
) -> Result<(Option<Arc<Engine>>, Option<String>)> {
    if !needed {
        return Ok((None, None));
    }
    let folder = std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
    let engine = setup::engine_or_why(global, &folder, npmrc_before).await?;
    Ok(match engine {
        Ok(engine) => (Some(engine), None),
        Err(why) => (None, Some(why)),
    })
}

/// Says what was found in all the ways that were asked for.
fn tell(options: &Check, report: &v1::Check) -> Result<()> {
    let write = |file: &Path, text: &str| {
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
    };
    if let Some(file) = &options.sarif {
        let text = serde_json::to_string_pretty(&sarif::document(&report.findings))
            .context("writing SARIF")?;
        write(file, &text)?;
    }
    if let Some(file) = &options.junit {
        let files: Vec<&str> = report.lockfiles.iter().map(|it| it.file.as_str()).collect();
        write(file, &junit::document(&files, &report.findings))?;
    }
    if options.json {
        let text = serde_json::to_string(report).context("writing JSON")?;
        crate::out::println!("{text}");
        return Ok(());
    }
    if options.github {
        crate::out::print!("{}", github::annotations(&report.findings));
        let changes = report.changes.as_ref();
        github::add_summary(&github::summary(
            &report.lockfiles,
            changes,
            &report.findings,
        ))?;
        crate::out::print!("{}", text::totals(report));
    } else {
        crate::out::print!("{}", text::report(report));
    }
    Ok(())
}

pub(super) fn about_file(rule: &Rule, file: &Path, line: u32, what: &str) -> CheckFinding {
    CheckFinding {
        rule: rule.id,
        level: rule.level,
        file: shown(file),
        line,
        package: None,
        what: printable(&without_secrets(what), 600),
        todo: rule.todo,
        path: Vec::new(),
    }
}

/// The workspaces that a lockfile leaves out because they have one of their own: without a word on them, the
/// project would pass for whole. Nothing where that lockfile was asked for by its name.
pub(super) fn apart(
    folder: &Path,
    named: Option<&PathBuf>,
    manifests: &Manifests,
) -> Vec<CheckFinding> {
    let apart = manifests.apart().iter().filter(|_| named.is_none());
    let told = apart.map(|inner| {
        let file = folder.join(inner).join(lockless::PNPMS);
        let what = "this workspace has a lockfile of its own, which was not looked into";
        about_file(&APART, &file, 1, what)
    });
    told.collect()
}

pub(super) fn shown(file: &Path) -> String {
    let text = file.display().to_string();
    let plain = text.strip_prefix("./").unwrap_or(&text);
    printable(plain, 400)
}

/// One lockfile with everything that belongs to it, at one moment.
struct State {
    lockfile: Lockfile,
    manifests: Manifests,
    files: ClientFiles,
}

/// Why there is nothing to check: the file, the line, and what is wrong.
type Broken = (PathBuf, u32, String);

impl State {
    /// Reads what belongs to a lockfile that is here.
    fn now(run: &Run<'_>, file: &Path) -> Result<Self, Broken> {
        let lockfile = read(file).map_err(|(line, what)| (file.to_owned(), line, what))?;
        Self::with(&run.tree, lockfile)
    }

    /// Reads it as it was; `None` if the lockfile was not there.
    fn then(tree: &Tree, name: &str, file: &Path) -> Result<Option<Self>, Broken> {
        let broken = |line, what| (file.to_owned(), line, what);
        let text = tree
            .read(name, weir_npm::lockfile::MAX_SIZE)
            .map_err(|why| broken(1, why))?;
        let Some(text) = text else { return Ok(None) };
        let lockfile = parse(file, &text).map_err(|(line, what)| broken(line, what))?;
        Self::with(tree, lockfile).map(Some)
    }

    fn with(tree: &Tree, mut lockfile: Lockfile) -> Result<Self, Broken> {
        let manifests = Manifests::read(tree, &lockfile).map_err(|(file, what)| (file, 1, what))?;
        manifests.complete(&mut lockfile);
        Ok(Self {
            lockfile,
            manifests,
            files: ClientFiles::read(tree),
        })
    }

    /// What there is to find without knowing anything else.
    fn judge(&self, file: &str, tree: &Tree, registries: &Registries) -> (Checked<'_>, Findings) {
        let lockfile = &self.lockfile;
        let mut checked = Checked {
            file: file.to_owned(),
            lockfile,
            paths: lockfile.paths(),
            findings: Vec::new(),
        };
        step::check(&mut checked, &self.manifests, &self.files);
        entries::check(&mut checked, &tree.path(""));
        patches::check(&mut checked, tree, &self.files);
        addresses::check(&mut checked, registries);
        let mut findings = Findings::of(tree);
        let client = self.files.client(lockfile);
        settings::check(&mut findings, &self.files, client);
        (checked, findings)
    }
}

async fn check(run: &Run<'_>, file: &Path, report: &mut v1::Check) -> Result<()> {
    let state = match State::now(run, file) {
        Ok(state) => state,
        Err((file, line, what)) => {
            report
                .findings
                .push(about_file(&UNREADABLE, &file, line, &what));
            return Ok(());
        }
    };
    let options = run.options;
    // Also if it was so before the change: the change may be to one of theirs.
    report.findings.extend(apart(
        &options.folder,
        options.lockfile.as_ref(),
        &state.manifests,
    ));
    let before = earlier(run, file, report);
    let registries = Registries::learn(run, &state, before.as_ref()).await?;
    let name = shown(file);
    let (mut checked, mut findings) = state.judge(&name, &run.tree, &registries);
    let (mut packages, new) = match &run.base {
        Some(base) => {
            let (packages, new) = since(
                base,
                before.as_ref(),
                &state,
                &registries,
                &mut checked,
                &mut findings,
            );
            let then = before.as_ref().map(|state| (state, base));
            patches::changes(&mut checked, (&state, &run.tree), then);
            if run.global.policy.is_none() {
                base::policy(&mut findings, &run.tree, base);
            }
            (packages, Some(new))
        }
        None => (Vec::new(), None),
    };
    let wanted = |id: NodeId| {
        new.as_ref()
            .is_none_or(|new: &HashSet<NodeId>| new.contains(&id))
    };
    // First, so that what is read for it is known to what follows.
    if run.base.is_some() {
        let then = before.as_ref().map(|state| &state.lockfile);
        match (&run.engine, &run.unable) {
            (Some(engine), _) => {
                let offline = run.options.offline;
                releases::assess(engine, offline, &mut checked, then, &mut packages).await;
            }
            (None, Some(why)) => releases::unassessed(why, &mut checked, &mut packages),
            (None, None) => {}
        }
    }
    let known = known(run, &state.lockfile, &wanted).await?;
    let (digests, same) = digests::check(&mut checked, &known, &wanted);
    entries::conditioned(&mut checked, &known, &wanted);
    addresses::prove(&mut checked, &registries, &same);
    let client = state.files.client(&state.lockfile);
    scripts::check(&mut checked, &state.files, client, &known, &wanted);
    checked.findings.sort_by_key(|finding| finding.line);
    report.findings.append(&mut checked.findings);
    // With several lockfiles the settings they share are told once.
    let told = &report.findings;
    findings
        .all
        .retain(|finding| !settings::is_told(told, finding));
    report.findings.append(&mut findings.all);
    if let Some(changes) = &mut report.changes {
        changes.packages.append(&mut packages);
    }
    let lockfile = &state.lockfile;
    report.lockfiles.push(CheckedLockfile {
        file: name,
        client: lockfile.format.client(),
        version: lockfile.version.clone(),
        packages: lockfile
            .nodes
            .iter()
            .filter(|node| !node.is_local())
            .count(),
        digests: Some(digests),
    });
    Ok(())
}

/// Leaves what is new since the base, and tells which packages and entries are.
fn since(
    base: &Tree,
    before: Option<&State>,
    state: &State,
    registries: &Registries,
    checked: &mut Checked<'_>,
    findings: &mut Findings,
) -> (Vec<ChangedPackage>, HashSet<NodeId>) {
    if let Some(before) = before {
        let (was_checked, was_findings) = before.judge(&checked.file, base, registries);
        let found = std::mem::take(&mut checked.findings);
        checked.findings = base::only_new(found, &was_checked.findings);
        let found = std::mem::take(&mut findings.all);
        findings.all = base::only_new(found, &was_findings.all);
    }
    let none = ClientFiles::default();
    let files = before.map_or(&none, |before| &before.files);
    base::registries(findings, &state.files, files);
    base::changes(checked, before.map(|before| &before.lockfile))
}

/// The project as it was, if that is wanted, was there, and can be read.
fn earlier(run: &Run<'_>, file: &Path, report: &mut v1::Check) -> Option<State> {
    let base = run.base.as_ref()?;
    let name = in_project(&run.options.folder, file)?;
    match State::then(base, &name, file) {
        Ok(state) => state,
        Err((file, line, what)) => {
            let what = format!("as it was before: {what}");
            report
                .findings
                .push(about_file(&BASE_UNREADABLE, &file, line, &what));
            None
        }
    }
}

/// The path of a file of the project in it, with slashes.
fn in_project(folder: &Path, file: &Path) -> Option<String> {
    let here = folder.as_os_str() == "." || folder.as_os_str().is_empty();
    let inside = match file.strip_prefix(folder) {
        Ok(inside) => inside,
        Err(_) if here && file.is_relative() => file,
        Err(_) => return None,
    };
    let normal = |it| matches!(it, Component::Normal(_) | Component::CurDir);
    let plain = inside.components().all(normal);
    plain.then(|| inside.to_string_lossy().replace('\\', "/"))
}

/// What is known of the entries that are wanted.
async fn known(
    run: &Run<'_>,
    lockfile: &Lockfile,
    wanted: &dyn Fn(NodeId) -> bool,
) -> Result<Known> {
    let options = run.options;
    let nodes: Vec<&Node> = lockfile
        .nodes
        .iter()
        .enumerate()
        .filter(|(id, _)| wanted(*id))
        .map(|(_, node)| node)
        .collect();
    let ask = options.online || (options.base.is_some() && !options.offline);
    let folder = std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
    let mut known = match &run.engine {
        Some(engine) if ask => {
            let mut known = Known::ask(engine, &nodes).await;
            known.contents(engine.store(), &nodes).await?;
            known
        }
        _ => Known::kept(run, &folder, &nodes).await?,
    };
    if let Some(why) = &run.unable {
        known.why = printable(why, 600);
    }
    known.installed(&options.folder, lockfile);
    Ok(known)
}

/// Reads a lockfile; else the line and what is wrong with it.
pub(super) fn read(file: &Path) -> Result<Lockfile, (u32, String)> {
    let text = files::read(file, weir_npm::lockfile::MAX_SIZE)
        .and_then(|text| text.ok_or_else(|| "there is no such file".to_owned()))
        .map_err(|why| (1, why))?;
    parse(file, &text)
}

fn parse(file: &Path, text: &[u8]) -> Result<Lockfile, (u32, String)> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Lockfile::parse(&name, text).map_err(|error| {
        let key = error
            .key
            .map(|key| format!("{key:?}: "))
            .unwrap_or_default();
        let known = match (&error.problem, Format::of(&name, text)) {
            (Problem::UnknownVersion(_), Some(Format::Npm)) => " (1 to 3 are)",
            (Problem::UnknownVersion(_), Some(Format::Pnpm)) => " (5.x, 6.x and 9.x are)",
            (Problem::UnknownVersion(_), Some(Format::Bun)) => " (0 to 3 are)",
            _ => "",
        };
        (error.line, format!("{key}{}{known}", error.problem))
    })
}

/// Reads a lockfile with the projects it is for, where its own format leaves them out.
pub(super) fn read_whole(folder: &Path, file: &Path) -> Result<Lockfile, (u32, String)> {
    let mut lockfile = read(file)?;
    if let Ok(manifests) = Manifests::in_folder(folder, &lockfile) {
        manifests.complete(&mut lockfile);
        super::locked::name_projects(&mut lockfile, &manifests);
    }
    Ok(lockfile)
}
