//! What all feeds together say of a package: records that mean the same flaw are put together, of copies of
//! one record the newest counts, and nobody's word is lost.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use weir_model::{
    Advisory, AdvisoryKind, Cvss, FeedSays, FlawSeverity, Score, Stance, Standing, Told,
};
use weir_npm::version::{Version, join_ranges};

use super::fixed::{self, NotFixed};
use super::index::Kept;
use super::record::{Affected, Record};

/// The advisories about one package.
#[derive(Debug, Clone, Default)]
pub struct PackageAdvisories {
    /// Records about one flaw each.
    flaws: Vec<Vec<Voice>>,
    feeds: Vec<String>,
}

/// A version that is asked about: as it is written, and read where it can be.
type Asked<'v> = (&'v str, Option<&'v Version>);

/// A record of one feed: its word on the flaw.
#[derive(Debug, Clone)]
struct Voice {
    kept: Kept,
    /// Whether another feed has a newer one of the same id.
    older: bool,
}

impl Voice {
    fn counts(&self) -> bool {
        !self.older && !self.kept.withdrawn
    }

    fn standing(&self, version: &str, parsed: Option<&Version>) -> Standing {
        let affected = self.kept.record.affected.iter();
        affected
            .map(|affected| affected.standing(version, parsed))
            .min()
            .unwrap_or(Standing::Clear)
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        let record = &self.kept.record;
        std::iter::once(record.id.as_str()).chain(record.aliases.iter().map(String::as_str))
    }

    /// The database's own word, or what its score stands for. Malware that nobody rates is critical.
    fn severity(&self) -> Option<FlawSeverity> {
        let record = &self.kept.record;
        let scored = record
            .cvss
            .as_ref()
            .map(|(_, tenths)| Score::from_tenths(*tenths).severity());
        let malware = (record.kind == AdvisoryKind::Malware).then_some(FlawSeverity::Critical);
        record.severity.or(scored).or(malware)
    }
}

impl PackageAdvisories {
    pub(super) fn new(kept: Vec<Kept>, feeds: &[String]) -> Self {
        let mut newest: HashMap<&str, i64> = HashMap::new();
        for it in &kept {
            let known = newest.entry(&it.record.id).or_insert(it.modified);
            *known = it.modified.max(*known);
        }
        let is_older = |it: &Kept| newest.get(it.record.id.as_str()) > Some(&it.modified);
        let older: Vec<bool> = kept.iter().map(is_older).collect();
        let voices = kept
            .into_iter()
            .zip(older)
            .map(|(kept, older)| Voice { kept, older });
        let mut flaws: Vec<Vec<Voice>> = Vec::new();
        for voice in voices {
            // All it has an id in common with become one.
            let ids: BTreeSet<&str> = voice.ids().collect();
            let (same, other): (Vec<_>, Vec<_>) = flaws
                .into_iter()
                .partition(|flaw| flaw.iter().flat_map(Voice::ids).any(|id| ids.contains(id)));
            flaws = other;
            let mut flaw: Vec<Voice> = same.into_iter().flatten().collect();
            flaw.push(voice);
            flaws.push(flaw);
        }
        Self {
            flaws,
            feeds: feeds.to_vec(),
        }
    }

