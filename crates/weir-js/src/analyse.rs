//! The analysis of a package, as a list of steps.

use std::borrow::Cow;
use std::collections::HashSet;

use oxc_allocator::Allocator;
use oxc_semantic::SemanticBuilder;
use weir_model::contents::{Flow, InstallStep, Place, Step, Surface, Unread};

use crate::command::{self, Leak};
use crate::fold::Evaluator;
use crate::flow::{self, Modular, Outcome, Reported};
use crate::modules::{Modules, Surfaces};
use crate::parse::{self, Kind, Unparsed};
use crate::resolve::Resolver;
use crate::survey::{self, Survey};
use crate::{Facts, Limits, Package, SourceFile, gyp, place, scan};

/// How far apart, in loads between files, the two ends of a flow may be for the value flow to look.
/// Files that install reaches are looked at whatever the distance.
const DISTANCE: u8 = 2;
/// The same in packages of at most [`SMALL`] files, where following all of it costs nothing.
const DISTANCE_IN_SMALL: u8 = 6;
/// Most surveyed files of a small package.
const SMALL: u64 = 80;
/// Rounds of lowering files that folding found to be loaded.
const ROUNDS: usize = 4;
/// Most entries of `unread`; more say nothing new.
const UNREAD: usize = 200;
/// Deepest tree that takes part in the value flow, in nested expressions and statements.
const FLOW_DEPTH: u32 = 8_000;
/// Event of what `binding.gyp` runs.
const GYP: &str = "binding.gyp";

/// A source of code: a file of the package, or code given on a command line.
struct Code<'a> {
    path: Cow<'a, str>,
    bytes: Cow<'a, [u8]>,
    survey: Option<Survey>,
    failure: Option<Unparsed>,
    is_inline: bool,
}

/// Everything on the way to [`Facts`].
struct Work<'a> {
    package: &'a Package<'a>,
    limits: &'a Limits,
    resolver: Resolver<'a>,
    codes: Vec<Code<'a>>,
    modules: Modules,
    allocator: Allocator,
    facts: Facts,
    /// Leaks of shell text: where, and on which surface.
    leaks: Vec<(String, usize, Leak)>,
    /// Roots of each install step.
    steps: Vec<(InstallStep, Vec<usize>)>,
    out_of_budget: bool,
}

/// Runs all steps. Called on a thread with a large stack.
pub(crate) fn run(package: &Package<'_>, limits: &Limits) -> Facts {
    let mut work = Work {
        package,
        limits,
        resolver: Resolver::new(package.files),
        codes: package.files.iter().map(Code::of).collect(),
        modules: Modules::default(),
        allocator: Allocator::default(),
        facts: Facts::default(),
        leaks: Vec::new(),
        steps: Vec::new(),
        out_of_budget: false,
    };
    work.read_commands();
    work.modules = Modules::new(work.codes.len());
    work.survey_all();
    work.mark_surfaces();
    work.value_flow();
    work.report_leaks();
    work.report_steps();
    work.report_unread();
    work.finish()
}

impl<'a> Code<'a> {
    fn of(file: &SourceFile<'a>) -> Self {
        Self {
            path: Cow::Borrowed(file.path),
            bytes: Cow::Borrowed(file.bytes),
            survey: None,
            failure: None,
            is_inline: false,
        }
    }

    fn inline(code: &str) -> Self {
        Self {
            path: Cow::Borrowed("package.json"),
            bytes: Cow::Owned(code.as_bytes().to_vec()),
            survey: None,
            failure: None,
            is_inline: true,
        }
    }

    fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    fn is_javascript(&self) -> bool {
        self.is_inline || matches!(self.extension(), "js" | "cjs" | "mjs" | "jsx")
    }

    fn is_shell(&self) -> bool {
        matches!(self.extension(), "sh" | "bash" | "cmd" | "bat" | "ps1")
            || self.bytes.starts_with(b"#!/bin/sh")
            || self.bytes.starts_with(b"#!/bin/bash")
            || self.bytes.starts_with(b"#!/usr/bin/env bash")
            || self.bytes.starts_with(b"#!/usr/bin/env sh")
    }

