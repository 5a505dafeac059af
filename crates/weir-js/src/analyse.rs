//! The analysis of a package, as a list of steps.

use std::borrow::Cow;
use std::collections::HashSet;

use oxc_allocator::Allocator;
use weir_model::contents::{Flow, InstallStep, Place, Surface, Unread};

use crate::ability;
use crate::command::{Deed, Leak};
use crate::component;
use crate::flow;
use crate::modules::Modules;
use crate::parse::{self, Kind, Unparsed};
use crate::resolve::Resolver;
use crate::script::{self, Language};
use crate::slice;
use crate::survey::{self, Survey};
use crate::{Facts, Limits, Package, SourceFile, Unkept, place};

/// A source of code: a file of the package, or code given on a command line.
pub(crate) struct Code<'a> {
    pub(crate) path: Cow<'a, str>,
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) survey: Option<Survey>,
    pub(crate) failure: Option<Unparsed>,
    /// Its bytes are its text, as the survey found.
    pub(crate) is_utf8: bool,
    /// Given on a command line, or evaluated by other code.
    pub(crate) is_inline: bool,
    /// Where other code evaluates it: file and offset.
    pub(crate) within: Option<(u32, u32)>,
    /// The language as which something runs it, whatever it is named.
    pub(crate) run_as: Option<Language>,
}

/// Most files of a listed folder that are taken for loaded.
const LISTED: usize = 32;

/// Source and sink of a flow as file and offset, where they are JavaScript.
pub(crate) type Ends = (Option<(u32, u32)>, Option<(u32, u32)>);

/// Everything on the way to [`Facts`].
pub(crate) struct Work<'a> {
    pub(crate) package: &'a Package<'a>,
    pub(crate) limits: &'a Limits,
    pub(crate) resolver: Resolver<'a>,
    pub(crate) codes: Vec<Code<'a>>,
    pub(crate) modules: Modules,
    pub(crate) allocator: &'a mut Allocator,
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
    /// Code whose command lines were read with the package around them.
    pub(crate) lines_read: HashSet<usize>,
    /// What was started and could not be followed: where, and what, in words.
    pub(crate) unfollowed: Vec<(String, String)>,
    /// Something has run that may have left files behind.
    pub(crate) has_made_files: bool,
    /// Both ends of each flow in `facts`, as file and offset, where they are JavaScript.
    pub(crate) ends: Vec<Ends>,
    /// What configuration that is packed with the package runs, and that configuration.
    pub(crate) opened: Vec<usize>,
    /// Places that run as soon as their file is loaded, of those where that makes a difference.
    pub(crate) at_load: HashSet<(u32, u32)>,
}

/// Runs all steps. Called on a thread with a large stack.
pub(crate) fn run(package: &Package<'_>, limits: &Limits, allocator: &mut Allocator) -> Facts {
    let files = package.files.iter().map(Code::of);
    let unkept = package.unkept.iter().map(Code::unkept);
    let mut work = Work {
        package,
        limits,
        resolver: Resolver::new(package.files).with_unkept(package.files.len(), package.unkept),
        codes: files.chain(unkept).collect(),
        modules: Modules::default(),
        allocator,
        facts: Facts::default(),
        leaks: Vec::new(),
        deeds: Vec::new(),
        shell_hosts: Vec::new(),
        steps: Vec::new(),
        out_of_budget: false,
        folded: flow::Deeds::default(),
        scripts_read: HashSet::new(),
        lines_read: HashSet::new(),
        unfollowed: Vec::new(),
        has_made_files: false,
        ends: Vec::new(),
        opened: Vec::new(),
        at_load: HashSet::new(),
    };
    work.read_commands();
    work.read_configuration();
    work.modules = Modules::new(work.codes.len());
    work.survey_all();
    work.mark_surfaces();
    work.read_started();
    work.value_flow();
    work.read_started();
    work.report_leaks();
    work.report_loads();
    work.report_gates();
    work.report_abilities();
    work.report_unfollowed();
    work.report_unread();
    work.report_steps();
    work.finish()
}

