//! The corpus: inert imitations of attacks and their benign twins, as packages in memory.

pub(crate) mod generate;
mod load;
mod pack;
#[cfg(test)]
mod tests;

pub(crate) use load::{Kind, Sample, Style, every};
pub(crate) use pack::{Package, clean_before, package};
