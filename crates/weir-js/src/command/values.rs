//! Variables whose values a script sets to constants, put into the words that use them:
//! `C=curl; $C -d x`, `for f in a b; do cat $f; done`.

use std::collections::HashMap;

use super::groups::leads_on;
use super::shell::{Mark, Simple, variables};

/// Most variables whose values are kept.
const VARIABLES: usize = 1024;
/// Longest word after variables were put in, in bytes.
const WORD: usize = 64 << 10;
/// Most variables of one word that are replaced.
const NAMES: usize = 64;
/// Longest value that is kept, in bytes.
const VALUE: usize = 1024;
/// Most values of a loop's variable.
const TURNS: usize = 64;
/// Most variables of loops that one pipeline uses.
const LOOPS: usize = 3;
/// How much longer a text may become by the turns of its loops.
const GROWTH: usize = 8;

/// What variables hold, and whether one of them was left out.
#[derive(Default)]
struct Values {
    known: HashMap<String, Vec<String>>,
    in_part: bool,
}

/// Puts constants into the pipelines of a text of `length` bytes. What uses the variable of a loop is
/// there once for each of its values, as long as that makes the text not much longer. Says whether
/// anything was left as it is because there was too much of it.
pub(super) fn insert(pipelines: &mut Vec<Vec<Simple>>, length: usize) -> bool {
    let mut values = Values::default();
    let mut left = length.saturating_mul(GROWTH);
    for mut pipeline in std::mem::take(pipelines) {
        for simple in &mut pipeline {
            if !values.known.is_empty() {
                for_each_word(simple, |word| insert_single(word, &values));
            }
            remember(simple, &mut values);
        }
        let names = looped(&pipeline, &mut values);
        let is_whole = spread(pipeline, &names, &values.known, &mut left, pipelines);
        values.in_part |= !is_whole;
    }
    values.in_part
}

/// Puts values that became known while a function ran into a pipeline.
pub(super) fn put_known(pipeline: &mut [Simple], known: &HashMap<String, String>) {
    for simple in pipeline {
        for_each_word(simple, |word| {
            for name in variables(word).into_iter().take(NAMES) {
                if let Some(value) = known.get(&name) {
                    put(word, &name, value);
                }
            }
        });
    }
}

/// Puts the arguments of a function into its body: `$1`, `$@`.
pub(super) fn bind(pipeline: &mut [Simple], arguments: &[String]) {
    for simple in pipeline {
        for_each_word(simple, |word| {
            for (index, argument) in arguments.iter().take(9).enumerate() {
                put(word, &(index + 1).to_string(), argument);
            }
        });
        if let Some(at) = simple
            .words
            .iter()
            .position(|word| word == "$@" || word == "$*")
        {
            simple.words.splice(at..=at, arguments.iter().cloned());
        }
    }
}

fn for_each_word(simple: &mut Simple, mut change: impl FnMut(&mut String)) {
    let values = simple.assignments.iter_mut().map(|(_, value)| value);
    let words = simple.words.iter_mut().chain(&mut simple.inputs);
    for word in words.chain(&mut simple.outputs).chain(values) {
        if word.contains('$') {
            change(word);
        }
    }
}

/// Whether a value holds nothing that the shell has to fill in.
pub(super) fn is_constant(value: &str) -> bool {
    !value.contains(['$', '`', '<']) && value.len() < VALUE
}

/// Keeps what a program sets.
fn remember(simple: &Simple, values: &mut Values) {
    // `A=1 program` sets it for that program only.
    let is_lasting = simple.words.iter().all(|word| leads_on(word));
    if is_lasting || simple.words.first().is_some_and(|word| word == "export") {
        for (name, value) in &simple.assignments {
            let known = is_constant(value).then(|| vec![value.clone()]);
            keep(name, known, values);
        }
    }
    if let [first, name, within, words @ ..] = simple.words.as_slice()
        && (first == "for" || first == "select")
        && within == "in"
    {
        let words = words.iter().filter(|word| is_constant(word));
        let turns = words.flat_map(|word| word.split_whitespace().map(str::to_owned));
        let mut turns: Vec<String> = turns.take(TURNS + 1).collect();
        values.in_part |= turns.len() > TURNS;
        turns.truncate(TURNS);
        keep(name, (!turns.is_empty()).then_some(turns), values);
    }
}

