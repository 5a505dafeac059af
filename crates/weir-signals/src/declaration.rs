//! What a signal says of itself, and what it hands back.

use weir_model::{Confidence, Finding, Group, Incomplete, Severity};
use weir_npm::version::Version;

use crate::Subject;

/// Where in a release a signal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The manifest of the release.
    Manifest,
    /// The release next to those before it.
    History,
    /// Names, publishers, maintainers.
    Identity,
    /// The tarball and the code in it.
    Source,
    /// What others have published about it.
    Intel,
}

impl Layer {
    /// The folder under `src/` that holds the signals of this layer.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::History => "history",
            Self::Identity => "identity",
            Self::Source => "source",
            Self::Intel => "intel",
        }
    }
}

/// What a finding of the signal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It can do something. Says nothing about intent.
    Capability,
    /// It does something that honest packages seldom do.
    Indicator,
    /// Several things together that honest packages do not do.
    Pattern,
}

impl Kind {
    /// The name as printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capability => "capability",
            Self::Indicator => "indicator",
            Self::Pattern => "pattern",
        }
    }
}

/// How far a signal is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Maturity {
    /// New: visible, and never decisive on its own.
    Trial,
    /// Measured.
    Stable,
}

impl Maturity {
    /// The name as printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Stable => "stable",
        }
    }
}

/// Something a signal cannot do its work without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The registry's manifest of the release.
    Manifest,
    /// The release before it, or the knowledge that there is none.
    History,
    /// When the release was published.
    PublishTime,
    /// What is in the tarball.
    Contents,
    /// What is in the tarball of the previous release, where the contents raise a question that it
    /// answers.
    PreviousContents,
    /// What has been published about it.
    Advisories,
    /// Who published it and the releases before it, where that or what is usual around it raises the
    /// question.
    Publisher,
}

impl Input {
    /// The input's name as printed, and as written in [`Incomplete::what`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::History => "history",
            Self::PublishTime => weir_model::assessment::PUBLISH_TIME,
            Self::Contents => "contents",
            Self::PreviousContents => "previous contents",
            Self::Advisories => "advisories",
            Self::Publisher => weir_model::assessment::PUBLISHER,
        }
    }

    /// What to report if the subject does not have this input.
    #[must_use]
    pub fn missing(self, subject: &Subject<'_>) -> Option<Incomplete> {
        let why = match self {
            Self::Manifest => subject.manifest().err().map(str::to_owned),
            Self::History => match subject.packument.why_not() {
                Some(why) => Some(why.to_owned()),
                None => match subject.previous() {
                    Some(previous) => previous
                        .manifest
                        .as_ref()
                        .err()
                        .map(|error| format!("previous release {}: {error}", previous.version)),
                    None => unordered(subject),
                },
            },
            Self::PublishTime => match subject.packument.why_not() {
                Some(why) => Some(why.to_owned()),
                None if subject.published().is_none() => {
                    Some("the registry does not say when it was published".to_owned())
                }
                None => None,
            },
            Self::Contents => subject.contents.why_not().map(str::to_owned),
            Self::PreviousContents => subject
                .wants_comparison()
                .then(|| subject.previous_contents.why_not().map(str::to_owned))
                .flatten(),
            Self::Advisories => subject.advisories.why_not().map(str::to_owned),
            Self::Publisher => publisher_missing(subject).or_else(|| {
                (subject.wants_publisher() && subject.by().is_none())
                    .then(|| "the registry does not say who published it".to_owned())
            }),
        };
        Some(Incomplete {
            what: self.as_str().to_owned(),
            why: why?,
        })
    }
}

/// Why it is not known which release came before, where neither times nor numbers tell: the version is none, and
/// some publish time that would do is missing.
fn unordered(subject: &Subject<'_>) -> Option<String> {
    let packument = subject.packument.known()?;
    if Version::parse(subject.version).is_ok() {
        return None;
    }
    let untimed = subject.published().is_none();
    let mut others = packument.versions().iter();
    let open = others
        .any(|entry| entry.version != subject.version && (untimed || entry.published().is_none()));
    open.then(|| {
        let version = weir_model::finding::printable(subject.version, 80);
        format!("{version} is no version that can be ordered among the others, and publish times are missing")
    })
}

