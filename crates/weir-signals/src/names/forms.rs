//! Forms of a name in which lookalikes coincide (DETECTION section 5, stage 1).

/// Splits `@scope/base` into its parts; an unscoped name is all base.
pub(crate) fn split(name: &str) -> (Option<&str>, &str) {
    match name.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
        Some((scope, base)) => (Some(scope), base),
        None => (None, name),
    }
}

/// Characters that separate words in a name, the scope's own included.
pub(crate) const fn is_delimiter(character: char) -> bool {
    matches!(character, '-' | '_' | '.' | '/' | '@')
}

/// The name without anything that separates words: `@tan-stack/router` and `@tanstack/router` meet
/// here, as do `@a/b`, `a-b` and `ab`.
pub(crate) fn squashed(name: &str) -> String {
    name.chars()
        .filter(|&c| !is_delimiter(c))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The name as a hurried eye reads it: `0` and `o`, `1`, `I` and `l`, `rn` and `m`, `vv` and `w`
/// are the same (DETECTION section 5, category 12).
pub(crate) fn skeleton(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        let folded = match plain(character) {
            '0' => 'o',
            '1' | 'I' => 'l',
            other => other.to_ascii_lowercase(),
        };
        match (out.chars().last(), folded) {
            (Some('r'), 'n') => {
                out.pop();
                out.push('m');
            }
            (Some('v'), 'v') => {
                out.pop();
                out.push('w');
            }
            _ => out.push(folded),
        }
    }
    out
}

/// The letter of the Latin alphabet that a letter of another one passes for; others as they are. From
/// Unicode's confusables, those whose shape is the same in the fonts that terminals use. Registries of
/// one's own may allow such names.
const fn plain(character: char) -> char {
    match character {
        '\u{430}' | '\u{251}' | '\u{3b1}' => 'a',
        '\u{435}' | '\u{454}' | '\u{451}' => 'e',
        '\u{43e}' | '\u{3bf}' | '\u{585}' => 'o',
        '\u{440}' | '\u{3c1}' => 'p',
        '\u{441}' | '\u{3f2}' => 'c',
        '\u{443}' | '\u{3b3}' => 'y',
        '\u{445}' => 'x',
        '\u{456}' | '\u{131}' | '\u{3b9}' => 'i',
        '\u{458}' => 'j',
        '\u{455}' => 's',
        '\u{501}' => 'd',
        '\u{4bb}' => 'h',
        '\u{578}' => 'n',
        '\u{261}' => 'g',
        '\u{3bd}' => 'v',
        '\u{461}' => 'w',
        '\u{4cf}' | '\u{2113}' => 'l',
        '\u{43a}' => 'k',
        '\u{43c}' => 'm',
        '\u{442}' => 't',
        '\u{ff41}'..='\u{ff5a}' => full_width(character),
        other => other,
    }
}

/// The letter of a full-width one.
const fn full_width(character: char) -> char {
    match char::from_u32(character as u32 - 0xff41 + 0x61) {
        Some(letter) => letter,
        None => character,
    }
}

/// The name as it is heard: letters that sound the same are the same, as are both spellings of words
/// such as colour and color (DETECTION section 5, categories 9 and 11). Nothing for a name that is too
/// short for that to mean something, or has digits.
pub(crate) fn sounds(name: &str) -> Option<String> {
    /// Shorter names share their sound by chance.
    const SHORTEST: usize = 6;
    const ALIKE: [(&str, &str); 14] = [
        ("ough", "o"),
        ("ight", "it"),
        ("our", "or"),
        ("ph", "f"),
        ("ck", "k"),
        ("qu", "kw"),
        ("wh", "w"),
        ("kn", "n"),
        ("wr", "r"),
        ("grey", "gray"),
        ("ise", "ize"),
        ("ence", "ense"),
        ("ee", "ea"),
        ("oo", "u"),
    ];
    let mut text = squashed(name);
    if text.len() < SHORTEST || text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    for (from, to) in ALIKE {
        text = text.replace(from, to);
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let soft = matches!(letters.peek(), Some('e' | 'i' | 'y'));
        let heard = match letter {
            'c' if soft => 's',
            'c' | 'q' => 'k',
            'z' => 's',
            'y' => 'i',
            other => other,
        };
        if !out.ends_with(heard) {
            out.push(heard);
        }
    }
    Some(out)
}

/// The words of the name in alphabetical order, or nothing for a name of one word.
pub(crate) fn word_bag(name: &str) -> Option<String> {
    let mut words: Vec<String> = name
        .split(is_delimiter)
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.len() < 2 {
        return None;
    }
    words.sort_unstable();
    Some(words.join(" "))
}

/// The base of a scoped name, where it says enough to be recognised without its scope: several
/// words and eight letters. `core` says nothing, `core-tracing` does (scope dropping was used
/// against a large cloud vendor's scope in 2022).
pub(crate) fn telling_base(name: &str) -> Option<&str> {
    let (scope, base) = split(name);
    scope?;
    (base.len() >= 8 && base.contains(['-', '.', '_'])).then_some(base)
}