    /// Whether there are none, not even withdrawn ones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flaws.is_empty()
    }

    /// Those that affect one version, by id.
    #[must_use]
    pub fn matching(&self, version: &str) -> Vec<Advisory> {
        let parsed = Version::parse(version).ok();
        let standing = |voice: &Voice| voice.standing(version, parsed.as_ref());
        let flaws = self.flaws.iter().filter_map(|flaw| {
            let speaking = Speaking::of(flaw, &standing)?;
            (speaking.standing == Standing::Affected).then(|| speaking.advisory(flaw))
        });
        let mut matching: Vec<Advisory> = flaws.collect();
        matching.sort_by(|a, b| a.id.cmp(&b.id));
        matching
    }

    /// Whether an advisory calls one version malware.
    #[must_use]
    pub fn is_malware(&self, version: &str) -> bool {
        let voices = self.flaws.iter().flatten().filter(|voice| voice.counts());
        let malware = voices.filter(|it| it.kept.record.kind == AdvisoryKind::Malware);
        let mut malware = malware.peekable();
        // Asked of every release of a package, and hardly any package has one.
        if malware.peek().is_none() {
            return false;
        }
        let parsed = Version::parse(version).ok();
        malware.any(|it| it.standing(version, parsed.as_ref()) == Standing::Affected)
    }

    /// What is told of one version, by id: what affects it, and what cannot be told.
    #[must_use]
    pub fn told(&self, version: &str) -> Vec<Told> {
        let parsed = Version::parse(version).ok();
        let mut told: Vec<Told> = self
            .flaws
            .iter()
            .filter_map(|flaw| self.tell(flaw, Some((version, parsed.as_ref()))))
            .collect();
        told.sort_by(|a, b| a.id.cmp(&b.id));
        told
    }

    /// Everything that is told of the package, whatever version, by id.
    #[must_use]
    pub fn all(&self) -> Vec<Told> {
        let flaws = self.flaws.iter();
        let mut told: Vec<Told> = flaws.filter_map(|flaw| self.tell(flaw, None)).collect();
        told.sort_by(|a, b| a.id.cmp(&b.id));
        told
    }

    /// Everything that was told of the package and is taken back: flaws of which no record is in force. By id.
    #[must_use]
    pub fn withdrawn(&self) -> Vec<Told> {
        let flaws = self.flaws.iter().filter_map(|flaw| {
            let speaking = Speaking::withdrawn(flaw)?;
            Some(self.report(flaw, &speaking, None, &|_| Standing::Clear))
        });
        let mut told: Vec<Told> = flaws.collect();
        told.sort_by(|a, b| a.id.cmp(&b.id));
        told
    }

    /// What all of them together say of one version.
    #[must_use]
    pub fn standing(&self, version: &str) -> Standing {
        let parsed = Version::parse(version).ok();
        let voices = self.flaws.iter().flatten().filter(|voice| voice.counts());
        voices
            .map(|voice| voice.standing(version, parsed.as_ref()))
            .min()
            .unwrap_or(Standing::Clear)
    }

    /// Why a version that nothing affects is not called fixed, in place of an affected one; nothing where it
    /// is. Of all that affects the one, every record has to state a fix for what is affected up to the other.
    #[must_use]
    pub fn not_fixed(&self, affected: &str, version: &Version) -> Option<NotFixed> {
        let parsed = Version::parse(affected).ok();
        let asked = (affected, parsed.as_ref());
        let from = parsed.as_ref();
        if from.is_some_and(|from| version.precedence(from) == Ordering::Less) {
            return Some(NotFixed::Lower);
        }
        let records = self.concerning(asked).flat_map(|flaw| counting(flaw));
        fixed::why_not(records, asked, version)
    }

    /// The ids of the vulnerabilities that affect one version and that another is said to fix: every record of such a
    /// flaw can be read as a whole, and states a fix that comes no later. None where the other is lower, or where something
    /// affects it, or may, that the first is free of.
    #[must_use]
    pub fn fixed_by(&self, affected: &str, version: &str) -> Vec<String> {
        let (from, to) = (Version::parse(affected).ok(), Version::parse(version).ok());
        let (Some(from), Some(to)) = (from, to) else {
            return Vec::new();
        };
        if to.precedence(&from) == Ordering::Less {
            return Vec::new();
        }
        let there = |voice: &Voice| voice.standing(affected, Some(&from));
        let here = |voice: &Voice| voice.standing(version, Some(&to));
        let mut fixed = Vec::new();
        for flaw in &self.flaws {
            let before = Speaking::of(flaw, &there);
            let after = Speaking::of(flaw, &here).map(|it| it.standing);
            let Some(before) = before else {
                match after {
                    Some(_) => return Vec::new(),
                    None => continue,
                }
            };
            match after {
                Some(after) if after < before.standing => return Vec::new(),
                Some(_) => continue,
                None if before.standing != Standing::Affected => continue,
                None => {}
            }
            let advisory = before.advisory(flaw);
            let stated = fixed::why_not(counting(flaw), (affected, Some(&from)), &to).is_none();
            if stated && advisory.kind == AdvisoryKind::Vulnerability {
                fixed.push(advisory.id);
            }
        }
        fixed.sort();
        fixed
    }

    /// The versions that records of what affects a version name as fixes, above it, whatever others say of
    /// them. Lowest first.
    #[must_use]
    pub fn named_fixes(&self, affected: &str) -> Vec<Version> {
        let parsed = Version::parse(affected).ok();
        let asked = (affected, parsed.as_ref());
        let records = self.concerning(asked).flat_map(|flaw| counting(flaw));
        let named = records
            .flat_map(|it| &it.affected)
            .flat_map(Affected::fixes);
        let named: BTreeSet<&Version> = named.filter(|it| is_above(it, asked.1)).collect();
        named.into_iter().cloned().collect()
    }

    /// The flaws of which a record that counts says that a version is, or may be, affected.
    fn concerning<'f>(&'f self, asked: Asked<'f>) -> impl Iterator<Item = &'f Vec<Voice>> {
        let standing = move |voice: &Voice| voice.standing(asked.0, asked.1);
        let flaws = self.flaws.iter();
        flaws.filter(move |flaw| Speaking::of(flaw, &standing).is_some())
    }

    /// What is told of one flaw; nothing if it does not concern the version that is asked about.
    fn tell(&self, flaw: &[Voice], version: Option<Asked<'_>>) -> Option<Told> {
        let standing = |voice: &Voice| match version {
            Some((version, parsed)) => voice.standing(version, parsed),
            None => Standing::Affected,
        };
        let speaking = Speaking::of(flaw, &standing)?;
        Some(self.report(flaw, &speaking, version, &standing))
    }

    /// What the speaking records of a flaw say; of fixes, those for the version that is asked about.
    fn report(
        &self,
        flaw: &[Voice],
        speaking: &Speaking<'_>,
        asked: Option<Asked<'_>>,
        standing: &dyn Fn(&Voice) -> Standing,
    ) -> Told {
        let Advisory {
            id,
            kind,
            aliases,
            summary,
        } = speaking.advisory(flaw);
        let records = || speaking.voices.iter().map(|voice| &voice.kept.record);
        let highest = records().filter_map(|record| record.cvss.as_ref());
        let weaknesses: BTreeSet<&String> = records().flat_map(|it| &it.weaknesses).collect();
        let severities = speaking.touching.iter().filter_map(|it| it.severity());
        let fixes = self.fixes(flaw, &speaking.voices, asked);
        Told {
            url: url(&id, speaking.main().url.as_deref()),
            id,
            kind,
            aliases,
            summary,
            severity: severities.max(),
            cvss: highest
                .max_by_key(|(_, tenths)| *tenths)
                .map(|(vector, tenths)| Cvss {
                    score: Score::from_tenths(*tenths),
                    vector: vector.clone(),
                }),
            weaknesses: weaknesses.into_iter().cloned().collect(),
            vulnerable: vulnerable(&speaking.voices),
            patched: patched(flaw, &fixes),
            fixes: fixes.iter().map(|it| it.canonical()).collect(),
            certain: speaking.standing == Standing::Affected,
            says: self.says(flaw, standing),
        }
    }

    /// The versions that records name as fixes, and that nothing affects; of those for one version, that are
    /// fixed by the word of every record of the flaw.
    fn fixes<'f>(
        &self,
        flaw: &[Voice],
        speaking: &[&'f Voice],
        asked: Option<Asked<'_>>,
    ) -> Vec<&'f Version> {
        let affected = speaking
            .iter()
            .flat_map(|voice| &voice.kept.record.affected);
        let named: BTreeSet<&Version> = affected.flat_map(|affected| affected.fixes()).collect();
        let is_fix = |version: &&Version| {
            asked.is_none_or(|asked| {
                is_above(version, asked.1)
                    && fixed::why_not(counting(flaw), asked, version).is_none()
            })
        };
        named
            .into_iter()
            .filter(|version| self.standing(version.as_str()) == Standing::Clear)
            .filter(is_fix)
            .collect()
    }

    fn says(&self, flaw: &[Voice], standing: &dyn Fn(&Voice) -> Standing) -> Vec<FeedSays> {
        let feed = |voice: &Voice| self.feeds.get(voice.kept.feed).cloned().unwrap_or_default();
        let mut says: Vec<FeedSays> = flaw
            .iter()
            .map(|voice| FeedSays {
                feed: feed(voice),
                id: Some(voice.kept.record.id.clone()),
                says: match (voice.older, voice.kept.withdrawn, standing(voice)) {
                    (true, ..) => Stance::Older,
                    (false, true, _) => Stance::Withdrawn,
                    (false, false, Standing::Affected) => Stance::Affected,
                    (false, false, Standing::Unclear) => Stance::Unclear,
                    (false, false, Standing::Beyond) => Stance::Beyond,
                    (false, false, Standing::Clear) => Stance::NotAffected,
                },
            })
            .collect();
        for feed in &self.feeds {
            if says.iter().all(|it| it.feed != *feed) {
                says.push(FeedSays {
                    feed: feed.clone(),
                    id: None,
                    says: Stance::Silent,
                });
            }
        }
        says.sort();
        says
    }
}

