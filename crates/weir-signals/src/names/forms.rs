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
        let folded = match character {
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
