//! The search for names that one could be mistaken for.

use levenshtein_automata::{Distance, LevenshteinAutomatonBuilder};

use super::compact::Compact;
use super::forms;

/// Names and words of up to this many letters have neighbours by chance, so one edit says nothing
/// (DETECTION section 5: 129 of 203 popular pairs involve a name of five letters or fewer).
const SHORT: usize = 4;

/// From this length on, one edit hardly ever leads to another word by chance.
const LONG: usize = 8;

/// Popular names that share a prefix, from which on the prefix is a family of plugins rather than
/// part of one name (DETECTION section 5: benign plugin naming).
const FAMILY: usize = 3;

/// Packages of a scope in the index, from which on the scope itself is a name people trust.
const KNOWN_SCOPE: u32 = 3;

/// At most this many candidates are reported: more would repeat the point.
const MOST: usize = 5;

/// How one name becomes the other. The order is the order of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transformation {
    /// `@tan-stack/x`: the scope reads like a trusted one.
    NearScope,
    /// `@a/b` as `a-b` or `ab`, or the other way round.
    Flattened,
    /// `crossenv`, `cross_env`: delimiters added, dropped or exchanged.
    Delimiter,
    /// `l0dash`: characters that look alike.
    Homoglyph,
    /// `lodahs`: two neighbours swapped.
    SwappedCharacters,
    /// `expresss`: a character repeated, or a repetition dropped.
    RepeatedCharacter,
    /// `expres`: a character dropped.
    OmittedCharacter,
    /// `expresas`: a character added.
    AddedCharacter,
    /// `exprass`: a character changed.
    ChangedCharacter,
    /// `@vendor-sdk/x` for `@vendor/x`: a trusted scope with something added.
    AffixedScope,
    /// `env-cross`: the same words in another order.
    Reordered,
    /// `core-tracing` for `@vendor/core-tracing`: the scope dropped.
    DroppedScope,
}

impl Transformation {
    /// The transformation in words that fit after "differs from `x` by".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NearScope => "a scope that reads alike",
            Self::Flattened => "the scope written into the name",
            Self::Delimiter => "delimiters",
            Self::Homoglyph => "characters that look alike",
            Self::SwappedCharacters => "two swapped characters",
            Self::RepeatedCharacter => "a repeated character",
            Self::OmittedCharacter => "a dropped character",
            Self::AddedCharacter => "an added character",
            Self::ChangedCharacter => "a changed character",
            Self::AffixedScope => "an addition to the scope",
            Self::Reordered => "the order of words",
            Self::DroppedScope => "a dropped scope",
        }
    }
}

/// How unlikely it is that the likeness is chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Ordinary words do this too.
    Weak,
    /// Rare among honest names.
    Fair,
    /// Hardly ever chance.
    Strong,
}

/// A trusted name that another could be mistaken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookalike {
    /// The trusted name, or `@scope` where the scope alone is imitated.
    pub target: String,
    /// How the two differ.
    pub transformation: Transformation,
    /// How unlikely chance is.
    pub strength: Strength,
    /// The target's place among the popular names, 0 for the most popular; absent if it is the
    /// operator's own.
    pub rank: Option<u32>,
}

/// The best candidates: one per target, most telling first.
pub(super) fn best(mut found: Vec<Lookalike>) -> Vec<Lookalike> {
    found.sort_by(|a, b| {
        (b.strength, a.rank, a.transformation, &a.target).cmp(&(
            a.strength,
            b.rank,
            b.transformation,
            &b.target,
        ))
    });
    let mut seen = std::collections::HashSet::new();
    found.retain(|lookalike| seen.insert(lookalike.target.clone()));
    found.truncate(MOST);
    found
}

/// Adds the names of one index that `name` could be mistaken for. `own` is set for an operator's own
/// names, which have no rank.
pub(super) fn search(
    names: &Compact,
    own: bool,
    name: &str,
    one_edit: &LevenshteinAutomatonBuilder,
    found: &mut Vec<Lookalike>,
) {
    let mut add = |target: &str, transformation, strength| {
        if target == name {
            return;
        }
        let rank = if own {
            None
        } else {
            let scope = target.strip_prefix('@').filter(|rest| !rest.contains('/'));
            names
                .rank(target)
                .or_else(|| names.scope(scope?).map(|entry| entry.rank))
        };
        found.push(Lookalike {
            target: target.to_owned(),
            transformation,
            strength,
            rank,
        });
    };
    search_forms(names, name, &mut add);
    search_edits(names, name, one_edit, &mut add);
    search_scopes(names, name, one_edit, &mut add);
}

