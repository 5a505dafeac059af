//! What a release looks like inside, as an analyst would note it: how an attack works, chain by
//! chain, and what is new in it.

use weir_engine::Profile;
use weir_model::contents::{Flow, InstallStep, Place, SourceKind, Surface};
use weir_model::{Action, Assessment, Contents, Difference, Finding, Severity};
use weir_signals::{Comparison, Layer};

use super::changes::{changes, new_behaviour};
use super::words::{at, flow, sentence, short};
use super::{line, style};
use crate::counted::counted;

/// Chains told step by step; the findings have the rest.
const CHAINS: usize = 5;

/// Steps of one chain besides its two ends.
const STEPS: usize = 8;

/// The flows that a finding is about, each once, in the order of the findings.
pub(super) fn chains<'a>(assessment: &Assessment, contents: &'a Contents) -> Vec<&'a Flow> {
    let mut chains: Vec<&Flow> = Vec::new();
    for finding in &assessment.findings {
        if finding.severity == Severity::Info {
            continue;
        }
        for flow in &contents.flows {
            // The same thing read in several places for one end is one chain.
            let same = |other: &&Flow| {
                (other.source, other.sink, &other.sink_place)
                    == (flow.source, flow.sink, &flow.sink_place)
                    && other.source_detail == flow.source_detail
            };
            if weir_signals::tells(finding, flow) && !chains.iter().any(same) {
                chains.push(flow);
            }
        }
    }
    chains
}

/// Which of the chains told above a finding is about, counted from 1.
pub(super) fn told(finding: &Finding, chains: &[&Flow]) -> Vec<usize> {
    (1..)
        .zip(chains.iter().take(CHAINS))
        .filter(|(_, flow)| weir_signals::tells(finding, flow))
        .map(|(number, _)| number)
        .collect()
}

/// How an attack works.
pub(super) fn incident(out: &mut String, chains: &[&Flow], contents: &Contents, action: Action) {
    if chains.is_empty() {
        return;
    }
    heading(out, "How it works");
    for (number, chain) in (1..).zip(chains.iter().take(CHAINS)) {
        line(
            out,
            format_args!("    {number}. {}", sentence(&flow(chain))),
        );
        told_chain(out, chain, contents);
    }
    let left_out = chains.len().saturating_sub(CHAINS);
    if left_out > 0 {
        let more = counted(left_out, "more way", "more ways");
        line(out, format_args!("    and {more}; the findings name them"));
    }
    if action >= Action::Hold {
        if_it_ran(out, chains);
    }
}

fn told_chain(out: &mut String, flow: &Flow, contents: &Contents) {
    let mut steps = Steps {
        out: &mut *out,
        last: None,
    };
    steps.tell("read", &flow.source_place, None);
    let ends = [&flow.source_place, &flow.sink_place];
    let between = flow.steps.iter().filter(|it| !ends.contains(&&it.place));
    for it in between.clone().take(STEPS) {
        steps.tell("then", &it.place, it.folded.as_deref());
    }
    let left_out = between.count().saturating_sub(STEPS);
    if left_out > 0 {
        let more = counted(left_out, "more step", "more steps");
        line(steps.out, format_args!("       ...    {more}"));
    }
    let last = if flow.sink.leaves() { "sent" } else { "used" };
    steps.tell(last, &flow.sink_place, None);
    line(
        out,
        format_args!("       runs   {}", started_by(flow, contents)),
    );
    for gate in &flow.gates {
        line(
            out,
            format_args!(
                "       only   {} ({})",
                gate.kind.in_words(),
                at(&gate.place)
            ),
        );
    }
}

/// The steps of a chain, one after the other.
struct Steps<'o, 'p> {
    out: &'o mut String,
    last: Option<&'p Place>,
}

impl<'p> Steps<'_, 'p> {
    /// Tells a step. A line that is shown already is not shown once more: in code that is all on one line its
    /// beginning would stand there for each step.
    fn tell(&mut self, what: &str, place: &'p Place, folded: Option<&str>) {
        let text = match self.last {
            Some(last) if last == place => "further on in the same line".to_owned(),
            _ => short(&place.snippet),
        };
        self.last = Some(place);
        line(
            self.out,
            format_args!("       {what}   {}  {text}", at(place)),
        );
        if let Some(folded) = folded {
            line(
                self.out,
                format_args!("              which is {:?}", short(folded)),
            );
        }
    }
}

