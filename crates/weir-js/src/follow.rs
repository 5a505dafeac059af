//! Which files the value flow looks at, and what comes of it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;

use oxc_ast::ast::Program;
use oxc_semantic::SemanticBuilder;
use oxc_span::Span;
use weir_model::contents::{Flow, Place, Step, Surface, Unread};

use crate::analyse::{Code, Work};
use crate::flow::{self, Modular, Outcome, Reported};
use crate::fold::Evaluator;
use crate::hash::Set;
use crate::report::leak_flow;
use crate::resolve::Resolver;
use crate::slice::{LeftOut, Nearby};
use crate::survey::{COMMANDS, Ends, KINDS, SECRETS, Survey, TEXT};
use crate::tables::targets;
use crate::{SourceFile, cut, parse, scan, slice};

/// How far apart, in loads between files, the two ends of a flow may be for the value flow to look.
/// Files that install reaches are looked at whatever the distance.
const DISTANCE: u8 = 2;
/// The same in packages of at most [`SMALL`] files, where following all of it costs nothing.
const DISTANCE_IN_SMALL: u8 = 6;
/// The same for what is done to files and programs, and for commands: the helper that does it lies beside its
/// caller, and nearly every tool has both ends somewhere.
const BESIDE: u8 = 1;
/// Most surveyed files of a small package.
const SMALL: u64 = 80;
/// Rounds of lowering what folding found: files that are loaded, code that is evaluated.
const ROUNDS: usize = 5;
/// Most pieces of evaluated code that are looked at.
const EVALUATED: usize = 32;
/// Deepest tree that takes part in the value flow, in nested expressions and statements.
pub(crate) const FLOW_DEPTH: u32 = 8_000;
/// From how many bytes on a group is followed carefully: see [`flow::Solver::is_careful`].
const CAREFUL: usize = 64 << 10;

/// Most places that a value of a carefully followed group may pass. Among the files of 2,054 real
/// releases everything that took a longer way was no flow but objects that many functions share.
const HOPS: usize = 10;

/// What is told where values make ever more of each other. No real release comes near that limit.
pub(crate) const OVERGROWN: &str =
    "stopped where values make too much of each other; what it found until then is reported";

/// How often steps of decoders count that come to nothing, in code that install does not reach.
const WASTE: u64 = 16;

/// Files that are followed together.
struct Group {
    files: Vec<usize>,
    /// Install reaches them: nothing is left out.
    installs: bool,
    holds_process: bool,
}

/// What was left out of the value flow.
#[derive(Default)]
struct Gaps {
    /// Files beyond the limit of bytes.
    files: usize,
    /// Large files that install does not reach.
    bundles: usize,
    /// Whether the solver ran out of steps or the install surface out of bytes.
    is_stopped: bool,
    /// Whether the solver ran out of room for what it made.
    is_overgrown: bool,
    /// Steps left for all groups that install does not reach.
    quiet_steps: u64,
}

