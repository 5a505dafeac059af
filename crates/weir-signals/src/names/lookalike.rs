//! The search for names that one could be mistaken for.

use super::compact::Compact;
use super::{forms, near, scopes};

/// Names and words of up to this many letters have neighbours by chance, so one edit says nothing
/// (DETECTION section 5: 129 of 203 popular pairs involve a name of five letters or fewer).
pub(super) const SHORT: usize = 4;

/// From this length on, one edit hardly ever leads to another word by chance.
const LONG: usize = 8;

/// Popular names that share a prefix, from which on the prefix is a family of plugins rather than
/// part of one name (DETECTION section 5: benign plugin naming).
const FAMILY: usize = 3;

/// Names this widely used are meant even by what is two steps away.
pub(super) const WELL_KNOWN: u32 = 5_000;

/// At most this many candidates are reported: more would repeat the point.
const MOST: usize = 5;

/// How one name becomes the other. The order is the order of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transformation {
    /// `Express`: the same letters, large and small.
    Case,
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
    /// `@express-official/core`, `@express-js/express`: a scope that claims to be that of a package.
    BrandScope,
    /// `@someone/core-tracing` for `@vendor/core-tracing`: another scope.
    SwappedScope,
    /// `@someone/express` for `express`: a scope where there is none.
    AddedScope,
    /// `lodaah`: a key beside the right one.
    NeighbouringKey,
    /// `webpacks`: the plural, or the singular of one.
    Plural,
    /// `colorz`, `grayscale`: it sounds the same, or is the other spelling of the same word.
    Sound,
    /// `nodemailer-js`: a word that says nothing, before or after it.
    Affix,
    /// `jquery2`: a number, as honest successors have.
    Numbered,
    /// `@vendor/Core` beside `@vendor/core`, in the scope itself.
    SiblingCase,
    /// `@vendor/reactquery` beside `@vendor/react-query`, in the scope itself.
    Sibling,
    /// `@vendor/c0re` beside `@vendor/core`, in the scope itself.
    SiblingHomoglyph,
    /// `@vendor/coer` beside `@vendor/core`, in the scope itself.
    SiblingSlip,
    /// `save-dev`, `--save-dev`: an option of the command line, or what begins like one.
    Command,
    /// `child-process`: a module that comes with the runtime.
    Builtin,
}

impl Transformation {
    /// The transformation in words that fit after "differs from `x` by".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case alone",
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
            Self::BrandScope => "a scope that is named after it",
            Self::SwappedScope => "another scope",
            Self::AddedScope => "an added scope",
            Self::NeighbouringKey => "a neighbouring key",
            Self::Plural => "a plural",
            Self::Sound => "spelling alone, they sound the same",
            Self::Affix => "a word that says nothing",
            Self::Numbered => "a number",
            Self::SiblingCase => "case alone, within one scope",
            Self::Sibling => "delimiters, within one scope",
            Self::SiblingHomoglyph => "characters that look alike, within one scope",
            Self::SiblingSlip => "a single slip, within one scope",
            Self::Command => "an option of the command line",
            Self::Builtin => "a module that comes with Node.js",
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

/// Why a name is worth impersonating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trusted {
    /// It is widely used.
    Popular,
    /// It is the operator's own.
    Own,
    /// It is a word of the command line or of the runtime.
    Word,
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
    /// Why the target is worth impersonating.
    pub trusted: Trusted,
}

impl Lookalike {
    /// Whether this is how honest forks are named, so that it is mentioned and never more: the whole
    /// name under somebody's own scope.
    #[must_use]
    pub fn is_mention(&self) -> bool {
        let scoped = matches!(
            self.transformation,
            Transformation::AddedScope | Transformation::SwappedScope
        );
        scoped && self.strength == Strength::Weak
    }

    /// Whether the two are in one scope, where only its owners publish: who published then says more than
    /// the name does.
    #[must_use]
    pub fn is_sibling(&self) -> bool {
        matches!(
            self.transformation,
            Transformation::SiblingCase
                | Transformation::Sibling
                | Transformation::SiblingHomoglyph
                | Transformation::SiblingSlip
        )
    }