/// The records of a flaw that say the worst of a version, or that all are withdrawn.
struct Speaking<'f> {
    standing: Standing,
    first: &'f Voice,
    voices: Vec<&'f Voice>,
    /// Those that may mean the version, too: one of them may be the one that calls it malware.
    touching: Vec<&'f Voice>,
}

impl<'f> Speaking<'f> {
    /// Nothing where no record says that it is, or may be, affected.
    fn of(flaw: &'f [Voice], standing: &dyn Fn(&Voice) -> Standing) -> Option<Self> {
        let counting = || flaw.iter().filter(|voice| voice.counts());
        let worst = counting().map(standing).min()?;
        if worst > Standing::Unclear {
            return None;
        }
        let mut voices: Vec<&Voice> = counting().filter(|it| standing(it) == worst).collect();
        voices.sort_by(|a, b| rank(&a.kept.record.id).cmp(&rank(&b.kept.record.id)));
        Some(Self {
            standing: worst,
            first: voices.first()?,
            voices,
            touching: counting()
                .filter(|it| standing(it) <= Standing::Unclear)
                .collect(),
        })
    }

    /// The newest copies of a flaw's records, where every one of them is withdrawn.
    fn withdrawn(flaw: &'f [Voice]) -> Option<Self> {
        if flaw.iter().any(Voice::counts) {
            return None;
        }
        let mut voices: Vec<&Voice> = flaw.iter().filter(|voice| !voice.older).collect();
        voices.sort_by(|a, b| rank(&a.kept.record.id).cmp(&rank(&b.kept.record.id)));
        Some(Self {
            standing: Standing::Clear,
            first: voices.first()?,
            touching: voices.clone(),
            voices,
        })
    }

