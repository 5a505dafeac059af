//! Reading `corpus/`: one TOML file for each story, and one beside it with what was generated from it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// Where stories are, by what they are.
const FOLDERS: &[(&str, Kind)] = &[
    ("attacks", Kind::Attack),
    ("evasions", Kind::Evasion),
    ("twins", Kind::Twin),
];

/// The end of the names of files that `cargo dev corpus` writes.
pub(crate) const GENERATED: &str = ".generated.toml";

/// What a story is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Imitates an attack; has to be found.
    Attack,
    /// Imitates an attack in a way that was thought up against one signal.
    Evasion,
    /// Does the honest version of nearly the same; has to pass.
    Twin,
}

/// From where a story's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Surface {
    /// A `postinstall` hook.
    Install,
    /// `main`.
    Import,
    /// `bin`.
    Command,
    /// A worker or child that `main` starts.
    Worker,
}

/// How a package is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Style {
    /// By hand, straight on.
    Plain,
    /// By hand; values go through files, functions, callbacks, promises, fields.
    Passed,
    /// Names and texts put together from pieces, members by computed names, `require` under another name.
    Folded,
    /// javascript-obfuscator with a rotated string array.
    StringArray,
    /// javascript-obfuscator with encrypted strings and flattened control flow.
    Encrypted,
    /// One minified file, by esbuild.
    Esbuild,
    /// One minified file, by webpack.
    Webpack,
}

impl Style {
    /// All, in the order of the scoreboard.
    pub(crate) const ALL: &[Self] = &[
        Self::Plain,
        Self::Passed,
        Self::Folded,
        Self::StringArray,
        Self::Encrypted,
        Self::Esbuild,
        Self::Webpack,
    ];

    /// The name as written in samples.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Passed => "passed",
            Self::Folded => "folded",
            Self::StringArray => "string-array",
            Self::Encrypted => "encrypted",
            Self::Esbuild => "esbuild",
            Self::Webpack => "webpack",
        }
    }
}

/// A file of a package: text, or the first bytes of something that is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceFile {
    /// Path inside the package.
    pub(crate) path: String,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Its bytes in hexadecimal, in place of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hex: Option<String>,
    /// Zero bytes after them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pad: Option<usize>,
}

impl SourceFile {
    /// The file's bytes.
    pub(crate) fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = match (&self.text, &self.hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(hex)) => from_hex(hex).with_context(|| self.path.clone())?,
            _ => bail!("{}: either text or hex", self.path),
        };
        bytes.resize(bytes.len() + self.pad.unwrap_or(0), 0);
        Ok(bytes)
    }
}

fn from_hex(hex: &str) -> anyhow::Result<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()
        .context("not hexadecimal")?;
    if digits.len() % 2 == 1 {
        bail!("an odd number of hexadecimal digits");
    }
    Ok(digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect())
}

/// A story file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Story {
    /// One line on what it does, and why that does no harm.
    pub(crate) story: String,
    /// Behaviours it shows, most important first, as in [`crate::score`].
    pub(crate) behaviours: Vec<String>,
    /// From where it runs.
    pub(crate) surface: Surface,
    /// How the files below are written.
    pub(crate) style: Style,
    /// Public incidents that it follows.
    #[serde(default)]
    pub(crate) incidents: Vec<String>,
    /// The signal that it was thought up against.
    #[serde(default)]
    pub(crate) evades: Option<String>,
    /// The text of the hook, where it is not `node` and the first file.
    #[serde(default)]
    pub(crate) command: Option<String>,
    /// More fields of the manifest.
    #[serde(default)]
    pub(crate) manifest: toml::Table,
    /// Its files; the first is the one that runs.
    pub(crate) files: Vec<SourceFile>,
    /// Whether the point would be lost in any other style: comments and white space do not survive tools.
    #[serde(default)]
    pub(crate) only_as_written: bool,
    /// The files of the release before, where they are not what is clean about it.
    #[serde(default)]
    pub(crate) before: Vec<SourceFile>,
    /// Whether the release before ran the same hook already.
    #[serde(default)]
    pub(crate) hook_before: bool,
}

/// What was generated from a story.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    #[serde(default)]
    variants: Vec<Variant>,
    /// Styles that the tool could not produce, with its reason; nobody reads them but people.
    #[serde(default)]
    #[expect(dead_code, reason = "for people who read the file")]
    impossible: Vec<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    style: Style,
    files: Vec<SourceFile>,
}

/// A story in every style there is of it.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Its path below `corpus/` without the end, e.g. `attacks/b01/post-environment`.
    pub(crate) id: String,
    /// What it is for.
    pub(crate) kind: Kind,
    /// The story.
    pub(crate) story: Story,
    /// Its files by style, the hand-written first.
    pub(crate) variants: Vec<(Style, Vec<SourceFile>)>,
}

impl Sample {
    /// The behaviour it is filed under.
    pub(crate) fn behaviour(&self) -> &str {
        self.story.behaviours.first().map_or("", String::as_str)
    }

    /// What a tarball of it is called, as it is written in one style.
    pub(crate) fn archive(&self, style: Style) -> String {
        format!("{}.{}.tgz", self.id.replace('/', "-"), style.as_str())
    }
}

/// Every sample of the corpus, by id.
pub(crate) fn every(root: &Path) -> anyhow::Result<Vec<Sample>> {
    let corpus = root.join("corpus");
    let mut samples = Vec::new();
    for (folder, kind) in FOLDERS {
        let mut paths = Vec::new();
        files_below(&corpus.join(folder), &mut paths)?;
        for path in paths {
            let name = path.to_string_lossy();
            if name.ends_with(".toml") && !name.ends_with(GENERATED) {
                let sample = sample(&corpus, &path, *kind);
                samples.push(sample.with_context(|| path.display().to_string())?);
            }
        }
    }
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(samples)
}

/// Every file of the folders with stories.
pub(crate) fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for (folder, _) in FOLDERS {
        files_below(&root.join("corpus").join(folder), &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn sample(corpus: &Path, path: &Path, kind: Kind) -> anyhow::Result<Sample> {
    let story: Story = toml::from_str(&std::fs::read_to_string(path)?)?;
    let id = path
        .strip_prefix(corpus)?
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/");
    if story.files.is_empty() || story.behaviours.is_empty() {
        bail!("a story has files and behaviours");
    }
    let mut variants = vec![(story.style, story.files.clone())];
    let generated = path.with_extension("").to_string_lossy().into_owned() + GENERATED;
    if Path::new(&generated).is_file() {
        let text = std::fs::read_to_string(&generated)?;
        let generated: Generated = toml::from_str(&text).with_context(|| generated.clone())?;
        let generated = generated.variants.into_iter();
        variants.extend(generated.map(|variant| (variant.style, variant.files)));
    }
    Ok(Sample {
        id,
        kind,
        story,
        variants,
    })
}
