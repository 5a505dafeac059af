//! The trusted root that is kept in the data folder, and the copies of registries' keys beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_provenance::tuf::Metadata;

/// What `weir trust-root refresh` kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The trusted root, if one was kept.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) root: Option<String>,
    /// Copies of registries' keys, by host.
    #[serde(default)]
    pub(crate) keys: BTreeMap<String, String>,
    /// Where they come from, and what was verified.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) origin: Option<KeptOrigin>,
}

/// Where a kept root comes from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptOrigin {
    /// The address or file.
    pub(crate) from: String,
    /// When it was kept.
    pub(crate) at: Timestamp,
    /// How it was verified; nothing for a file that was taken as it was.
    pub(crate) chain: Option<Chain>,
}

/// A chain of TUF metadata that was followed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Chain {
    /// The version of the root metadata it ends in.
    pub(crate) version: u64,
    /// Until when the repository stands by it.
    pub(crate) expires: Option<Timestamp>,
    /// SHA-256 of the root metadata it began with; nothing for those that come with weir.
    pub(crate) start: Option<String>,
    /// The metadata that were verified last.
    pub(crate) metadata: Metadata,
}

/// Largest file with a trusted root that is read, in bytes: a hundred times what they have.
const LARGEST: usize = 16 << 20;

/// The text of a file with a trusted root; nothing where there is none.
///
/// # Errors
/// When it is there and cannot be read, is no ordinary file, or too large for one.
pub(crate) fn text_of(file: &Path) -> Result<Option<String>> {
    let place = || format!("reading {}", file.display());
    let bytes = crate::files::read(file, LARGEST);
    let bytes = bytes.map_err(|why| anyhow!(why)).with_context(place)?;
    bytes.map(String::from_utf8).transpose().with_context(place)
}

/// The file in the data folder.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join("trust-root.json")
}

impl Kept {
    /// Reads what is kept; nothing where nothing is.
    ///
    /// # Errors
    /// When the file is there and cannot be read: going back to the root that comes with weir would be a
    /// silent change of what is trusted.
    pub(crate) fn read(data: &Path) -> Result<Self> {
        let file = file(data);
        let Some(text) = text_of(&file)? else {
            return Ok(Self::default());
        };
        let broken = || {
            format!(
                "{} is no kept trusted root; `weir trust-root refresh` writes it anew",
                file.display()
            )
        };
        let kept: Self = serde_json::from_str(&text).with_context(broken)?;
        // Nobody keeps nothing: the root that comes with weir would be trusted without a word.
        if kept.root.is_none() && kept.keys.is_empty() {
            return Err(anyhow!("it holds neither a root nor keys")).with_context(broken);
        }
        Ok(kept)
    }

    /// Keeps it: whole or not at all.
    pub(crate) fn write(&self, data: &Path) -> Result<()> {
        let file = file(data);
        std::fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
        let text = serde_json::to_string(self).context("writing the trusted root")?;
        let mut written = tempfile::NamedTempFile::new_in(data)
            .with_context(|| format!("writing to {}", data.display()))?;
        std::io::Write::write_all(&mut written, text.as_bytes())
            .with_context(|| format!("writing to {}", data.display()))?;
        written
            .persist(&file)
            .with_context(|| format!("writing {}", file.display()))?;
        Ok(())
    }
}
