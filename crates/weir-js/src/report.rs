//! What was found in a package, as facts.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::contents::{Flow, Gate, GateKind, Place, Surface, Unread};

use crate::ability::{self, Collected};
use crate::analyse::{Code, Work};
use crate::command::Leak;
use crate::follow::FLOW_DEPTH;
use crate::installs::own_path;
use crate::modules::Surfaces;
use crate::parse::{self, Unparsed};
use crate::survey::Survey;
use crate::{Unkept, place, scan};

/// Most entries of `unread`; more say nothing new.
const UNREAD: usize = 200;
/// Largest file in which conditions around a flow are looked for, in bytes. In a large one, which
/// holds many programs, they say little and cost a parse each.
const GATED: usize = 512 << 10;

impl Code<'_> {
    /// Whether a file is small and flat enough to be parsed once more for what is asked of a few of its places.
    pub(crate) fn is_small(&self) -> bool {
        let is_flat = |survey: &Survey| survey.deepest <= FLOW_DEPTH;
        self.bytes.len() <= GATED && self.survey.as_ref().is_some_and(is_flat)
    }
}

impl Work<'_> {
    pub(crate) fn report_leaks(&mut self) {
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
                let at = found_in(&text, &first)?;
                Some(place::at("package.json", &*text, at).line)
            })
            .unwrap_or(1)
    }

    /// What every file is able to do and to whom it talks, and the same of shell text.
    pub(crate) fn report_abilities(&mut self) {
        let mut collected = Collected::default();
        for (index, code) in self.codes.iter().enumerate() {
            let Some(survey) = &code.survey else {
                continue;
            };
            let surfaces = self.modules.surfaces(index).list();
            let file = u32::try_from(index).unwrap_or(u32::MAX);
            let loaded = |offset| self.at_load.contains(&(file, offset));
            let whose = (&*code.path, self.package.name);
            collected.file(whose, &surfaces, &survey.seen, loaded, |offset| {
                self.place((file, offset))
            });
        }
        for (path, deed) in std::mem::take(&mut self.deeds) {
            let place = self.shell_place(&path, &deed.snippet);
            let sure = ability::Sure::Exact;
            let surface = self.surface_of(&path);
            let detail = &deed.detail;
            collected.add(sure, deed.kind, detail, place, surface, false);
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
            let at_load = self.at_load.contains(&place);
            for surface in self.modules.surfaces(place.0 as usize).list() {
                let (sure, place) = (ability::Sure::Loaded, self.place(place));
                collected.add(sure, kind, &detail, place, surface, at_load);
            }
        }
        for (touch, file) in folded.touches {
            let surfaces = self.modules.surfaces(file as usize);
            let place = self.place((file, touch.offset));
            let stand = ability::Stand {
                file: &place.path,
                at_install: surfaces.has_install(),
                package: self.package.name,
            };
            let Some((kind, detail)) = ability::judged(&touch, stand) else {
                continue;
            };
            for surface in surfaces.list() {
                let sure = ability::Sure::Exact;
                collected.add(sure, kind, &detail, place.clone(), surface, false);
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
                let offset = found_in(&text, snippet).unwrap_or(0);
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
    pub(crate) fn report_gates(&mut self) {
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
        let (true, Ok(text)) = (code.is_small(), parse::decode(&code.bytes)) else {
            return;
        };
        // What does not parse has no flows either.
        let _ = parse::with_checked(self.allocator, &code.path, &text, kind, |program| {
            let gates = ability::Gates::of(program);
            for &offset in offsets {
                around.insert((file, offset), gates.before(offset));
            }
        });
    }

    pub(crate) fn report_steps(&mut self) {
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
            // Code of the command line itself that could not be read.
            let is_unread = |index: &usize| {
                let code = self.codes.get(*index);
                code.is_some_and(|code| code.is_inline && code.failure.is_some())
            };
            if roots.iter().any(is_unread) {
                reaches.push(own_path(&step.event));
            }
            reaches.append(&mut step.reaches);
            reaches.sort_unstable();
            reaches.dedup();
            step.reaches = reaches;
            self.facts.install_steps.push(step);
        }
    }

    pub(crate) fn report_unread(&mut self) {
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
        // A file may put many texts together that it evaluates, as templates do. It is one file.
        let mut told: BTreeSet<(String, bool)> = BTreeSet::new();
        unread.retain(|(_, one)| {
            !one.is_evaluated() || told.insert((one.path.clone(), one.suspicious))
        });
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
        let of = match code.is_inline {
            true => format!("{} ", Unread::EVALUATED),
            false => String::new(),
        };
        Unread {
            path: code.path.clone().into_owned(),
            why: format!("{of}{failure}; {}", words.describe()),
            suspicious,
        }
    }
}

/// Where a command stands in a text. Of a pipeline that is written in another way, where its first program does.
pub(crate) fn found_in(text: &str, snippet: &str) -> Option<usize> {
    text.find(snippet).or_else(|| {
        let (first, _) = snippet.split_once(" | ")?;
        text.find(first)
    })
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
        at_load: false,
    }
}