    /// Whether the name claims to be one that is meant by nearly everybody who writes it: the name itself
    /// and a word that says nothing. Successors and ports of such names have words of their own.
    #[must_use]
    pub fn is_claim(&self) -> bool {
        self.transformation == Transformation::Affix
            && self.rank.is_none_or(|rank| rank < WELL_KNOWN)
    }
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
pub(super) fn search(names: &Compact, own: bool, name: &str, found: &mut Vec<Lookalike>) {
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
            trusted: if own { Trusted::Own } else { Trusted::Popular },
        });
    };
    search_forms(names, own, name, &mut add);
    search_edits(names, name, &mut add);
    scopes::search(names, own, name, &mut add);
    search_words(names, name, &mut add);
}

pub(super) type Add<'a> = &'a mut dyn FnMut(&str, Transformation, Strength);

/// Names that coincide with this one in a normal form.
fn search_forms(names: &Compact, own: bool, name: &str, add: Add<'_>) {
    let squashed = forms::squashed(name);
    let squashed_target = names
        .by_squashed(&squashed)
        .filter(|_| squashed.len() > SHORT);
    if let Some(target) = squashed_target {
        let transformation = match (forms::split(name).0, forms::split(target).0) {
            _ if name.eq_ignore_ascii_case(target) => Transformation::Case,
            (None, None) => Transformation::Delimiter,
            (Some(_), Some(_)) => Transformation::NearScope,
            _ => Transformation::Flattened,
        };
        let plugin = !own && is_family_name(names, name, target);
        let strength = if plugin {
            Strength::Weak
        } else {
            Strength::Strong
        };
        add(target, transformation, strength);
    }
    if name.len() >= SHORT
        && let Some(target) = names.by_skeleton(&forms::skeleton(name))
    {
        let transformation = match name.eq_ignore_ascii_case(target) {
            true => Transformation::Case,
            false => Transformation::Homoglyph,
        };
        add(target, transformation, Strength::Strong);
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

/// Whether the scope written into the name is how a whole family is named: `babel-preset-env` beside
/// `@babel/preset-env`. Projects that move into a scope leave such names behind, and plugins of others
/// are named like that as well.
fn is_family_name(names: &Compact, name: &str, target: &str) -> bool {
    let Some(scope) = forms::split(target).0 else {
        return false;
    };
    let prefix = format!("{scope}-");
    name.starts_with(&prefix) && names.has_family(&prefix, FAMILY)
}

/// Unscoped names that are one edit away. Scopes are compared on their own.
fn search_edits(names: &Compact, name: &str, add: Add<'_>) {
    if name.starts_with('@') || name.len() <= SHORT {
        return;
    }
    for target in names.one_slip_from(name) {
        if target.starts_with("@types/") {
            continue; // named after what they describe
        }
        if target.starts_with('@') {
            add(target, Transformation::DroppedScope, Strength::Weak);
        } else if target.len() <= SHORT {
            continue;
        } else if let Some((transformation, strength)) = weigh_edit(names, "", name, target) {
            add(target, transformation, strength);
        }
    }
}

/// What a single edit between two unscoped names is worth, or between the bases of two names in the scope
/// `lead` (`@vendor/`, empty for none); nothing if it is how honest names differ.
pub(super) fn weigh_edit(
    names: &Compact,
    lead: &str,
    name: &str,
    target: &str,
) -> Option<(Transformation, Strength)> {
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
    let changed = name.len() == target.len()
        && matches!(
            edit.transformation,
            Transformation::ChangedCharacter | Transformation::NeighbouringKey
        );
    if changed && target.len() <= SHORT + 1 {
        return edit
            .looks_the_same()
            .then_some((Transformation::Homoglyph, Strength::Weak));
    }
    let word = edit.word(target);
    // Siblings differ in a short word by other letters (`client-sns`, `client-sqs`) or in their order
    // (`client-ssm`, `client-sms`), not by one that is there twice: no two in the list do.
    let doubled = !lead.is_empty()
        && edit.transformation == Transformation::RepeatedCharacter
        && name.len() > target.len();
    if word.len() <= SHORT && !doubled {
        let prefix = target.get(..word.start).unwrap_or_default();
        if !prefix.is_empty() && names.has_family(&format!("{lead}{prefix}"), FAMILY) {
            return None;
        }
    }
    if is_plural(name, target) && edit.transformation != Transformation::RepeatedCharacter {
        return Some((Transformation::Plural, Strength::Weak));
    }
    Some((edit.transformation, edit.strength(target, word.len())))
}

/// Whether one is the plural of the other.
fn is_plural(name: &str, target: &str) -> bool {
    let of = |many: &str, one: &str| many.strip_suffix('s') == Some(one);
    of(name, target) || of(target, name)
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
        let slipped = |one: Option<char>, other: Option<char>| matches!((one, other), (Some(one), Some(other)) if near::are_neighbours(one, other));
        let (long, short) = (name.chars().count(), target.chars().count());
        let transformation = match long.cmp(&short) {
            std::cmp::Ordering::Greater if repeated(here, left) => {
                Transformation::RepeatedCharacter
            }
            std::cmp::Ordering::Greater if slipped(here, before) || slipped(here, there) => {
                Transformation::NeighbouringKey
            }
            std::cmp::Ordering::Greater => Transformation::AddedCharacter,
            std::cmp::Ordering::Less if repeated(there, right) => Transformation::RepeatedCharacter,
            std::cmp::Ordering::Less => Transformation::OmittedCharacter,
            std::cmp::Ordering::Equal
                if left.chars().nth(1) == there && right.chars().nth(1) == here =>
            {
                Transformation::SwappedCharacters
            }
            std::cmp::Ordering::Equal if slipped(here, there) => Transformation::NeighbouringKey,
            std::cmp::Ordering::Equal => Transformation::ChangedCharacter,
        };
        Some(Self {
            transformation,
            at,
            here,
            there,
        })
    }

    /// Whether the two characters are told apart by their height alone: `i`, `l`, `1`. The forms of names have `i`
    /// for itself, as half of all names have one.
    fn looks_the_same(&self) -> bool {
        let is_stroke = |it: Option<char>| matches!(it, Some('i' | 'I' | 'l' | '1'));
        is_stroke(self.here) && is_stroke(self.there)
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

    fn strength(&self, target: &str, word: usize) -> Strength {
        let digit_end = self.here.is_some_and(|c| c.is_ascii_digit())
            || self.there.is_some_and(|c| c.is_ascii_digit());
        if digit_end || word <= SHORT {
            return Strength::Weak;
        }
        match self.transformation {
            // Fingers slip in this way; words hardly ever pair up in it.
            Transformation::SwappedCharacters if target.len() > SHORT + 1 => Strength::Strong,
            Transformation::RepeatedCharacter
            | Transformation::OmittedCharacter
            | Transformation::NeighbouringKey
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

/// Words before or after a name that say nothing about what the package is for, so that the two could
/// be one: of the 38 names of the first large campaign 22 were made this way (INCIDENTS I01).
const CLAIMS: [&str; 16] = [
    "js", "node", "nodejs", "npm", "min", "lib", "official", "latest", "new", "original", "real",
    "plain", "pro", "plus", "2", "package",
];

/// Names that a word that says nothing was put to, other spellings of the same sound, plurals.
fn search_words(names: &Compact, name: &str, add: Add<'_>) {
    if name.starts_with('@') {
        return;
    }
    if let Some(target) = forms::sounds(name).and_then(|sound| names.by_sound(&sound))
        && target != name
        && forms::squashed(target) != forms::squashed(name)
        && !is_plural(name, target)
    {
        add(target, Transformation::Sound, Strength::Weak);
    }
    // `ethesjs`: a slip, and the language's name behind it.
    if let Some(bare) = name.strip_suffix("js")
        && bare.trim_end_matches(forms::is_delimiter).len() > SHORT
    {
        let bare = bare.trim_end_matches(forms::is_delimiter);
        for target in names.one_slip_from(bare) {
            let known = names.rank(target).is_some_and(|rank| rank < WELL_KNOWN);
            if known && !target.starts_with('@') {
                add(target, Transformation::Affix, Strength::Weak);
            }
        }
    }
    for word in CLAIMS {
        for rest in [name.strip_prefix(word), name.strip_suffix(word)]
            .into_iter()
            .flatten()
        {
            let bare = rest.trim_matches(forms::is_delimiter);
            let glued = bare.len() == rest.len();
            // `nodesass` is a name of its own; `jquery2` says what it is.
            let claims = !glued || matches!(word, "js" | "node" | "min" | "2");
            // `d3.js` is how people call d3.
            let called = word == "js" && rest.ends_with('.') && bare.len() > 1;
            let known = names
                .rank(bare)
                .is_some_and(|rank| bare.len() > SHORT || (called && rank < WELL_KNOWN));
            let transformation = match word {
                "2" => Transformation::Numbered,
                _ => Transformation::Affix,
            };
            if claims && known {
                add(bare, transformation, Strength::Weak);
            }
        }
    }
}