type Add<'a> = &'a mut dyn FnMut(&str, Transformation, Strength);

/// Names that coincide with this one in a normal form.
fn search_forms(names: &Compact, name: &str, add: Add<'_>) {
    let squashed = forms::squashed(name);
    let squashed_target = names
        .by_squashed(&squashed)
        .filter(|_| squashed.len() > SHORT);
    if let Some(target) = squashed_target {
        let transformation = match (forms::split(name).0, forms::split(target).0) {
            (None, None) => Transformation::Delimiter,
            (Some(_), Some(_)) => Transformation::NearScope,
            _ => Transformation::Flattened,
        };
        add(target, transformation, Strength::Strong);
    }
    if name.len() >= SHORT
        && let Some(target) = names.by_skeleton(&forms::skeleton(name))
    {
        add(target, Transformation::Homoglyph, Strength::Strong);
    }
    if let Some(target) = forms::word_bag(name).and_then(|bag| names.by_word_bag(&bag))
        && squashed_target != Some(target)
        && name.len() > SHORT
        // `@jest/types` and `@types/jest` are named by what they are.
        && !(name.starts_with('@') && target.starts_with('@'))
    {
        add(target, Transformation::Reordered, Strength::Fair);
    }
    if let Some(target) = names.by_base(name) {
        add(target, Transformation::DroppedScope, Strength::Fair);
    }
}

/// Unscoped names that are one edit away. Scopes are compared on their own.
fn search_edits(names: &Compact, name: &str, one_edit: &LevenshteinAutomatonBuilder, add: Add<'_>) {
    if name.starts_with('@') || name.len() <= SHORT {
        return;
    }
    for target in names.names_matching(&one_edit.build_dfa(name)) {
        if target == name || target.starts_with('@') || target.len() <= SHORT {
            continue;
        }
        if let Some((transformation, strength)) = weigh_edit(names, name, &target) {
            add(&target, transformation, strength);
        }
    }
}

/// What a single edit between two unscoped names is worth; nothing if it is how honest names differ.
fn weigh_edit(names: &Compact, name: &str, target: &str) -> Option<(Transformation, Strength)> {
    let edit = Edit::between(name, target)?;
    if forms::squashed(name) == forms::squashed(target) {
        return None; // reported as a change of delimiters
    }
    // `es5-x` and `es6-x` name different things and say so.
    let digit = |character: Option<char>| character.is_some_and(|c| c.is_ascii_digit());
    if digit(edit.here) && digit(edit.there) {
        return None;
    }
    // Names of five letters are one changed letter apart by chance too (DETECTION section 5).
    if edit.transformation == Transformation::ChangedCharacter && target.len() <= SHORT + 1 {
        return None;
    }
    let word = edit.word(target);
    if word.len() <= SHORT {
        let prefix = target.get(..word.start).unwrap_or_default();
        if !prefix.is_empty() && names.has_family(prefix, FAMILY) {
            return None;
        }
    }
    Some((edit.transformation, edit.strength(name, target, word.len())))
}

/// The one edit between two names.
struct Edit {
    transformation: Transformation,
    /// Where it is, in bytes of either name: the length of their common beginning.
    at: usize,
    /// The character at that place in the name looked at.
    here: Option<char>,
    /// The character at that place in the trusted name.
    there: Option<char>,
}

