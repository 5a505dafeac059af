//! `cargo dev generate`: documentation and schemas that can be derived.

use std::path::{Path, PathBuf};

use weir_signals::CATALOGUE;

use crate::files::{self, Output};
use crate::signal_page;

/// Folder of the signals' pages.
const SIGNALS: &str = "docs/signals";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Compare with what is committed instead of writing
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let root = files::root();
    let outputs = outputs()?;
    let superfluous = superfluous(&root, &outputs);
    files::settle(
        &root,
        &outputs,
        &superfluous,
        arguments.check,
        "cargo dev generate",
    )
}

fn outputs() -> anyhow::Result<Vec<Output>> {
    let mut outputs: Vec<Output> = CATALOGUE
        .iter()
        .map(|signal| {
            Output::new(
                format!("{SIGNALS}/{}.md", signal.id),
                signal_page::page(signal),
            )
        })
        .collect();
    outputs.push(Output::new(
        format!("{SIGNALS}/README.md"),
        signal_page::index(),
    ));
    let assessment = schemars::schema_for!(weir_model::json::v1::Assessment);
    outputs.push(json(
        "docs/assessment.schema.json",
        &serde_json::to_value(assessment)?,
    )?);
    let check = schemars::schema_for!(weir_model::json::v1::Check);
    outputs.push(json(
        "docs/check.schema.json",
        &serde_json::to_value(check)?,
    )?);
    let verify = schemars::schema_for!(weir_model::json::v1::Verify);
    outputs.push(json(
        "docs/verify.schema.json",
        &serde_json::to_value(verify)?,
    )?);
    let decide = schemars::schema_for!(weir_policy::json::v1::Decide);
    outputs.push(json(
        "docs/decide.schema.json",
        &serde_json::to_value(decide)?,
    )?);
    let difference = schemars::schema_for!(weir_model::json::v1::Difference);
    outputs.push(json(
        "docs/diff.schema.json",
        &serde_json::to_value(difference)?,
    )?);
    let why = schemars::schema_for!(weir_model::json::v1::Why);
    outputs.push(json("docs/why.schema.json", &serde_json::to_value(why)?)?);
    let baseline = schemars::schema_for!(weir_model::json::v1::Baseline);
    outputs.push(json(
        "docs/baseline.schema.json",
        &serde_json::to_value(baseline)?,
    )?);
    outputs.push(json(
        "docs/weir.schema.json",
        &weir_policy::config::schema(),
    )?);
    Ok(outputs)
}

fn json(path: &str, value: &serde_json::Value) -> anyhow::Result<Output> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(Output::new(path, text))
}

/// Pages of signals that are no more.
fn superfluous(root: &Path, outputs: &[Output]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root.join(SIGNALS)) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(Path::new(SIGNALS).join(entry.ok()?.file_name())))
        .filter(|path| outputs.iter().all(|output| output.path != *path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_is_the_same_each_time() {
        let content = |outputs: Vec<Output>| -> Vec<(PathBuf, Vec<u8>)> {
            outputs
                .into_iter()
                .map(|output| (output.path, output.content))
                .collect()
        };
        assert_eq!(content(outputs().unwrap()), content(outputs().unwrap()));
    }
}