    /// Whether it may be JavaScript when something runs it.
    fn may_run(&self) -> bool {
        self.is_javascript()
            || matches!(self.extension(), "ts" | "tsx" | "mts" | "cts")
            || !matches!(
                self.extension(),
                "json"
                    | "node"
                    | "wasm"
                    | "css"
                    | "md"
                    | "html"
                    | "py"
                    | "rb"
                    | "pl"
                    | "exe"
                    | "dll"
                    | "so"
                    | "dylib"
                    | "txt"
            ) && !self.is_shell()
    }
}

impl Work<'_> {
    /// Install commands, `binding.gyp`, and the shell scripts they run.
    fn read_commands(&mut self) {
        let mut commands = self.package.install_commands.clone();
        let runs_own_install = commands
            .iter()
            .any(|(event, _)| event == "install" || event == "preinstall");
        let gyp = self.package.files.iter().find(|file| file.path == GYP);
        if let Some(gyp) = gyp
            && self.package.gypfile != Some(false)
        {
            let text = String::from_utf8_lossy(gyp.bytes.get(..1 << 20).unwrap_or(gyp.bytes));
            let expansions = gyp::commands(&text);
            let builds = commands
                .iter()
                .any(|(_, command)| command::read(command, &self.package.scripts).node_gyp);
            // npm runs `node-gyp rebuild` by itself only where neither script is given.
            if !runs_own_install {
                commands.push((GYP.to_owned(), "node-gyp rebuild".to_owned()));
            }
            if !runs_own_install || builds {
                commands.extend(
                    expansions
                        .into_iter()
                        .map(|command| (GYP.to_owned(), command)),
                );
            }
        }
        for (event, command) in commands {
            let roots = self.read_command(&event, &command);
            self.steps.push((
                InstallStep {
                    event,
                    command,
                    reaches: Vec::new(),
                },
                roots,
            ));
        }
    }

    /// One command line; gives the code it starts.
    fn read_command(&mut self, event: &str, command: &str) -> Vec<usize> {
        let path = if event == GYP { GYP } else { "package.json" };
        let mut roots = Vec::new();
        let mut queue = vec![(path.to_owned(), command.to_owned())];
        let mut seen = HashSet::new();
        while let Some((path, text)) = queue.pop() {
            let reading = command::read(&text, &self.package.scripts);
            let line_of = |leak: &Leak| text.find(leak.snippet.as_str()).unwrap_or(0);
            for leak in reading.leaks {
                let at = line_of(&leak);
                self.leaks.push((path.clone(), at, leak));
            }
            for code in reading.inline {
                roots.push(self.codes.len());
                self.codes.push(Code::inline(&code));
            }
            for file in reading.files {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let beside = format!("{folder}/{file}");
                let Some(index) = self
                    .resolver
                    .entry(&file)
                    .or_else(|| self.resolver.entry(&beside))
                else {
                    continue;
                };
                if !seen.insert(index) {
                    continue;
                }
                roots.push(index);
                if let Some(code) = self.codes.get(index)
                    && code.is_shell()
                {
                    let text = String::from_utf8_lossy(&code.bytes).into_owned();
                    queue.push((code.path.clone().into_owned(), text));
                }
            }
        }
        roots
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

    fn kind(&self, index: usize) -> Kind {
        let is_inline = self.codes.get(index).is_some_and(|code| code.is_inline);
        Kind {
            module: !is_inline && self.package.module_type == Some("module"),
        }
    }

    fn survey_one(&mut self, index: usize) {
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
    fn connect(&mut self, index: usize) -> Vec<usize> {
        let Some(code) = self.codes.get(index) else {
            return Vec::new();
        };
        let imports = code
            .survey
            .as_ref()
            .map_or(&[][..], |survey| survey.imports.as_slice());
        let found: Vec<usize> = imports
            .iter()
            .filter_map(|specifier| self.resolver.resolve(&code.path, specifier))
            .collect();
        for &to in &found {
            self.modules.connect(index, to);
        }
        found
    }

    fn mark_surfaces(&mut self) {
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

    /// Files for the value flow: all that install reaches, and candidates near a counterpart.
    fn chosen(&self) -> Vec<usize> {
        let surveyed = |index: usize| self.codes.get(index).and_then(|code| code.survey.as_ref());
        let all = 0..self.codes.len();
        // `x.env` is the environment only if something holds the process.
        let holds_process = all
            .clone()
            .any(|index| surveyed(index).is_some_and(|survey| survey.process_by_alias));
        let sources: Vec<usize> = all
            .clone()
            .filter(|&index| surveyed(index).is_some_and(|survey| survey.may_read(holds_process)))
            .collect();
        let sinks: Vec<usize> = all
            .clone()
            .filter(|&index| surveyed(index).is_some_and(|survey| survey.sink || survey.dynamic))
            .collect();
        let bound = if self.facts.files_parsed <= SMALL {
            DISTANCE_IN_SMALL
        } else {
            DISTANCE
        };
        let from_source = self.modules.distances(&sources, bound);
        let from_sink = self.modules.distances(&sinks, bound);
        let near = |index: usize| {
            let distance = |list: &[u8]| list.get(index).copied().unwrap_or(u8::MAX);
            let (source, sink) = (distance(&from_source), distance(&from_sink));
            source.saturating_add(sink) <= bound
        };
        let mut chosen: Vec<usize> = all
            .filter(|&index| {
                surveyed(index).is_some()
                    && (self.modules.surfaces(index).has_install() || near(index))
            })
            .collect();
        // The budget goes to the strongest surfaces and to candidates first.
        chosen.sort_by_key(|&index| {
            let is_candidate = surveyed(index).is_some_and(Survey::is_candidate);
            (
                self.modules.surfaces(index).strongest(),
                !is_candidate,
                index,
            )
        });
        chosen
    }

    fn value_flow(&mut self) {
        let mut chosen = self.chosen();
        if !self.has_both_ends(&chosen) {
            return;
        }
        let around = Around {
            resolver: std::mem::take(&mut self.resolver),
            paths: self
                .codes
                .iter()
                .map(|code| code.path.clone().into_owned())
                .collect(),
            files: self.package.files,
        };
        let mut solver = flow::Solver::new(&around, self.limits.flow_steps);
        let mut lowered = HashSet::new();
        let mut bytes = 0_usize;
        let mut outcome = Outcome::Complete;
        let mut left_out = 0_usize;
        for _ in 0..ROUNDS {
            let mut is_new = false;
            for &index in &chosen {
                let Some(code) = self.codes.get(index) else {
                    continue;
                };
                if lowered.contains(&index) || code.survey.is_none() {
                    continue;
                }
                let total = bytes.saturating_add(code.bytes.len());
                let installs = self.modules.surfaces(index).has_install();
                if total > self.limits.flow_bytes {
                    outcome = Outcome::Stopped;
                    continue;
                }
                if !installs && total > self.limits.quiet_flow_bytes {
                    left_out += 1;
                    continue;
                }
                bytes += code.bytes.len();
                lowered.insert(index);
                is_new |= self.lower(index, &mut solver.graph);
            }
            if !is_new {
                break;
            }
            if solver.solve() == Outcome::Stopped {
                outcome = Outcome::Stopped;
            }
            chosen = self.newly_loaded(&solver.loads, &around.resolver);
        }
        self.facts.files_in_flow = lowered.len() as u64;
        if left_out > 0 {
            self.facts.unread.push(Unread {
                path: "value flow".to_owned(),
                why: format!(
                    "{left_out} files that install does not reach were left out, beyond {} bytes",
                    self.limits.quiet_flow_bytes
                ),
                suspicious: false,
            });
        }
        if outcome == Outcome::Stopped {
            self.facts.unread.push(Unread {
                path: "value flow".to_owned(),
                why: "stopped at its limit of files or steps; what it found until then is reported"
                    .to_owned(),
                suspicious: false,
            });
        }
        let reported = solver.report(self.limits.flows.saturating_mul(2));
        let commands = solver.constant_commands();
        self.resolver = around.resolver;
        for one in reported {
            let flow = self.flow(one);
            self.add_flow(flow);
        }
        for (file, offset, leak) in commands {
            let sink_place = self.place((file, offset));
            let surface = self.modules.surfaces(file as usize).strongest();
            self.add_flow(leak_flow(leak, sink_place, surface));
        }
    }

    /// Without a source or without a sink there is nothing to follow.
    fn has_both_ends(&self, chosen: &[usize]) -> bool {
        let any = |test: &dyn Fn(&Survey) -> bool| {
            chosen.iter().any(|&index| {
                self.codes
                    .get(index)
                    .and_then(|code| code.survey.as_ref())
                    .is_some_and(test)
            })
        };
        // Code that install reaches is looked at even if it seems to have neither: it may fold to both.
        let installs = chosen
            .iter()
            .any(|&index| self.modules.surfaces(index).has_install());
        installs
            || (any(&|survey| survey.may_read(true))
                && any(&|survey| survey.sink || survey.dynamic))
    }

    /// Files that folding found to be loaded. Their surfaces are those of the files that load them.
    fn newly_loaded(&mut self, loads: &[(u32, u32)], resolver: &Resolver<'_>) -> Vec<usize> {
        let mut found = Vec::new();
        for &(from, to) in loads {
            let (from, to) = (from as usize, to as usize);
            if !self.modules.connect(from, to) {
                continue;
            }
            if self.codes.get(to).is_some_and(|code| {
                code.survey.is_none() && code.failure.is_none() && code.may_run()
            }) {
                self.survey_one(to);
                let path = self
                    .codes
                    .get(to)
                    .map(|code| code.path.clone().into_owned())
                    .unwrap_or_default();
                let imports = self
                    .codes
                    .get(to)
                    .and_then(|code| code.survey.as_ref())
                    .map_or_else(Vec::new, |survey| survey.imports.clone());
                for specifier in imports {
                    if let Some(next) = resolver.resolve(&path, &specifier) {
                        self.modules.connect(to, next);
                    }
                }
            }
            found.push(to);
        }
        let reached = self.modules.reach(&found);
        let roots: Vec<usize> = self
            .steps
            .iter()
            .flat_map(|(_, roots)| roots.clone())
            .collect();
        self.modules.mark(&roots, Surface::Install);
        let entries: Vec<(Surface, usize)> = self
            .package
            .entries
            .iter()
            .filter_map(|(surface, path)| Some((*surface, resolver.entry(path)?)))
            .collect();
        for (surface, index) in entries {
            self.modules.mark(&[index], surface);
        }
        reached
    }

    fn lower(&mut self, index: usize, graph: &mut flow::Graph) -> bool {
        let kind = self.kind(index);
        let Some(code) = self.codes.get(index) else {
            return false;
        };
        let is_deep = code
            .survey
            .as_ref()
            .is_none_or(|survey| survey.deepest > FLOW_DEPTH);
        if is_deep {
            self.facts.unread.push(Unread {
                path: code.path.clone().into_owned(),
                why: format!(
                    "nested deeper than {FLOW_DEPTH} levels, so not part of the value flow"
                ),
                suspicious: true,
            });
            return false;
        }
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        let Ok(text) = parse::decode(&code.bytes) else {
            return false;
        };
        parse::with_program(
            &mut self.allocator,
            &code.path,
            &text,
            kind,
            self.limits.bracket_depth,
            |program| {
                let computes = scan::computes(&code.bytes);
                let semantic = SemanticBuilder::new()
                    .with_build_nodes(computes)
                    .build(program)
                    .semantic;
                let (scoping, nodes) = semantic.into_scoping_and_nodes();
                let evaluator =
                    computes.then(|| Evaluator::new(&nodes, &scoping, graph.fold_steps));
                flow::lower(graph, file, program, &scoping, evaluator);
            },
        )
        .is_ok()
    }

    fn place(&self, (file, offset): (u32, u32)) -> Place {
        match self.codes.get(file as usize) {
            Some(code) => match parse::decode(&code.bytes) {
                Ok(text) => place::at(&code.path, &text, offset as usize),
                Err(_) => place::at(&code.path, "", 0),
            },
            None => place::at("", "", 0),
        }
    }

    fn flow(&self, reported: Reported) -> Flow {
        let surfaces = |file: u32| self.modules.surfaces(file as usize);
        let surface = surfaces(reported.source_place.0).common(surfaces(reported.sink_place.0));
        let source_place = self.place(reported.source_place);
        let sink_place = self.place(reported.sink_place);
        let mut steps: Vec<Place> = Vec::new();
        for step in reported.steps {
            let step = self.place(step);
            let same = |other: &Place| other.path == step.path && other.line == step.line;
            if !same(&source_place) && !same(&sink_place) && !steps.iter().any(same) {
                steps.push(step);
            }
        }
        // The way out matters more than the way in.
        if steps.len() > 8 {
            let tail = steps.split_off(steps.len() - 4);
            steps.truncate(4);
            steps.extend(tail);
        }
        Flow {
            source: reported.source,
            source_detail: reported.source_detail,
            source_place,
            steps: steps
                .into_iter()
                .map(|place| Step {
                    place,
                    folded: None,
                })
                .collect(),
            sink: reported.sink,
            sink_detail: reported.sink_detail,
            sink_place,
            surface: surface.strongest(),
            gates: Vec::new(),
        }
    }

    /// Adds a flow unless one between the same lines is there.
    fn add_flow(&mut self, flow: Flow) {
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
                Some(code) => place::at(&path, &String::from_utf8_lossy(&code.bytes), offset),
                None => place::at(&path, "", 0),
            };
            place.snippet.clone_from(&leak.snippet);
            if path == "package.json" {
                place.line = self.line_in_manifest(&leak.snippet);
            }
            self.add_flow(leak_flow(leak, place, Surface::Install));
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
                Some(place::at("package.json", &text, at).line)
            })
            .unwrap_or(1)
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
            unread.push(self.unread(code, failure, surfaces));
        }
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

    fn unread(&self, code: &Code<'_>, failure: &Unparsed, surfaces: Surfaces) -> Unread {
        let words = scan::words(&code.bytes);
        let installs = surfaces.has_install();
        let suspicious = match failure {
            Unparsed::Guarded(_) => true,
            // A program named like a script; what merely runs by being called is one openly.
            Unparsed::Binary(_) => code.is_javascript(),
            // Padding must not make a payload harmless: on the install surface its words count.
            Unparsed::TooLarge(_) => installs && words.is_pair(),
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
        self.facts
    }
}

fn leak_flow(leak: Leak, place: Place, surface: Surface) -> Flow {
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

/// The package as the solver sees it.
struct Around<'a> {
    resolver: Resolver<'a>,
    paths: Vec<String>,
    files: &'a [SourceFile<'a>],
}

impl Modular for Around<'_> {
    fn resolve(&self, file: u32, specifier: &str) -> Option<u32> {
        let from = self.paths.get(file as usize)?;
        u32::try_from(self.resolver.resolve(from, specifier)?).ok()
    }

    fn json(&self, file: u32) -> Option<serde_json::Value> {
        let file = self.files.get(file as usize)?;
        if !file.path.ends_with(".json") || file.bytes.len() > 1 << 18 {
            return None;
        }
        serde_json::from_slice(file.bytes).ok()
    }
}