/// What starts the code of a flow.
fn started_by(flow: &Flow, contents: &Contents) -> String {
    let reaches = |path: &str| {
        contents
            .install_steps
            .iter()
            .find(|step| step.reaches.iter().any(|reached| reached == path))
    };
    let step = reaches(&flow.sink_place.path)
        .or_else(|| reaches(&flow.source_place.path))
        .or_else(|| own_command(flow, contents));
    match (flow.surface, step) {
        (Surface::Install, Some(step)) => {
            format!("by {}: {}", short(&step.event), short(&step.command))
        }
        (surface, _) => surface.in_words().to_owned(),
    }
}

/// The step whose command is the flow.
fn own_command<'c>(flow: &Flow, contents: &'c Contents) -> Option<&'c InstallStep> {
    let snippet = flow.sink_place.snippet.trim_end_matches('…').trim();
    let mut steps = contents.install_steps.iter();
    (flow.sink_place.path == "package.json" && !snippet.is_empty())
        .then(|| steps.find(|step| step.command.contains(snippet)))
        .flatten()
}

/// What to do where it was installed before.
fn if_it_ran(out: &mut String, chains: &[&Flow]) {
    let mut todo: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !todo.contains(&text) {
            todo.push(text);
        }
    };
    for flow in chains {
        let detail = short(&flow.source_detail);
        if flow.sink.leaves() {
            match flow.source {
                SourceKind::Environment => {
                    add("replace every secret in the environment it ran in".to_owned());
                }
                SourceKind::SecretVariable
                | SourceKind::CredentialFile
                | SourceKind::CredentialTool
                | SourceKind::CloudMetadata
                | SourceKind::Overheard
                | SourceKind::ProcessMemory => add(format!(
                    "take {} ({detail}) for stolen and replace what was in it",
                    flow.source.in_words()
                )),
                SourceKind::WalletOrProfile | SourceKind::KeyArgument => add(format!(
                    "take {} ({detail}) for stolen and move what it protects",
                    flow.source.in_words()
                )),
                _ => {}
            }
        }
        match flow.sink {
            weir_model::contents::SinkKind::Persistence
            | weir_model::contents::SinkKind::OtherPackage => add(format!(
                "look for what it wrote ({}); removing the package does not undo that",
                short(&flow.sink_detail)
            )),
            weir_model::contents::SinkKind::DynamicCode
            | weir_model::contents::SinkKind::ProgramFile
            | weir_model::contents::SinkKind::Process
                if flow.source == SourceKind::Fetched =>
            {
                add(
                    "what it fetched and ran is not in the package: treat the machine as somebody else's"
                        .to_owned(),
                );
            }
            weir_model::contents::SinkKind::Publish => {
                add("look through what your accounts published since".to_owned());
            }
            _ => {}
        }
    }
    if todo.is_empty() {
        return;
    }
    heading(out, "If it has run anywhere");
    for text in todo {
        line(out, format_args!("    - {text}"));
    }
}

/// What is different from the release before, and where that counts nothing, why.
pub(super) fn since_previous(out: &mut String, profile: &Profile, assessment: &Assessment) {
    let Some(previous) = &profile.previous else {
        return;
    };
    let version = short(&previous.version);
    let before = match &previous.contents {
        Ok(before) => before,
        Err(why) => {
            let why = short(why);
            return heading(out, &format!("Since {version}: not known ({why})"));
        }
    };
    let after = (assessment.release.version.as_str(), &profile.contents);
    let comparison = Comparison::new((previous.version.as_str(), before), after);
    let Some(new) = new_behaviour(&comparison.difference) else {
        return heading(
            out,
            &format!("Since {version}: nothing new in what it does"),
        );
    };
    let weight = match (is_held_against_it(assessment), comparison.leap) {
        (true, _) => "",
        (false, true) => "; a new line of versions may bring that, and none of it counts",
        (false, false) => "; none of it is of a kind that counts by itself",
    };
    heading(out, &format!("New since {version}: {new}{weight}"));
    changes_indented(out, &comparison.difference);
}

/// Whether something that is new counts against the release.
fn is_held_against_it(assessment: &Assessment) -> bool {
    assessment.counted().any(|finding| {
        let signal = weir_signals::find(&finding.signal);
        signal.is_some_and(|signal| signal.layer == Layer::History)
    })
}

fn changes_indented(out: &mut String, difference: &Difference<'_>) {
    let mut text = String::new();
    changes(&mut text, difference);
    for one in text.lines() {
        line(out, format_args!("  {one}"));
    }
}

pub(super) fn heading(out: &mut String, text: &str) {
    line(
        out,
        format_args!("  {}{text}{}", style::BOLD, style::BOLD.render_reset()),
    );
}

#[cfg(test)]
mod tests;
