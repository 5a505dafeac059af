//! `cargo dev corpus`: the styles that tools make out of hand-written samples.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::load::{self, GENERATED, Kind, Sample, SourceFile, Style};
use super::pack;
use crate::files::{self, Output};

/// The script that calls the tools.
const SCRIPT: &str = "corpus/generate/styles.mjs";

/// Versions and digests of the tools, as npm locks them. Not named as npm wants it, so that nothing
/// takes the folder for a project.
const LOCK: &str = "corpus/generate/tools-lock.json";

/// Where the tools are installed.
const TOOLS: &str = "target/corpus/tools";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Compare with what is committed instead of writing
    #[arg(long)]
    check: bool,
}

/// What the script is asked for.
#[derive(Debug, Serialize)]
struct Job<'s> {
    id: &'s str,
    entry: &'s str,
    /// Twins are bundled and nothing else: an obfuscated one would be no benign twin.
    twin: bool,
    module: bool,
    files: &'s [SourceFile],
}

/// What it answers for one sample.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    variants: BTreeMap<Style, Vec<SourceFile>>,
    impossible: BTreeMap<Style, String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = files::root();
    install(&root)?;
    let samples = load::every(&root)?;
    let jobs = samples
        .iter()
        .filter(|sample| !sample.story.only_as_written)
        .map(|sample| {
            let kind = sample.story.manifest.get("type");
            Ok(Job {
                id: &sample.id,
                entry: pack::entry(sample)?,
                twin: sample.kind == Kind::Twin,
                module: kind.and_then(toml::Value::as_str) == Some("module"),
                files: &sample.story.files,
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let answers = ask(&root, &jobs)?;
    let mut outputs = Vec::new();
    for sample in &samples {
        let Some(answer) = answers.get(&sample.id) else {
            continue;
        };
        let path = format!("corpus/{}{GENERATED}", sample.id);
        if !answer.variants.is_empty() || !answer.impossible.is_empty() {
            outputs.push(Output::new(path, render(sample, answer)));
        }
    }
    let superfluous = left_over(&root, &outputs)?;
    files::settle(
        &root,
        &outputs,
        &superfluous,
        arguments.check,
        "cargo dev corpus",
    )
}

/// Generated files of stories that are gone, or that have one style now.
fn left_over(root: &Path, outputs: &[Output]) -> anyhow::Result<Vec<PathBuf>> {
    let wanted: BTreeSet<&Path> = outputs.iter().map(|output| output.path.as_path()).collect();
    let mut left = Vec::new();
    for path in load::files(root)? {
        let path = path.strip_prefix(root)?.to_owned();
        if path.to_string_lossy().ends_with(GENERATED) && !wanted.contains(path.as_path()) {
            left.push(path);
        }
    }
    Ok(left)
}

/// Installs the tools with the user's own npm, unless the same ones are there.
fn install(root: &Path) -> anyhow::Result<()> {
    let lock = std::fs::read_to_string(root.join(LOCK)).with_context(|| LOCK.to_owned())?;
    let tools = root.join(TOOLS);
    let stamp = tools.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    std::fs::create_dir_all(&tools)?;
    let stated: serde_json::Value = serde_json::from_str(&lock)?;
    let wanted = stated
        .pointer("/packages//dependencies")
        .context("the lock states no dependencies")?;
    let manifest = serde_json::json!({ "private": true, "dependencies": wanted });
    std::fs::write(tools.join("package.json"), manifest.to_string())?;
    std::fs::write(tools.join("package-lock.json"), &lock)?;
    // esbuild's own program is an optional dependency; its hook only checks it.
    let status = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--loglevel", "error"])
        .current_dir(&tools)
        .stdin(Stdio::null())
        .status()
        .context("running npm ci")?;
    if !status.success() {
        bail!("npm ci failed in {TOOLS}");
    }
    std::fs::write(stamp, lock)?;
    Ok(())
}

fn ask(root: &Path, jobs: &[Job<'_>]) -> anyhow::Result<BTreeMap<String, Answer>> {
    let mut script = Command::new("node")
        .arg(root.join(SCRIPT))
        .current_dir(root.join(TOOLS))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("running node")?;
    let input = serde_json::to_vec(jobs)?;
    let mut stdin = script.stdin.take().context("no way to talk to node")?;
    stdin.write_all(&input)?;
    drop(stdin);
    let output = script.wait_with_output()?;
    if !output.status.success() {
        bail!("{SCRIPT} failed");
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("the answer of {SCRIPT}"))
}

fn render(sample: &Sample, answer: &Answer) -> String {
    let mut text = format!(
        "# Written by `cargo dev corpus` from {}.toml; inert like it.\n",
        sample.id
    );
    for (style, why) in &answer.impossible {
        let why = quoted(why.lines().next().unwrap_or_default());
        text += &format!(
            "\n[[impossible]]\nstyle = \"{}\"\nwhy = {why}\n",
            style.as_str()
        );
    }
    for (style, files) in &answer.variants {
        text += &format!("\n[[variants]]\nstyle = \"{}\"\n", style.as_str());
        for file in files {
            text += &format!("\n[[variants.files]]\npath = {}\n", quoted(&file.path));
            if let Some(content) = &file.text {
                text += &format!("text = {}\n", literal(content));
            }
            if let Some(hex) = &file.hex {
                text += &format!("hex = \"{hex}\"\n");
            }
            if let Some(pad) = file.pad {
                text += &format!("pad = {pad}\n");
            }
        }
    }
    text
}

/// A string between single quotes where that can be, so that people can read it.
fn literal(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{206f}' | '\u{fe00}'..='\u{feff}')
            || ('\u{e0000}'..='\u{e01ff}').contains(&c)
    };
    if text.contains("'''") || text.ends_with('\'') || text.contains(hidden) {
        return quoted(text);
    }
    format!("'''\n{text}'''")
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            ' '..='~' => quoted.push(c),
            _ if u32::from(c) > 0xffff => quoted += &format!("\\U{:08X}", u32::from(c)),
            _ => quoted += &format!("\\u{:04X}", u32::from(c)),
        }
    }
    quoted.push('"');
    quoted
}
