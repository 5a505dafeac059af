//! The operator's own rules: read and checked once, then handed to every worker as text.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use weir_files::rules::{RuleSet, RulesError, Sources};

use crate::EngineError;

/// What keeps the rules of a folder from being used, as an engine would find when it starts: the first mistake
/// of each file, with its place. Nothing where they can be used.
#[must_use]
pub fn mistakes_in_rules(folder: &Path) -> Vec<String> {
    match compiled(folder) {
        Ok(_) => Vec::new(),
        Err(RulesError::Rules(mistakes)) => mistakes,
        Err(error) => vec![error.to_string()],
    }
}

fn compiled(folder: &Path) -> Result<(Sources, RuleSet), RulesError> {
    let sources = Sources::read(folder)?;
    let rules = RuleSet::compile(&sources)?;
    Ok((sources, rules))
}

/// Rules as workers get them, and what names them.
#[derive(Debug, Default)]
pub(crate) struct OwnRules {
    frame: Bytes,
    digest: Option<String>,
}

impl OwnRules {
    /// Reads and compiles the rules of a folder; nothing where there is none.
    ///
    /// # Errors
    /// When the folder cannot be read or a rule does not compile, with its place.
    pub(crate) async fn read(folder: Option<PathBuf>) -> Result<Self, EngineError> {
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        let reading = tokio::task::spawn_blocking(move || {
            let (sources, rules) = compiled(&folder).map_err(|error| error.to_string())?;
            for warning in rules.warnings() {
                tracing::warn!(rules.folder = %folder.display(), "{warning}");
            }
            let frame = serde_json::to_vec(&sources).map_err(|error| error.to_string())?;
            Ok(Self {
                frame: frame.into(),
                digest: Some(sources.digest()),
            })
        });
        let read: Result<Self, String> = reading
            .await
            .unwrap_or_else(|error| Err(format!("they could not be compiled: {error}")));
        read.map_err(EngineError::Rules)
    }

    /// What names the rules: other rules, other findings.
    pub(crate) fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The rules for a worker; empty where there are none.
    pub(crate) fn into_frame(self) -> Bytes {
        self.frame
    }
}