impl Work<'_> {
    fn surveyed(&self, index: usize) -> Option<&Survey> {
        self.codes.get(index).and_then(|code| code.survey.as_ref())
    }

    /// Whether something in the package holds the process by another name: only then `x.env` may
    /// be the environment.
    fn holds_process(&self) -> bool {
        self.codes
            .iter()
            .filter_map(|code| code.survey.as_ref())
            .any(|survey| survey.process_by_alias)
    }

    /// The ends that a file has.
    fn ends(&self, index: usize, holds_process: bool) -> Ends {
        self.surveyed(index).map_or_else(Ends::default, |survey| {
            survey.signs.ends(holds_process, survey.named)
        })
    }

    /// Looks for names of what matters to others in files that write, remove or start what is not known, and
    /// beside them. Install is followed whatever it names.
    fn find_named(&mut self) {
        let is_followed = |index: &usize| {
            let surfaces = self.modules.surfaces(*index);
            !surfaces.has_install() && surfaces.strongest() != Surface::Unreferenced
        };
        let unsure: Vec<usize> = (0..self.codes.len())
            .filter(is_followed)
            .filter(|&index| {
                self.surveyed(index)
                    .is_some_and(|survey| survey.signs.unsure.verbs != 0)
            })
            .collect();
        if unsure.is_empty() {
            return;
        }
        let distances = self.modules.distances(&unsure, BESIDE);
        for (code, distance) in self.codes.iter_mut().zip(distances) {
            if distance <= BESIDE
                && let Some(survey) = &mut code.survey
            {
                survey.named = targets::kinds_in(&code.bytes);
            }
        }
    }

    /// Files that are near both ends: of secrets that leave, of text that becomes code or a command, of what is
    /// done to what matters to others.
    fn near_both(&self, holds_process: bool) -> Vec<usize> {
        let far = if self.facts.files_parsed <= SMALL {
            DISTANCE_IN_SMALL
        } else {
            DISTANCE
        };
        let ends: Vec<Ends> = (0..self.codes.len())
            .map(|index| self.ends(index, holds_process))
            .collect();
        let with = |bits: &dyn Fn(&Ends) -> bool| -> Vec<usize> {
            let ends = ends.iter().enumerate();
            ends.filter_map(|(index, ends)| bits(ends).then_some(index))
                .collect()
        };
        let mut near = vec![false; self.codes.len()];
        for kind in KINDS {
            let bound = match kind {
                SECRETS | TEXT => far,
                _ => BESIDE,
            };
            let sources = with(&|ends| ends.from & kind != 0);
            let sinks = with(&|ends| ends.to & kind != 0);
            if sources.is_empty() || sinks.is_empty() {
                continue;
            }
            let from_source = self.modules.distances(&sources, bound);
            let from_sink = self.modules.distances(&sinks, bound);
            for ((mark, source), sink) in near.iter_mut().zip(from_source).zip(from_sink) {
                *mark |= source.saturating_add(sink) <= bound;
            }
        }
        (0..self.codes.len())
            .filter(|&index| {
                near.get(index).is_some_and(|mark| *mark) && self.surveyed(index).is_some()
            })
            .collect()
    }

    /// What install reaches is one group; of the rest, files that load each other are.
    fn groups(&self) -> Vec<Group> {
        let holds_process = self.holds_process();
        let mut groups = Vec::new();
        let installs = |index: usize| self.modules.surfaces(index).has_install();
        let installed: Vec<usize> = (0..self.codes.len())
            .filter(|&index| installs(index) && self.surveyed(index).is_some())
            .collect();
        if !installed.is_empty() {
            groups.push(Group {
                files: self.in_order(installed),
                installs: true,
                holds_process,
            });
        }
        let near = self.near_both(holds_process);
        for files in self.modules.groups(&near) {
            if files.iter().all(|&index| installs(index)) {
                continue;
            }
            groups.push(Group {
                files: self.in_order(files),
                installs: false,
                holds_process,
            });
        }
        groups.retain(|group| group.installs || self.has_both_ends(group));
        groups
    }

    /// The budget goes to the strongest surfaces, to candidates, and to small files first.
    fn in_order(&self, mut files: Vec<usize>) -> Vec<usize> {
        files.sort_by_key(|&index| {
            let code = self.codes.get(index);
            (
                self.modules.surfaces(index).strongest(),
                !self.surveyed(index).is_some_and(Survey::is_candidate),
                code.is_some_and(|code| code.bytes.len() > slice::WHOLE),
                index,
            )
        });
        files
    }

    /// Without a source or without a sink there is nothing to follow. Code that install reaches is
    /// looked at even so: it may fold to both.
    fn has_both_ends(&self, group: &Group) -> bool {
        self.nearby(group, None).ends.both() != 0
    }

    /// What the files of a group have, but for one.
    fn nearby(&self, group: &Group, but: Option<usize>) -> Nearby {
        let mut nearby = Nearby {
            holds_process: group.holds_process,
            ..Nearby::default()
        };
        let others = group.files.iter().filter(|&&index| Some(index) != but);
        for &index in others {
            nearby.ends.add(self.ends(index, group.holds_process));
        }
        nearby
    }

    /// Follows values through every group.
    pub(crate) fn value_flow(&mut self) {
        self.find_named();
        let groups = self.groups();
        if groups.is_empty() {
            return;
        }
        parse::give_back(self.allocator);
        let around = Around {
            resolver: std::mem::take(&mut self.resolver),
            paths: RefCell::new(
                self.codes
                    .iter()
                    .map(|code| code.path.clone().into_owned())
                    .collect(),
            ),
            files: self.package.files,
            manifest: OnceCell::new(),
        };
        let mut gaps = Gaps {
            quiet_steps: self.limits.quiet_flow_steps.saturating_mul(6),
            ..Gaps::default()
        };
        for group in groups {
            self.follow(group, &around, &mut gaps);
        }
        self.resolver = around.resolver;
        if gaps.files > 0 {
            self.facts.unread.push(Unread {
                path: "value flow".to_owned(),
                why: format!(
                    "{} files that install does not reach were left out, beyond {} bytes that \
                     belong together",
                    gaps.files, self.limits.quiet_flow_bytes
                ),
                suspicious: false,
            });
        }
        if gaps.bundles > 0 {
            self.facts.unread.push(Unread {
                path: "value flow".to_owned(),
                why: format!(
                    "{} files of more than {} bytes that install does not reach were left out",
                    gaps.bundles, self.limits.quiet_file_bytes
                ),
                suspicious: false,
            });
        }
        if gaps.is_overgrown {
            self.facts.unread.push(Unread {
                path: "value flow".to_owned(),
                why: OVERGROWN.to_owned(),
                suspicious: true,
            });
        }
        if gaps.is_stopped {
            self.facts.unread.push(Unread {
                path: "value flow".to_owned(),
                why: "stopped at its limit of files or steps; what it found until then is reported"
                    .to_owned(),
                suspicious: false,
            });
        }
    }

    /// Whether a file is too large to be followed off the install surface.
    fn is_bundle(&self, index: usize) -> bool {
        let large = |code: &Code<'_>| code.bytes.len() > self.limits.quiet_file_bytes;
        self.codes.get(index).is_some_and(large)
            && !self
                .surveyed(index)
                .is_some_and(|survey| survey.signs.dynamic)
    }

    fn follow(&mut self, group: Group, around: &Around<'_>, gaps: &mut Gaps) {
        let budget = if group.installs {
            self.limits.flow_steps
        } else {
            self.limits.quiet_flow_steps.min(gaps.quiet_steps)
        };
        let limit = if group.installs {
            self.limits.flow_bytes
        } else {
            self.limits.quiet_flow_bytes
        };
        let mut solver = flow::Solver::new(around, budget);
        let ends = self.nearby(&group, None).ends;
        solver.graph.follows_code =
            group.installs || ends.to & TEXT != 0 || ends.both() & COMMANDS != 0;
        solver.graph.installs = group.installs;
        let mut lowered = HashSet::new();
        let mut bytes = 0_usize;
        let mut next = group.files.clone();
        for _ in 0..ROUNDS {
            let mut is_new = false;
            for index in std::mem::take(&mut next) {
                if lowered.contains(&index) || self.surveyed(index).is_none() {
                    continue;
                }
                if !group.installs && self.is_bundle(index) {
                    gaps.bundles += 1;
                    continue;
                }
                if bytes > limit {
                    if group.installs {
                        gaps.is_stopped = true;
                    } else {
                        gaps.files += 1;
                    }
                    continue;
                }
                lowered.insert(index);
                if let Some(size) = self.lower(index, &group, &mut solver.graph) {
                    bytes += size;
                    is_new = true;
                }
            }
            if !is_new {
                break;
            }
            solver.is_careful = !group.installs && bytes > CAREFUL;
            match solver.solve() {
                Outcome::Complete => {}
                Outcome::Stopped => {
                    gaps.is_stopped = true;
                    break;
                }
                Outcome::Overgrown => {
                    gaps.is_overgrown = true;
                    break;
                }
            }
            // A file that is evaluated is loaded.
            next = self.newly_evaluated(&mut solver, around);
            next.extend(self.newly_loaded(&solver, &around.resolver));
        }
        if !group.installs {
            gaps.quiet_steps = gaps.quiet_steps.saturating_sub(solver.graph.steps);
        }
        self.facts.files_in_flow += lowered.len() as u64;
        self.folded.append(solver.deeds());
        let reported = solver.report(self.limits.flows.saturating_mul(2));
        for one in reported {
            if solver.is_careful && one.steps.len() > HOPS {
                continue;
            }
            let ends = (Some(one.source_place), Some(one.sink_place));
            let flow = self.flow(one);
            self.add_flow(flow, ends);
        }
        for (file, offset, leak) in solver.constant_commands() {
            let sink_place = self.place((file, offset));
            let surface = self.modules.surfaces(file as usize).strongest();
            let ends = (None, Some((file, offset)));
            self.add_flow(leak_flow(leak, sink_place, surface), ends);
        }
    }

    /// Code that folding found to be evaluated, as files of their own.
    fn newly_evaluated(
        &mut self,
        solver: &mut flow::Solver<'_>,
        around: &Around<'_>,
    ) -> Vec<usize> {
        let mut found = Vec::new();
        for one in solver.newly_evaluated() {
            let evaluated = self.codes.iter().filter(|code| code.within.is_some());
            if evaluated.count() >= EVALUATED {
                break;
            }
            let Some(path) = self
                .codes
                .get(one.file as usize)
                .map(|code| code.path.clone().into_owned())
            else {
                continue;
            };
            let index = self.codes.len();
            let at = (one.file, one.offset);
            self.codes.push(Code::evaluated(&path, &one.text, at));
            around.paths.borrow_mut().push(path);
            self.modules.add(one.file as usize);
            self.survey_one(index);
            // Code that only folding brought to light may itself run what it fetches.
            let runs_text = self
                .surveyed(index)
                .is_some_and(|survey| survey.signs.runs_text);
            solver.graph.follows_code |= runs_text;
            let file = u32::try_from(index).unwrap_or(u32::MAX);
            solver.graph.evaluated_as(file, one.file, one.out);
            found.push(index);
        }
        found
    }

    /// Files that folding found to be loaded. Their surfaces are those of the files that load them.
    fn newly_loaded(&mut self, solver: &flow::Solver<'_>, resolver: &Resolver<'_>) -> Vec<usize> {
        let mut found = Vec::new();
        for &(from, to) in &solver.loads {
            let is_started = solver.started.contains(&(from, to));
            let is_evaluated = solver.evaluates(to);
            let (from, to) = (from as usize, to as usize);
            if !self.modules.join(from, to, is_started) {
                continue;
            }
            if self.codes.get(to).is_some_and(|code| {
                let may_run = code.may_run() || is_evaluated;
                code.survey.is_none() && code.failure.is_none() && may_run
            }) {
                self.survey_one(to);
                let Some(code) = self.codes.get(to) else {
                    continue;
                };
                let imports = code
                    .survey
                    .as_ref()
                    .map_or(&[][..], |survey| survey.imports.as_slice());
                for specifier in imports {
                    if let Some(next) = resolver.resolve(&code.path, specifier) {
                        self.modules.connect(to, next);
                    }
                }
            }
            found.push(to);
        }
        if found.is_empty() {
            return found;
        }
        let reached = self.modules.reach(&found);
        let roots: Vec<usize> = self
            .steps
            .iter()
            .flat_map(|(_, roots)| roots.clone())
            .collect();
        self.modules.mark(&roots, Surface::Install);
        let entries = resolver.entries(&self.package.entries);
        for (surface, index) in entries {
            self.modules.mark(&[index], surface);
        }
        reached
    }

    /// Adds a file to the graph. Gives the bytes that were lowered; nothing where that failed.
    fn lower(&mut self, index: usize, group: &Group, graph: &mut flow::Graph) -> Option<usize> {
        let kind = self.kind(index);
        let code = self.codes.get(index)?;
        let survey = code.survey.as_ref()?;
        if survey.deepest > FLOW_DEPTH {
            self.facts.unread.push(Unread {
                path: code.path.clone().into_owned(),
                why: format!(
                    "nested deeper than {FLOW_DEPTH} levels, so not part of the value flow"
                ),
                suspicious: true,
            });
            return None;
        }
        let is_cut = !group.installs && code.bytes.len() > slice::WHOLE;
        let text = parse::decode(&code.bytes).ok()?;
        let left_out = match &survey.parts {
            Some(parts) if is_cut => {
                let named = match survey.named {
                    0 => Vec::new(),
                    _ => targets::named(text.as_bytes()),
                };
                parts.left_out(self.nearby(group, Some(index)), &named)
            }
            _ => LeftOut {
                bytes_left: code.bytes.len(),
                ..LeftOut::default()
            },
        };
        if left_out.bytes_left == 0 && is_cut {
            return None;
        }
        let rest = match left_out.cuts.as_slice() {
            [] => None,
            cuts => cut::without(&text, cuts),
        };
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        let may_compute = !is_cut || survey.signs.dynamic;
        // A cut that leaves what does not parse costs time, but nothing is lost.
        for text in rest.as_deref().into_iter().chain([&*text]) {
            let lowered = parse::with_checked(self.allocator, &code.path, text, kind, |program| {
                let computes = may_compute && scan::computes(text.as_bytes());
                let waste = if group.installs { 1 } else { WASTE };
                graph.reserve(left_out.bytes_left);
                lower(
                    program,
                    file,
                    graph,
                    computes.then_some(waste),
                    &left_out.spans,
                    !code.is_inline,
                );
            });
            if lowered.is_ok() {
                return Some(left_out.bytes_left);
            }
        }
        None
    }

    fn flow(&self, reported: Reported) -> Flow {
        let surfaces = |file: u32| self.modules.surfaces(file as usize);
        let surface = surfaces(reported.source_place.0).common(surfaces(reported.sink_place.0));
        let source_place = self.place(reported.source_place);
        let sink_place = self.place(reported.sink_place);
        let mut steps: Vec<Step> = Vec::new();
        for (step, folded) in reported.steps {
            let place = self.place(step);
            let same = |other: &Place| other.path == place.path && other.line == place.line;
            // A step on the line of an end is worth telling for what it folds to.
            let is_end = same(&source_place) || same(&sink_place);
            if (is_end && folded.is_none()) || steps.iter().any(|step| same(&step.place)) {
                continue;
            }
            steps.push(Step { place, folded });
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
            steps,
            sink: reported.sink,
            sink_detail: reported.sink_detail,
            sink_place,
            surface: surface.strongest(),
            gates: Vec::new(),
            at_load: false,
        }
    }
}

