//! The analysis of a package, as a list of steps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use oxc_allocator::Allocator;
use weir_model::contents::{Flow, Gate, GateKind, InstallStep, Place, Surface, Unread};

use crate::ability::{self, Collected};
use crate::command::{self, Deed, Leak};
use crate::flow;
use crate::follow::FLOW_DEPTH;
use crate::modules::{Modules, Surfaces};
use crate::parse::{self, Kind, Unparsed};
use crate::resolve::Resolver;
use crate::script::{self, Language};
use crate::survey::{self, Survey};
use crate::{Facts, Limits, Package, SourceFile, Unkept, gyp, place, scan};

/// Most entries of `unread`; more say nothing new.
const UNREAD: usize = 200;
/// Largest file in which conditions around a flow are looked for, in bytes. In a large one, which
/// holds many programs, they say little and cost a parse each.
const GATED: usize = 512 << 10;
/// Most gyp files of a package that are read, and most of their commands.
const GYP_FILES: usize = 256;
const GYP_COMMANDS: usize = 512;
/// Longest part of one that is read, in bytes.
const GYP_TEXT: usize = 4 << 20;
/// Event of what `binding.gyp` runs.
const GYP: &str = "binding.gyp";

/// Where the command of an event stands.
pub(crate) fn own_path(event: &str) -> &'static str {
    if event == GYP { GYP } else { "package.json" }
}

/// A source of code: a file of the package, or code given on a command line.
pub(crate) struct Code<'a> {
    pub(crate) path: Cow<'a, str>,
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) survey: Option<Survey>,
    pub(crate) failure: Option<Unparsed>,
    /// Its bytes are its text, as the survey found.
    is_utf8: bool,
    /// Given on a command line, or evaluated by other code.
    pub(crate) is_inline: bool,
    /// Where other code evaluates it: file and offset.
    pub(crate) within: Option<(u32, u32)>,
}

/// Source and sink of a flow as file and offset, where they are JavaScript.
pub(crate) type Ends = (Option<(u32, u32)>, Option<(u32, u32)>);

/// Everything on the way to [`Facts`].
pub(crate) struct Work<'a> {
    pub(crate) package: &'a Package<'a>,
    pub(crate) limits: &'a Limits,
    pub(crate) resolver: Resolver<'a>,
    pub(crate) codes: Vec<Code<'a>>,
    pub(crate) modules: Modules,
    pub(crate) allocator: Allocator,
    pub(crate) facts: Facts,
    /// Leaks of shell text: where, and on which surface.
    pub(crate) leaks: Vec<(String, usize, Leak)>,
    /// What shell text is able to do: where.
    pub(crate) deeds: Vec<(String, Deed)>,
    /// Hosts that shell text names: where, and the text around.
    pub(crate) shell_hosts: Vec<(String, String, String)>,
    /// Roots of each install step.
    pub(crate) steps: Vec<(InstallStep, Vec<usize>)>,
    pub(crate) out_of_budget: bool,
    /// What the value flow saw code do.
    pub(crate) folded: flow::Deeds,
    /// Scripts in other languages that were read.
    pub(crate) scripts_read: HashSet<usize>,
    /// Both ends of each flow in `facts`, as file and offset, where they are JavaScript.
    ends: Vec<Ends>,
}

/// Runs all steps. Called on a thread with a large stack.
pub(crate) fn run(package: &Package<'_>, limits: &Limits) -> Facts {
    let files = package.files.iter().map(Code::of);
    let unkept = package.unkept.iter().map(Code::unkept);
    let mut work = Work {
        package,
        limits,
        resolver: Resolver::new(package.files).with_unkept(package.files.len(), package.unkept),
        codes: files.chain(unkept).collect(),
        modules: Modules::default(),
        allocator: Allocator::default(),
        facts: Facts::default(),
        leaks: Vec::new(),
        deeds: Vec::new(),
        shell_hosts: Vec::new(),
        steps: Vec::new(),
        out_of_budget: false,
        folded: flow::Deeds::default(),
        scripts_read: HashSet::new(),
        ends: Vec::new(),
    };
    work.read_commands();
    work.modules = Modules::new(work.codes.len());
    work.survey_all();
    work.mark_surfaces();
    work.read_started();
    work.value_flow();
    work.read_started();
    work.report_leaks();
    work.report_gates();
    work.report_abilities();
    work.report_unread();
    work.report_steps();
    work.finish()
}

