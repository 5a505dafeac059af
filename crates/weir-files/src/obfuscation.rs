//! Whether a file's code is packed or obfuscated, by what can be counted.
//!
//! Minified code has short names and no white space, and none of what is counted here: no tool that
//! makes code smaller writes a letter as an escape, asks `parseInt` of a shuffled array, or spells
//! a program with six characters. Everything is found by searches over bytes, so that a file without
//! any of it costs little more than reading it.

mod blobs;
mod blocks;
mod marks;
mod members;
mod needles;
mod words;

use needles::{Needles, Wanted};

/// Files up to this size get every look, in bytes: loaders are small, and so is the cost.
const SMALL: usize = 256 << 10;

/// What was measured in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Where it shows first, in bytes.
    pub offset: usize,
    /// Name and value in words, strongest first.
    pub criteria: Vec<String>,
}

/// One criterion that is met.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    offset: usize,
    /// Whether it is enough alone. Others need a second one.
    enough: bool,
    words: String,
}

/// Measures a file. Nothing for one that is neither packed nor obfuscated.
#[must_use]
pub fn measure(text: &[u8]) -> Option<Measured> {
    let needles = Needles::of(text);
    let if_named =
        |wanted, mark: fn(&[u8]) -> Option<Mark>| needles.has(wanted).then(|| mark(text)).flatten();
    let in_place = match needles.has(Wanted::Members) {
        true => members::marks(text),
        false => [None, None],
    };
    let mut met: Vec<Mark> = [
        if_named(Wanted::Packer, marks::packer),
        marks::six_characters(text),
        if_named(Wanted::Faces, marks::faces),
        if_named(Wanted::ShuffledArray, marks::shuffled_array),
        if_named(Wanted::Flattened, marks::flattened),
        if_named(Wanted::HexadecimalNames, marks::hexadecimal_names),
        marks::escaped_letters(text),
        if_named(Wanted::ForeignBase64, marks::foreign_base64),
        if_named(Wanted::SelfReplacingArray, marks::self_replacing_array),
        marks::only_evaluates(text),
        if_named(Wanted::DecodedInPlace, marks::decoded_in_place),
        if_named(Wanted::SplitWords, words::split_words),
        words::shuffled_alphabet(text),
        words::noise(text),
        words::encoded_array(text),
        blobs::decoded_blob(text),
        blobs::character_codes(text),
    ]
    .into_iter()
    .chain(in_place)
    .flatten()
    .collect();
    if !met.iter().any(|mark| mark.enough) {
        // Two that say little alone are only counted where there is a reason or little to count.
        if met.is_empty() && text.len() > SMALL {
            return None;
        }
        met.extend(if_named(
            Wanted::HexadecimalNumbers,
            words::hexadecimal_numbers,
        ));
        if met.is_empty() {
            return None;
        }
        met.extend(words::computed_members(text));
        if met.len() < 2 {
            return None;
        }
    }
    met.sort_by_key(|mark| !mark.enough);
    let offset = met.iter().map(|mark| mark.offset).min().unwrap_or_default();
    let criteria = met.into_iter().map(|mark| mark.words).collect();
    Some(Measured { offset, criteria })
}

#[cfg(test)]
mod tests;