fn keep(name: &str, known: Option<Vec<String>>, values: &mut Values) {
    let Some(known) = known else {
        values.known.remove(name);
        return;
    };
    if values.known.len() < VARIABLES || values.known.contains_key(name) {
        values.known.insert(name.to_owned(), known);
    } else {
        values.in_part = true;
    }
}

fn insert_single(word: &mut String, values: &Values) {
    for name in variables(word).into_iter().take(NAMES) {
        if let Some([value]) = values.known.get(&name).map(Vec::as_slice) {
            put(word, &name, value);
        }
    }
}

/// The variables with several values that a pipeline uses.
fn looped(pipeline: &[Simple], values: &mut Values) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if values.known.values().all(|known| known.len() < 2) {
        return found;
    }
    for simple in pipeline {
        let assigned = simple.assignments.iter().map(|(_, value)| value);
        let words = simple.words.iter().chain(&simple.inputs);
        for word in words.chain(&simple.outputs).chain(assigned) {
            for name in variables(word) {
                let is_looped = values.known.get(&name).is_some_and(|one| one.len() > 1);
                if !is_looped || found.contains(&name) {
                    continue;
                }
                if found.len() < LOOPS {
                    found.push(name);
                } else {
                    values.in_part = true;
                }
            }
        }
    }
    found
}

/// Adds a pipeline once for each value of the loops' variables that it uses. False where that would have
/// become too much.
fn spread(
    mut pipeline: Vec<Simple>,
    names: &[String],
    values: &HashMap<String, Vec<String>>,
    left: &mut usize,
    out: &mut Vec<Vec<Simple>>,
) -> bool {
    let known = names
        .split_first()
        .and_then(|(name, rest)| Some((name, rest, values.get(name)?)));
    let Some((name, rest, turns)) = known else {
        out.push(pipeline);
        return true;
    };
    let words = pipeline.iter().flat_map(|simple| &simple.words);
    let size: usize = words.map(|word| word.len() + 1).sum();
    let wanted = size.saturating_mul(turns.len());
    let is_plain = pipeline.iter().all(|simple| simple.mark == Mark::Program);
    // A group must not begin or end more than once.
    if !is_plain || wanted > *left {
        for simple in &mut pipeline {
            put_all(simple, name, turns);
        }
        return spread(pipeline, rest, values, left, out) && !is_plain;
    }
    *left -= wanted;
    let mut is_whole = true;
    for value in turns {
        let mut turn = pipeline.clone();
        for simple in &mut turn {
            for_each_word(simple, |word| put(word, name, value));
        }
        is_whole &= spread(turn, rest, values, left, out);
    }
    is_whole
}

/// All values at once, where the variable is a word of its own; elsewhere the first.
fn put_all(simple: &mut Simple, name: &str, turns: &[String]) {
    let (plain, braced) = (format!("${name}"), format!("${{{name}}}"));
    if let Some(at) = simple
        .words
        .iter()
        .position(|word| *word == plain || *word == braced)
    {
        simple.words.splice(at..=at, turns.iter().cloned());
    }
    if let Some(first) = turns.first() {
        for_each_word(simple, |word| put(word, name, first));
    }
}

/// Puts a value into a word in place of a variable.
fn put(word: &mut String, name: &str, value: &str) {
    if word.len().saturating_add(value.len().saturating_mul(8)) > WORD {
        return;
    }
    // In a command inside of the word it must stay one word of that command.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "~/.-_:@%+,=".contains(c);
    if word.contains("$(") && !value.chars().all(is_plain) {
        return;
    }
    let braced = word.replacen(&format!("${{{name}}}"), value, 8);
    *word = match braced.find(&format!("${name}")) {
        // A longer name begins alike.
        Some(at)
            if braced
                .get(at + name.len() + 1..)
                .and_then(|rest| rest.chars().next())
                .is_none_or(|c| !(c.is_ascii_alphanumeric() || c == '_')) =>
        {
            braced.replacen(&format!("${name}"), value, 1)
        }
        _ => braced,
    };
}