impl<'a> Code<'a> {
    fn of(file: &SourceFile<'a>) -> Self {
        Self {
            path: Cow::Borrowed(file.path),
            bytes: Cow::Borrowed(file.bytes),
            survey: None,
            failure: None,
            is_utf8: false,
            is_inline: false,
            within: None,
        }
    }

    /// A file of which only the name is known.
    fn unkept(file: &Unkept<'a>) -> Self {
        Self {
            failure: Some(Unparsed::Unkept(file.why.to_owned())),
            ..Self::of(&SourceFile {
                path: file.path,
                bytes: b"",
            })
        }
    }

    fn is_unkept(&self) -> bool {
        matches!(self.failure, Some(Unparsed::Unkept(_)))
    }

    pub(crate) fn inline(code: &str) -> Self {
        Self {
            path: Cow::Borrowed("package.json"),
            bytes: Cow::Owned(code.as_bytes().to_vec()),
            survey: None,
            failure: None,
            is_utf8: false,
            is_inline: true,
            within: None,
        }
    }

    /// Code that is evaluated at a place of a file.
    pub(crate) fn evaluated(path: &str, text: &str, at: (u32, u32)) -> Self {
        Self {
            path: Cow::Owned(path.to_owned()),
            within: Some(at),
            ..Self::inline(text)
        }
    }

    fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    fn is_javascript(&self) -> bool {
        self.is_inline || matches!(self.extension(), "js" | "cjs" | "mjs" | "jsx")
    }

    /// The language of a file that is no JavaScript, but a script.
    pub(crate) fn language(&self) -> Option<Language> {
        match self.is_inline || self.is_unkept() {
            true => None,
            false => script::language(&self.path, &self.bytes),
        }
    }

    /// Whether it may be JavaScript when something runs it.
    pub(crate) fn may_run(&self) -> bool {
        self.is_javascript()
            || matches!(self.extension(), "ts" | "tsx" | "mts" | "cts")
            || !matches!(
                self.extension(),
                "json" | "node" | "wasm" | "css" | "md" | "html" | "exe" | "dll" | "so" | "dylib"
            ) && self.language().is_none()
    }
}