/// Adds a parsed file to the graph. Where it may have decoders these are run, and their steps in
/// vain count `waste` times.
fn lower(
    program: &Program<'_>,
    file: u32,
    graph: &mut flow::Graph,
    waste: Option<u64>,
    left_out: &Set<Span>,
    is_module: bool,
) {
    let semantic = SemanticBuilder::new()
        .with_build_nodes(waste.is_some())
        .build(program)
        .semantic;
    let (scoping, nodes) = semantic.into_scoping_and_nodes();
    let evaluator = waste.map(|waste| Evaluator::new(&nodes, &scoping, graph.fold_steps, waste));
    flow::lower(
        graph, file, program, &scoping, evaluator, left_out, is_module,
    );
}

/// The package as the solver sees it.
struct Around<'a> {
    resolver: Resolver<'a>,
    paths: RefCell<Vec<String>>,
    files: &'a [SourceFile<'a>],
    /// The package's own manifest, read when it is first asked for.
    manifest: OnceCell<Option<serde_json::Value>>,
}

impl Modular for Around<'_> {
    fn resolve(&self, file: u32, specifier: &str) -> Option<u32> {
        let paths = self.paths.borrow();
        let from = paths.get(file as usize)?;
        u32::try_from(self.resolver.resolve(from, specifier)?).ok()
    }

    fn at_root(&self, path: &str) -> Option<u32> {
        u32::try_from(self.resolver.entry(path)?).ok()
    }

    fn path(&self, file: u32) -> Option<String> {
        self.paths.borrow().get(file as usize).cloned()
    }

    fn folder(&self, file: u32, folder: &str) -> Vec<u32> {
        let paths = self.paths.borrow();
        let Some(from) = paths.get(file as usize) else {
            return Vec::new();
        };
        let files = self.resolver.folder(from, folder);
        files
            .into_iter()
            .filter_map(|index| u32::try_from(index).ok())
            .collect()
    }

    fn chunk(&self, file: u32, key: &str) -> Option<u32> {
        let paths = self.paths.borrow();
        let from = paths.get(file as usize)?;
        u32::try_from(self.resolver.chunk(from, key)?).ok()
    }

    fn manifest(&self, variable: &str) -> Option<String> {
        let manifest = self.manifest.get_or_init(|| {
            let file = self.files.iter().find(|file| file.path == "package.json")?;
            let is_short = file.bytes.len() <= 1 << 20;
            is_short.then(|| serde_json::from_slice(file.bytes).ok())?
        });
        manifest_field(manifest.as_ref()?, variable)
    }

    fn json(&self, file: u32) -> Option<serde_json::Value> {
        let file = self.files.get(file as usize)?;
        if !file.path.ends_with(".json") || file.bytes.len() > 1 << 18 {
            return None;
        }
        serde_json::from_slice(file.bytes).ok()
    }
}

/// The field of a manifest that npm hands over as a variable, by what follows `npm_package_`:
/// `config_a_b` is `config.a.b` or `config["a_b"]`.
fn manifest_field(value: &serde_json::Value, name: &str) -> Option<String> {
    if name.is_empty() {
        return match value {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
    }
    let fields = value.as_object()?;
    fields.iter().find_map(|(key, inner)| {
        // Whatever no variable's name may hold becomes an underscore.
        let key: String = key
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let rest = name.strip_prefix(&key)?;
        match rest.strip_prefix('_') {
            Some(rest) => manifest_field(inner, rest),
            None if rest.is_empty() => manifest_field(inner, rest),
            None => None,
        }
    })
}