/// Why it is not known who published the release or those before it. A first release is compared with
/// nobody, and where there is no history at all that is missed already.
fn publisher_missing(subject: &Subject<'_>) -> Option<String> {
    let timeline = subject.timeline();
    let own = timeline.publication()?;
    let mut earlier = timeline.recent().peekable();
    earlier.peek()?;
    if own.publisher.is_none() {
        return Some("the registry does not say who published it".to_owned());
    }
    let nobody = earlier.all(|(_, publication)| publication.publisher.is_none());
    nobody.then(|| "the registry does not say who published the releases before it".to_owned())
}

/// A signal's documentation: answers to four questions, in Markdown.
#[derive(Debug, Clone, Copy)]
pub struct Documentation {
    /// What it sees.
    pub sees: &'static str,
    /// Why that matters.
    pub matters: &'static str,
    /// When it is wrong.
    pub wrong: &'static str,
    /// What to do about it.
    pub todo: &'static str,
}

/// A signal: what it says of itself, and how it looks.
#[derive(Debug)]
pub struct Declaration {
    /// Kebab-case, unique, never changed once shipped.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The release of weir it first shipped in.
    pub since: &'static str,
    /// Where it looks.
    pub layer: Layer,
    /// What a finding means.
    pub kind: Kind,
    /// How far it is trusted.
    pub maturity: Maturity,
    /// The group of its findings, unless a finding says otherwise.
    pub group: Group,
    /// The severity of its findings, unless a finding says otherwise.
    pub severity: Severity,
    /// The confidence of its findings, unless a finding says otherwise.
    pub confidence: Confidence,
    /// Inputs without which what it does not report means nothing.
    pub needs: &'static [Input],
    /// Public incidents it would have caught, by name and year.
    pub incidents: &'static [&'static str],
    /// The page about it.
    pub documentation: Documentation,
    /// Looks at a release. Called with missing inputs too: it reports what it can, and the runner
    /// reports what is missing.
    pub observe: fn(&Subject<'_>, &mut Observation),
    /// Releases it must flag and releases it must pass.
    #[cfg(any(test, feature = "samples"))]
    pub samples: fn() -> Vec<crate::sample::Sample>,
}

impl Declaration {
    /// A finding with this signal's defaults.
    pub(crate) fn finding(&self, message: impl Into<String>) -> Finding {
        Finding {
            signal: self.id.to_owned(),
            group: self.group,
            severity: self.severity,
            confidence: self.confidence,
            decisive: false,
            message: message.into(),
            evidence: Vec::new(),
        }
    }

    /// Runs this signal and reports the inputs it lacked.
    pub fn run(&self, subject: &Subject<'_>, observation: &mut Observation) {
        let first = observation.findings.len();
        for missing in self.needs.iter().filter_map(|need| need.missing(subject)) {
            observation.incomplete(missing);
        }
        (self.observe)(subject, observation);
        if self.maturity == Maturity::Trial {
            for finding in observation.findings.iter_mut().skip(first) {
                finding.decisive = false;
            }
        }
    }
}

/// What the signals saw, and what they could not look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// What was seen, in the order of the catalogue.
    pub findings: Vec<Finding>,
    /// What could not be looked at, each once.
    pub incomplete: Vec<Incomplete>,
}

impl Observation {
    /// Adds a finding.
    pub(crate) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds something that could not be looked at, unless it is known already.
    pub(crate) fn incomplete(&mut self, incomplete: Incomplete) {
        if !self.incomplete.contains(&incomplete) {
            self.incomplete.push(incomplete);
        }
    }
}

/// The signal of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Declaration> {
    crate::CATALOGUE
        .iter()
        .copied()
        .find(|signal| signal.id == id)
}