impl Edit {
    fn between(name: &str, target: &str) -> Option<Self> {
        let at: usize = name
            .chars()
            .zip(target.chars())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        let (left, right) = (name.get(at..)?, target.get(at..)?);
        let here = left.chars().next();
        let there = right.chars().next();
        let before = name.get(..at)?.chars().next_back();
        let repeated = |character: Option<char>, rest: &str| {
            character == before || rest.chars().nth(1) == character
        };
        let (long, short) = (name.chars().count(), target.chars().count());
        let transformation = match long.cmp(&short) {
            std::cmp::Ordering::Greater if repeated(here, left) => {
                Transformation::RepeatedCharacter
            }
            std::cmp::Ordering::Greater => Transformation::AddedCharacter,
            std::cmp::Ordering::Less if repeated(there, right) => Transformation::RepeatedCharacter,
            std::cmp::Ordering::Less => Transformation::OmittedCharacter,
            std::cmp::Ordering::Equal
                if left.chars().nth(1) == there && right.chars().nth(1) == here =>
            {
                Transformation::SwappedCharacters
            }
            std::cmp::Ordering::Equal => Transformation::ChangedCharacter,
        };
        Some(Self {
            transformation,
            at,
            here,
            there,
        })
    }

    /// The range of the word of `target` that the edit falls into.
    fn word(&self, target: &str) -> std::ops::Range<usize> {
        let head = target.get(..self.at).unwrap_or_default();
        let tail = target.get(self.at..).unwrap_or_default();
        let start = head.rfind(forms::is_delimiter).map_or(0, |at| at + 1);
        let end = tail
            .find(forms::is_delimiter)
            .map_or(target.len(), |at| self.at + at);
        start..end
    }

    fn strength(&self, name: &str, target: &str, word: usize) -> Strength {
        let plural = {
            let singular = |text: &str| text.strip_suffix('s').map(str::to_owned);
            singular(name).as_deref() == Some(target) || singular(target).as_deref() == Some(name)
        };
        let digit_end = self.here.is_some_and(|c| c.is_ascii_digit())
            || self.there.is_some_and(|c| c.is_ascii_digit());
        if plural || digit_end || word <= SHORT {
            return Strength::Weak;
        }
        match self.transformation {
            // Fingers slip in this way; words hardly ever pair up in it.
            Transformation::SwappedCharacters if target.len() > SHORT + 1 => Strength::Strong,
            Transformation::RepeatedCharacter | Transformation::OmittedCharacter
                if target.len() >= LONG =>
            {
                Strength::Strong
            }
            Transformation::ChangedCharacter | Transformation::AddedCharacter
                if target.len() < LONG =>
            {
                Strength::Weak
            }
            _ => Strength::Fair,
        }
    }
}

/// Trusted scopes that this name's scope reads like.
fn search_scopes(
    names: &Compact,
    name: &str,
    one_edit: &LevenshteinAutomatonBuilder,
    add: Add<'_>,
) {
    let (Some(scope), base) = forms::split(name) else {
        return;
    };
    let mut near: Vec<String> = names.scopes_like(scope).map(str::to_owned).collect();
    if scope.len() > SHORT {
        near.extend(names.scopes_matching(&one_edit.build_dfa(scope)));
    }
    near.retain(|trusted| trusted.len() > SHORT && trusted != scope);
    for trusted in near {
        let sibling = format!("@{trusted}/{base}");
        if names.rank(&sibling).is_some() {
            add(&sibling, Transformation::NearScope, Strength::Strong);
        } else if names
            .scope(&trusted)
            .is_some_and(|entry| entry.packages >= KNOWN_SCOPE)
        {
            add(
                &format!("@{trusted}"),
                Transformation::NearScope,
                Strength::Fair,
            );
        }
    }
    let words = scope.split(['-', '_', '.']);
    for word in words.filter(|word| word.len() > SHORT && *word != scope) {
        let sibling = format!("@{word}/{base}");
        if names.rank(&sibling).is_some() {
            add(&sibling, Transformation::AffixedScope, Strength::Fair);
        }
    }
}

/// Whether one scope reads like the other: without delimiters, to a hurried eye, or after one edit.
pub(super) fn scopes_look_alike(
    scope: &str,
    trusted: &str,
    one_edit: &LevenshteinAutomatonBuilder,
) -> bool {
    if scope == trusted || trusted.len() <= SHORT {
        return false;
    }
    let one_edit_away = || matches!(one_edit.build_dfa(trusted).eval(scope), Distance::Exact(distance) if distance <= 1);
    forms::squashed(scope) == forms::squashed(trusted)
        || forms::skeleton(scope) == forms::skeleton(trusted)
        || one_edit_away()
}