impl<'a> Code<'a> {
    fn of(file: &SourceFile<'a>) -> Self {
        let bytes = match component::is_component(file.path) {
            true => Cow::Owned(component::code(file.bytes)),
            false => Cow::Borrowed(file.bytes),
        };
        Self {
            path: Cow::Borrowed(file.path),
            bytes,
            survey: None,
            failure: None,
            is_utf8: false,
            is_inline: false,
            within: None,
            run_as: None,
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
            run_as: None,
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

    pub(crate) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    pub(crate) fn is_javascript(&self) -> bool {
        self.is_inline || matches!(self.extension(), "js" | "cjs" | "mjs" | "jsx")
    }

    /// The language of a file that is no JavaScript, but a script.
    pub(crate) fn language(&self) -> Option<Language> {
        match self.is_inline || self.is_unkept() {
            true => None,
            false => script::language(&self.path, &self.bytes).or(self.run_as),
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

/// Why some of a file that was surveyed is not read, or not followed.
fn not_read(survey: &Survey) -> impl Iterator<Item = String> {
    let deep = || {
        let most = survey::TREE_DEPTH;
        format!("nested deeper than {most} levels, and not read below")
    };
    let many = || {
        let most = slice::MOST_PARTS;
        format!("hides what it does among more than {most} parts, and is not followed part by part")
    };
    let deep = survey.too_deep.then(deep);
    deep.into_iter().chain(survey.too_many_parts.then(many))
}

impl Work<'_> {
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
        first.extend(&self.opened);
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

    pub(crate) fn path_of(&self, index: usize) -> Option<&str> {
        self.codes.get(index).map(|code| &*code.path)
    }

    fn entries(&self) -> Vec<(Surface, usize)> {
        self.resolver.entries(&self.package.entries)
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
        let surveyed = self.parsed(index, kind).map(|mut survey| {
            // Of this size only what hides what it does is followed part by part.
            if length > self.limits.quiet_file_bytes && !survey.signs.dynamic {
                survey.parts = None;
                survey.too_many_parts = false;
            }
            survey
        });
        let Some(code) = self.codes.get_mut(index) else {
            return;
        };
        match surveyed {
            Ok(survey) => {
                let path = &code.path;
                let unread = |why| Unread {
                    path: path.clone().into_owned(),
                    why,
                    suspicious: true,
                };
                self.facts.unread.extend(not_read(&survey).map(unread));
                code.survey = Some(survey);
            }
            Err(failure) => code.failure = Some(failure),
        }
    }

    /// Parses a file and looks at it.
    fn parsed(&mut self, index: usize, kind: Kind) -> Result<Survey, Unparsed> {
        let Some(code) = self.codes.get_mut(index) else {
            return Ok(Survey::default());
        };
        let text = parse::decode(&code.bytes)?;
        code.is_utf8 = matches!(text, Cow::Borrowed(_));
        parse::with_program(
            self.allocator,
            &code.path,
            &text,
            kind,
            self.limits.bracket_depth,
            Survey::of,
        )
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
        while self.load_listed() {
            self.modules.mark(&roots, Surface::Install);
        }
        for (surface, index) in self.entries() {
            self.modules.mark(&[index], surface);
        }
        self.mark_opened();
    }

    /// What install runs and lists a folder to load what is in it does load it, as far as anybody can tell.
    /// Elsewhere that is how plugins are found. Returns whether there is more to load than before.
    fn load_listed(&mut self) -> bool {
        let mut found = Vec::new();
        for (index, code) in self.codes.iter().enumerate() {
            if let Some(survey) = &code.survey
                && self.modules.surfaces(index).has_install()
            {
                for folder in survey.seen.listed_loads() {
                    let files = self.resolver.folder(&code.path, &folder).into_iter();
                    let others = files.filter(|&file| file != index).take(LISTED);
                    found.extend(others.map(|file| (index, file)));
                }
            }
        }
        let joined = found
            .into_iter()
            .map(|(from, to)| self.modules.connect(from, to));
        joined.fold(false, |any, is_new| any | is_new)
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
