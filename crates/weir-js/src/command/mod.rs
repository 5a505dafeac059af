//! Command lines of lifecycle scripts and the shell scripts they run: which files and inline code
//! they start, and whether the shell itself sends secrets away.

mod acts;
mod leaks;
mod run;
mod shell;
mod words;

pub(crate) use acts::Deed;
pub(crate) use leaks::{Leak, host, names_tool, sources};
#[cfg(test)]
use run::Reading;
pub(crate) use run::read;
pub(crate) use words::is_shell;

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