impl Work<'_> {
    /// Install commands, `binding.gyp`, and the shell scripts they run.
    fn read_commands(&mut self) {
        let mut commands = self.package.install_commands.clone();
        let runs_own_install = commands
            .iter()
            .any(|(event, _)| event == "install" || event == "preinstall");
        let has_gyp = self.package.files.iter().any(|file| file.path == GYP);
        // npm runs `node-gyp rebuild` by itself only where neither script is given.
        if has_gyp && self.package.gypfile != Some(false) && !runs_own_install {
            commands.push((GYP.to_owned(), "node-gyp rebuild".to_owned()));
        }
        let mut folders: Vec<String> = Vec::new();
        for (_, command) in &commands {
            folders.extend(command::read(command, &self.package.scripts).node_gyp);
        }
        let (built, in_part) = self.gyp_commands(&folders);
        commands.extend(built.into_iter().map(|command| (GYP.to_owned(), command)));
        for path in &in_part {
            self.tell_in_part(path);
        }
        for (event, command) in commands {
            let mut roots = self.read_command(&event, &command);
            roots.extend(self.programs_of(&command));
            // What was followed in part is told of where it stands.
            let own = own_path(&event);
            let mut reaches = in_part.clone();
            if self.is_in_part(own) {
                reaches.push(own.to_owned());
            }
            let step = InstallStep {
                event,
                command,
                reaches,
            };
            self.steps.push((step, roots));
        }
    }

    /// What `binding.gyp` in these folders runs, and what it takes in does: its includes, those that
    /// node-gyp adds, and the files that are built before it. Then the files that were read in part.
    fn gyp_commands(&self, folders: &[String]) -> (Vec<String>, Vec<String>) {
        let mut found: Vec<String> = Vec::new();
        let mut in_part: Vec<String> = Vec::new();
        // Files, and the folder of the one that is built: there the commands run.
        let mut wanted: Vec<(String, String)> = Vec::new();
        for folder in folders {
            let folder = folder.trim_start_matches("./").trim_matches('/');
            for file in [GYP, "config.gypi", "common.gypi"] {
                let path = format!("{folder}/{file}");
                let path = path.trim_start_matches('/').to_owned();
                wanted.push((path, folder.to_owned()));
            }
        }
        let mut seen: BTreeSet<(usize, String)> = BTreeSet::new();
        let mut at = 0;
        while let Some((path, folder)) = wanted.get(at).cloned() {
            at += 1;
            let Some(index) = self.resolver.entry(&path) else {
                continue;
            };
            let Some(file) = self.package.files.get(index) else {
                continue;
            };
            if !seen.insert((index, folder.clone())) {
                continue;
            }
            if seen.len() > GYP_FILES {
                in_part.push(file.path.to_owned());
                break;
            }
            let text = String::from_utf8_lossy(file.bytes.get(..GYP_TEXT).unwrap_or(file.bytes));
            let gyp = gyp::read(&text);
            if gyp.in_part || file.bytes.len() > GYP_TEXT {
                in_part.push(file.path.to_owned());
            }
            let own = file.path.rsplit_once('/').map_or("", |(own, _)| own);
            let includes = gyp.includes.iter().map(|path| format!("{own}/{path}"));
            wanted.extend(includes.map(|path| (path, folder.clone())));
            for path in &gyp.dependencies {
                let path = format!("{folder}/{path}");
                let below = path.rsplit_once('/').map_or("", |(below, _)| below);
                let below = below.trim_start_matches('/').to_owned();
                wanted.push((path, below));
            }
            found.extend(
                gyp.commands
                    .into_iter()
                    .map(|command| match folder.is_empty() {
                        true => command,
                        false => format!("cd '{}' && {command}", folder.replace('\'', "")),
                    }),
            );
            if found.len() > GYP_COMMANDS {
                in_part.push(file.path.to_owned());
                found.truncate(GYP_COMMANDS);
                break;
            }
        }
        in_part.dedup();
        (found, in_part)
    }

    /// Programs of a command line that are JavaScript by being run as it, whatever they are named:
    /// `node README.md`.
    fn programs_of(&mut self, command: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for path in command::read(command, &self.package.scripts).programs {
            let entry = self.resolver.entry(&path);
            let Some(index) = entry.or_else(|| self.elsewhere(&path)) else {
                continue;
            };
            let (Some(code), Ok(file)) = (self.codes.get(index), u32::try_from(index)) else {
                continue;
            };
            if code.may_run() || code.extension() == "json" || code.language().is_some() {
                continue;
            }
            let text = String::from_utf8_lossy(&code.bytes).into_owned();
            let code = Code::evaluated(&code.path, &text, (file, 0));
            found.push(self.codes.len());
            self.codes.push(code);
        }
        found
    }

    /// The cheap look at all JavaScript, and at whatever else the commands and entries run.
    fn survey_all(&mut self) {
        let mut wanted: Vec<usize> = (0..self.codes.len())
            .filter(|&index| self.codes.get(index).is_some_and(Code::is_javascript))
            .collect();
        // What install runs is looked at first, should the budget not suffice.
        let mut first: Vec<usize> = self
            .steps
            .iter()
            .flat_map(|(_, roots)| roots.clone())
            .collect();
        first.extend(self.entries().into_iter().map(|(_, index)| index));
        first.retain(|&index| self.codes.get(index).is_some_and(Code::may_run));
        first.append(&mut wanted);
        let mut index = 0;
        while let Some(&next) = first.get(index) {
            index += 1;
            let before = self
                .codes
                .get(next)
                .is_some_and(|code| code.survey.is_some() || code.failure.is_some());
            if before {
                continue;
            }
            self.survey_one(next);
            // Files that are no JavaScript by name may be loaded by it.
            for other in self.connect(next) {
                if self
                    .codes
                    .get(other)
                    .is_some_and(|code| !code.is_javascript() && code.may_run())
                {
                    first.push(other);
                }
            }
        }
    }

    fn entries(&self) -> Vec<(Surface, usize)> {
        self.package
            .entries
            .iter()
            .filter_map(|(surface, path)| Some((*surface, self.resolver.entry(path)?)))
            .collect()
    }

    pub(crate) fn kind(&self, index: usize) -> Kind {
        let is_inline = self.codes.get(index).is_some_and(|code| code.is_inline);
        Kind {
            module: !is_inline && self.package.module_type == Some("module"),
        }
    }

    pub(crate) fn survey_one(&mut self, index: usize) {
        let kind = self.kind(index);
        let Some(code) = self.codes.get_mut(index) else {
            return;
        };
        let length = code.bytes.len();
        if length > self.limits.file_bytes {
            code.failure = Some(Unparsed::TooLarge(self.limits.file_bytes));
            return;
        }
        let total = self.facts.javascript_bytes.saturating_add(length as u64);
        if total > self.limits.total_bytes as u64 {
            self.out_of_budget = true;
            return;
        }
        self.facts.javascript_bytes = total;
        self.facts.files_parsed += 1;
        let surveyed = parse::decode(&code.bytes).and_then(|text| {
            code.is_utf8 = matches!(text, Cow::Borrowed(_));
            parse::with_program(
                &mut self.allocator,
                &code.path,
                &text,
                kind,
                self.limits.bracket_depth,
                Survey::of,
            )
        });
        match surveyed {
            Ok(survey) => {
                if survey.too_deep {
                    self.facts.unread.push(Unread {
                        path: code.path.clone().into_owned(),
                        why: format!(
                            "nested deeper than {} levels, and not read below",
                            survey::TREE_DEPTH
                        ),
                        suspicious: true,
                    });
                }
                code.survey = Some(survey);
            }
            Err(failure) => code.failure = Some(failure),
        }
    }

    /// Adds the edges of a surveyed file; gives the files it loads.
    pub(crate) fn connect(&mut self, index: usize) -> Vec<usize> {
        let Some(code) = self.codes.get(index) else {
            return Vec::new();
        };
        let Some(survey) = code.survey.as_ref() else {
            return Vec::new();
        };
        let imports = survey.imports.iter().filter_map(|specifier| {
            let to = self.resolver.resolve(&code.path, specifier)?;
            Some((to, survey.starts.contains(specifier)))
        });
        // Commands run in the folder of whoever installs, scripts mostly lie beside their code.
        let scripts = survey.seen.started().iter().filter_map(|path| {
            let beside = match path.strip_prefix(ability::OWN) {
                Some(rest) => format!(".{rest}"),
                None => format!("./{path}"),
            };
            let to = self
                .resolver
                .resolve(&code.path, &beside)
                .or_else(|| self.resolver.entry(path))?;
            Some((to, true))
        });
        let found: Vec<(usize, bool)> = imports.chain(scripts).collect();
        for &(to, is_started) in &found {
            self.modules.join(index, to, is_started);
        }
        found.into_iter().map(|(to, _)| to).collect()
    }

    pub(crate) fn mark_surfaces(&mut self) {
        let roots: Vec<usize> = self
            .steps
            .iter()
            .flat_map(|(_, roots)| roots.clone())
            .collect();
        self.modules.mark(&roots, Surface::Install);
        for (surface, index) in self.entries() {
            self.modules.mark(&[index], surface);
        }
    }

    pub(crate) fn place(&self, (file, offset): (u32, u32)) -> Place {
        let within = self.codes.get(file as usize).and_then(|code| code.within);
        let found = self.place_in(file, offset);
        match within {
            // Evaluated code is shown where it is evaluated.
            Some((outer, at)) if outer < file => Place {
                snippet: found.snippet,
                ..self.place((outer, at))
            },
            _ => found,
        }
    }

    fn place_in(&self, file: u32, offset: u32) -> Place {
        match self.codes.get(file as usize) {
            // Offsets are those of the text, which differs from the bytes where these are broken.
            Some(code) if code.is_utf8 => place::at(&code.path, &code.bytes, offset as usize),
            Some(code) => match parse::decode(&code.bytes) {
                Ok(text) => place::at(&code.path, &*text, offset as usize),
                Err(_) => place::at(&code.path, "", 0),
            },
            None => place::at("", "", 0),
        }
    }

    /// Adds a flow unless one between the same lines is there.
    pub(crate) fn add_flow(&mut self, flow: Flow, ends: Ends) {
        let is_known = self.facts.flows.iter().any(|other| {
            other.source == flow.source
                && other.source_detail == flow.source_detail
                && other.sink == flow.sink
                && other.source_place.path == flow.source_place.path
                && other.source_place.line == flow.source_place.line
                && other.sink_place.path == flow.sink_place.path
                && other.sink_place.line == flow.sink_place.line
        });
        if !is_known {
            self.facts.flows.push(flow);
            self.ends.push(ends);
        }
    }

    fn report_leaks(&mut self) {
        let leaks = std::mem::take(&mut self.leaks);
        for (path, offset, leak) in leaks {
            let mut place = match self
                .codes
                .iter()
                .find(|code| code.path == path && !code.is_inline)
            {
                Some(code) => place::at(&path, &*String::from_utf8_lossy(&code.bytes), offset),
                None => place::at(&path, "", 0),
            };
            place.snippet.clone_from(&leak.snippet);
            if path == "package.json" {
                place.line = self.line_in_manifest(&leak.snippet);
            }
            let surface = self.surface_of(&path);
            self.add_flow(leak_flow(leak, place, surface), (None, None));
        }
    }

    /// The line of the manifest that holds a command; JSON escapes may hide it, then line 1.
    fn line_in_manifest(&self, snippet: &str) -> u32 {
        let manifest = self
            .package
            .files
            .iter()
            .find(|file| file.path == "package.json");
        let first: String = snippet
            .chars()
            .take_while(|c| !matches!(c, '"' | '\\'))
            .collect();
        manifest
            .and_then(|file| {
                let text = String::from_utf8_lossy(file.bytes);
                let at = text.find(&first)?;
                Some(place::at("package.json", &*text, at).line)
            })
            .unwrap_or(1)
    }

    /// What every file is able to do and to whom it talks, and the same of shell text.
    fn report_abilities(&mut self) {
        let mut collected = Collected::default();
        for (index, code) in self.codes.iter().enumerate() {
            let Some(survey) = &code.survey else {
                continue;
            };
            let surfaces = self.modules.surfaces(index).list();
            let file = u32::try_from(index).unwrap_or(u32::MAX);
            collected.file(&code.path, &surfaces, &survey.seen, |offset| {
                self.place((file, offset))
            });
        }
        for (path, deed) in std::mem::take(&mut self.deeds) {
            let place = self.shell_place(&path, &deed.snippet);
            let sure = ability::Sure::Exact;
            let surface = self.surface_of(&path);
            collected.add(sure, deed.kind, &deed.detail, place, surface);
        }
        for (path, host, text) in std::mem::take(&mut self.shell_hosts) {
            let place = self.shell_place(&path, &crate::place::clean(&text));
            collected.host(&host, &text, place, self.surface_of(&path));
        }
        self.add_folded(&mut collected);
        (self.facts.capabilities, self.facts.hosts) = collected.finish();
    }

    /// What became known by folding only.
    fn add_folded(&mut self, collected: &mut Collected) {
        let folded = std::mem::take(&mut self.folded);
        for (kind, detail, place) in folded.abilities {
            for surface in self.modules.surfaces(place.0 as usize).list() {
                let place = self.place(place);
                collected.add(ability::Sure::Loaded, kind, &detail, place, surface);
            }
        }
        for (touch, file) in folded.touches {
            let surfaces = self.modules.surfaces(file as usize);
            let place = self.place((file, touch.offset));
            let Some((kind, detail)) = ability::judged(&touch, &place.path, surfaces.has_install())
            else {
                continue;
            };
            for surface in surfaces.list() {
                let sure = ability::Sure::Exact;
                collected.add(sure, kind, &detail, place.clone(), surface);
            }
        }
        for (host, place) in folded.hosts {
            let surface = self.modules.surfaces(place.0 as usize).strongest();
            let place = self.place(place);
            let text = place.snippet.clone();
            collected.host(&host, &text, place, surface);
        }
    }

    /// Where a command stands in a script or in the manifest.
    fn shell_place(&self, path: &str, snippet: &str) -> Place {
        let mut place = match self
            .codes
            .iter()
            .find(|code| code.path == path && !code.is_inline && path != "package.json")
        {
            Some(code) => {
                let text = String::from_utf8_lossy(&code.bytes);
                let offset = text.find(snippet).unwrap_or(0);
                place::at(path, &*text, offset)
            }
            None => place::at(path, "", 0),
        };
        snippet.clone_into(&mut place.snippet);
        if path == "package.json" {
            place.line = self.line_in_manifest(snippet);
        }
        place
    }

    /// Conditions around both ends of the flows. Their files are parsed once more for it: there are
    /// few flows, and nearly always few files.
    fn report_gates(&mut self) {
        let mut flows = std::mem::take(&mut self.facts.flows);
        let ends = std::mem::take(&mut self.ends);
        let mut offsets: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (file, offset) in ends
            .iter()
            .flat_map(|&(source, sink)| [sink, source])
            .flatten()
        {
            offsets.entry(file).or_default().insert(offset);
        }
        let mut around: BTreeMap<(u32, u32), Vec<(GateKind, u32)>> = BTreeMap::new();
        for (file, offsets) in offsets {
            self.gates(file, &offsets, &mut around);
        }
        for (flow, (source, sink)) in flows.iter_mut().zip(ends) {
            for end in [sink, source].into_iter().flatten() {
                for &(kind, offset) in around.get(&end).into_iter().flatten() {
                    if flow.gates.iter().all(|gate| gate.kind != kind) {
                        let place = self.place((end.0, offset));
                        flow.gates.push(Gate { kind, place });
                    }
                }
            }
        }
        self.facts.flows = flows;
    }

    /// Adds the conditions around places of one file.
    fn gates(
        &mut self,
        file: u32,
        offsets: &BTreeSet<u32>,
        around: &mut BTreeMap<(u32, u32), Vec<(GateKind, u32)>>,
    ) {
        let kind = self.kind(file as usize);
        let Some(code) = self.codes.get(file as usize) else {
            return;
        };
        let is_small = code.bytes.len() <= GATED
            && code
                .survey
                .as_ref()
                .is_some_and(|survey| survey.deepest <= FLOW_DEPTH);
        let (true, Ok(text)) = (is_small, parse::decode(&code.bytes)) else {
            return;
        };
        // What does not parse has no flows either.
        let _ = parse::with_checked(&mut self.allocator, &code.path, &text, kind, |program| {
            for &offset in offsets {
                around.insert((file, offset), ability::gates(program, offset));
            }
        });
    }

    fn report_steps(&mut self) {
        let steps = std::mem::take(&mut self.steps);
        for (mut step, roots) in steps {
            let mut reaches: Vec<String> = self
                .modules
                .reach(&roots)
                .into_iter()
                .filter_map(|index| self.codes.get(index))
                .filter(|code| !code.is_inline)
                .map(|code| code.path.clone().into_owned())
                .collect();
            reaches.append(&mut step.reaches);
            reaches.sort_unstable();
            reaches.dedup();
            step.reaches = reaches;
            self.facts.install_steps.push(step);
        }
    }

    fn report_unread(&mut self) {
        let mut unread = Vec::new();
        for (index, code) in self.codes.iter().enumerate() {
            let Some(failure) = &code.failure else {
                continue;
            };
            let surfaces = self.modules.surfaces(index);
            let found = match self.unkept_file(index) {
                Some(file) => self.unread_unkept(index, file, failure, surfaces),
                None => Some(Self::unread(code, failure, surfaces)),
            };
            unread.extend(found.map(|found| (surfaces.has_install(), found)));
        }
        // What runs at install time is told first, however much else there is.
        unread.sort_by_key(|(installs, _)| !installs);
        let mut unread: Vec<Unread> = unread.into_iter().map(|(_, one)| one).collect();
        if self.out_of_budget {
            unread.push(Unread {
                path: "javascript".to_owned(),
                why: format!(
                    "more than {} bytes in all; the rest was not parsed",
                    self.limits.total_bytes
                ),
                suspicious: false,
            });
        }
        self.facts.unread.append(&mut unread);
        self.facts.unread.sort_by_key(|one| !one.suspicious);
        self.facts.unread.truncate(UNREAD);
    }

    fn unkept_file(&self, index: usize) -> Option<&Unkept<'_>> {
        let index = index.checked_sub(self.package.files.len())?;
        self.package.unkept.get(index)
    }

    /// A file whose bytes are not at hand, where something runs it or it is worth telling by itself. Code that only
    /// imports reach counts as well: whoever wants it unread makes it large.
    fn unread_unkept(
        &self,
        index: usize,
        file: &Unkept<'_>,
        failure: &Unparsed,
        surfaces: Surfaces,
    ) -> Option<Unread> {
        let is_started = self.steps.iter().any(|(_, roots)| roots.contains(&index));
        let runs = surfaces.strongest() != Surface::Unreferenced && (file.is_code || is_started);
        (runs || file.is_told).then(|| Unread {
            path: file.path.to_owned(),
            why: failure.to_string(),
            suspicious: runs && !surfaces.has_install(),
        })
    }

    fn unread(code: &Code<'_>, failure: &Unparsed, surfaces: Surfaces) -> Unread {
        let words = scan::words(&code.bytes);
        let installs = surfaces.has_install();
        let suspicious = match failure {
            Unparsed::Guarded(_) => true,
            // A program named like a script; what merely runs by being called is one openly.
            Unparsed::Binary(_) => code.is_javascript(),
            // Padding must not make a payload harmless: where something runs it, its words count.
            Unparsed::TooLarge(_) => {
                surfaces.strongest() != Surface::Unreferenced && words.is_pair()
            }
            // Told where it was kept from being read.
            Unparsed::Unkept(_) => false,
            // Text given on a command line may not be JavaScript after all: a shell or gyp takes
            // its part of it first. There the words count.
            Unparsed::Syntax(_) => {
                installs && ((code.is_javascript() && !code.is_inline) || words.is_pair())
            }
        };
        Unread {
            path: code.path.clone().into_owned(),
            why: format!("{failure}; {}", words.describe()),
            suspicious,
        }
    }

    fn finish(mut self) -> Facts {
        self.facts.flows.sort_by_key(|flow| flow.surface);
        self.facts.flows.truncate(self.limits.flows);
        for (index, file) in self.package.files.iter().enumerate() {
            let surface = self.modules.surfaces(index).strongest();
            if surface != Surface::Unreferenced {
                self.facts.surfaces.insert(file.path.to_owned(), surface);
            }
        }
        self.facts
    }
}

pub(crate) fn leak_flow(leak: Leak, place: Place, surface: Surface) -> Flow {
    Flow {
        source: leak.source.kind,
        source_detail: leak.source.detail,
        source_place: place.clone(),
        steps: Vec::new(),
        sink: leak.sink,
        sink_detail: leak.sink_detail,
        sink_place: place,
        surface,
        gates: Vec::new(),
    }
}