    /// The one whose id people know best.
    const fn main(&self) -> &'f Record {
        &self.first.kept.record
    }

    fn advisory(&self, flaw: &[Voice]) -> Advisory {
        let main = self.main();
        let kinds = self.touching.iter().map(|voice| voice.kept.record.kind);
        let ids: BTreeSet<&str> = flaw.iter().flat_map(Voice::ids).collect();
        Advisory {
            id: main.id.clone(),
            kind: kinds.min().unwrap_or(main.kind),
            aliases: ids
                .into_iter()
                .filter(|id| *id != main.id)
                .map(str::to_owned)
                .collect(),
            summary: main.summary.clone(),
        }
    }
}

/// The records of a flaw that count.
fn counting(flaw: &[Voice]) -> impl Iterator<Item = &Record> {
    let counting = flaw.iter().filter(|voice| voice.counts());
    counting.map(|voice| &voice.kept.record)
}

fn is_above(version: &Version, than: Option<&Version>) -> bool {
    than.is_none_or(|than| version.precedence(than) == Ordering::Greater)
}

/// Fixed versions as a range: from the last fix on, up to where something is affected again, and of those
/// before it no more than what is named.
fn patched(flaw: &[Voice], fixes: &[&Version]) -> Option<String> {
    let (last, before) = fixes.split_last()?;
    let before: String = before
        .iter()
        .map(|fix| format!("{} || ", fix.canonical()))
        .collect();
    let again = fixed::next_affected(counting(flaw), last);
    let again = again.map_or_else(String::new, |it| format!(" <{}", it.canonical()));
    Some(format!("{before}>={}{again}", last.canonical()))
}

/// The affected versions of all records that count.
fn vulnerable(speaking: &[&Voice]) -> String {
    let affected = speaking
        .iter()
        .flat_map(|voice| &voice.kept.record.affected);
    let all: Vec<String> = affected
        .flat_map(|affected| affected.alternatives())
        .collect();
    join_ranges(all.iter().map(String::as_str))
}

/// Which of several ids people know best: those of malware, then GitHub's, then CVE, then any other.
fn rank(id: &str) -> (u8, &str) {
    let known = ["MAL-", "GHSA-", "CVE-"];
    let rank = known.iter().position(|start| id.starts_with(start));
    (rank.and_then(|it| u8::try_from(it).ok()).unwrap_or(3), id)
}

/// Where to read on: GitHub's own page for its ids, as npm's audit has it; what the record refers to; else
/// the page that OSV has for every record it knows.
fn url(id: &str, stated: Option<&str>) -> String {
    if id.starts_with("GHSA-") {
        return format!("https://github.com/advisories/{id}");
    }
    stated.map_or_else(
        || format!("https://osv.dev/vulnerability/{id}"),
        str::to_owned,
    )
}
