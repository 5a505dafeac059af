//! Command lines of lifecycle scripts and the shell scripts they run: which files and inline code
//! they start, and whether the shell itself sends secrets away.

mod acts;
mod leaks;
mod run;
mod shell;

pub(crate) use acts::Deed;
pub(crate) use leaks::{Leak, host, names_tool, sources};
#[cfg(test)]
use run::Reading;
pub(crate) use run::read;

#[cfg(test)]
mod tests;
