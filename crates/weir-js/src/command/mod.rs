//! Command lines of lifecycle scripts and the shell scripts they run: which files and inline code
//! they start, and whether the shell itself sends secrets away.

mod acts;
mod brought;
mod builders;
mod builds;
mod clients;
mod coded;
mod files;
mod folder;
mod groups;
mod handed;
mod leaks;
mod lexer;
mod nested;
mod open;
mod ran;
mod remote;
mod run;
mod sent;
mod shell;
mod starts;
mod texts;
mod told;
mod trees;
mod unseen;
mod values;
mod words;
mod wrappers;

pub(crate) use acts::{Deed, at_home};
pub(crate) use files::{is_setting, run};
pub(crate) use leaks::{Leak, Stolen, host, names_tool, sources};
pub(crate) use nested::ends_in_encoding;
pub(crate) use open::is_open;
pub(crate) use run::{Build, Reading, read, read_in};
pub(crate) use shell::cut;
pub(crate) use starts::quoted;
pub(crate) use texts::number;
pub(crate) use words::{is_shell, reads_program};

/// The words of all programs of a text, for tests.
#[cfg(test)]
pub(crate) fn words(text: &str) -> Vec<String> {
    shell::pipelines(text)
        .into_iter()
        .flatten()
        .flat_map(|simple| simple.words)
        .map(|word| shell::literal(&word))
        .collect()
}

#[cfg(test)]
mod tests;
