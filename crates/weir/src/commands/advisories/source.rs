//! Where a feed is read from: a path on this machine, or an address.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use weir_store::advisories::{Feed, fingerprint};
use weir_upstream::{Conditional, Fetched, UpstreamError, Url};

use crate::cli::Global;
use crate::setup;

/// Most bytes fetched. The archive of all npm records of the largest public database has about 200 MB.
const MAX_FETCH: u64 = 4 << 30;

pub(super) enum Source {
    Path(PathBuf),
    Address(Url),
}

/// What there is to read.
pub(super) struct Found {
    place: Place,
    /// Whether it is one record, and so never a whole feed.
    pub(super) is_single: bool,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

enum Place {
    Here(PathBuf),
    /// Gone when it is done with.
    Fetched(tempfile::TempPath),
}

impl Found {
    pub(super) fn path(&self) -> &Path {
        match &self.place {
            Place::Here(path) => path,
            Place::Fetched(path) => path,
        }
    }
}

impl Source {
    pub(super) fn of(text: &str) -> Result<Self> {
        if text.is_empty() {
            bail!("an empty source");
        }
        // One letter before the colon is a drive.
        let is_address = text
            .split_once("://")
            .is_some_and(|(scheme, _)| scheme.len() > 1);
        if !is_address && !text.starts_with("file:") {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        let url = Url::parse(text).with_context(|| format!("{text:?} is no address"))?;
        match url.scheme() {
            "file" => match url.to_file_path() {
                Ok(path) => Ok(Self::Path(path)),
                Err(()) => bail!("{text:?} names no path on this machine"),
            },
            "https" | "http" => Ok(Self::Address(url)),
            scheme => bail!("{text:?}: {scheme} is not supported; https and file are"),
        }
    }

    /// What a feed from here is called if nobody says.
    pub(super) fn name(&self) -> Result<String> {
        let name = match self {
            Self::Path(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let base = if path.is_dir() {
                    path.file_name()
                } else {
                    path.file_stem()
                };
                base.map(|it| it.to_string_lossy().into_owned())
            }
            Self::Address(url) => {
                let path = url.path().trim_matches('/');
                let path = path.strip_suffix(".zip").unwrap_or(path);
                url.host_str().map(|host| format!("{host}/{path}"))
            }
        };
        let name: String = name
            .unwrap_or_default()
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || "._-/:@".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(100)
            .collect();
        if name.is_empty() {
            bail!("name the feed: --feed <NAME>");
        }
        Ok(name)
    }

    /// What is remembered, to read it again from anywhere.
    pub(super) fn remembered(&self) -> String {
        match self {
            Self::Path(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                path.display().to_string()
            }
            Self::Address(url) => url.to_string(),
        }
    }

    /// Makes sure it is here. Nothing, if what is known is still the present state.
    pub(super) async fn open(
        &self,
        global: &Global,
        known: Option<&Feed>,
    ) -> Result<Option<Found>> {
        let url = match self {
            Self::Path(path) => return here(path, known),
            Self::Address(url) => url,
        };
        let is_single = url.path().ends_with(".json");
        let known = known.map(|feed| Conditional {
            etag: feed.etag.clone(),
            last_modified: feed.last_modified.clone(),
        });
        let files = setup::files(global)?;
        let ending = if is_single { ".json" } else { ".zip" };
        let mut file = tempfile::Builder::new()
            .suffix(ending)
            .tempfile_in(setup::data_folder(global)?)
            .context("making a file to fetch into")?;
        let fetched = files
            .fetch(url, &known.unwrap_or_default(), MAX_FETCH, &mut file)
            .await
            .map_err(|error| match error {
                // No registry is meant.
                UpstreamError::Address { address, why, .. } => anyhow!("{address}: {why}"),
                other => anyhow::Error::new(other).context("fetching it"),
            })?;
        let Fetched::Whole(validators) = fetched else {
            return Ok(None);
        };
        Ok(Some(Found {
            is_single,
            place: Place::Fetched(file.into_temp_path()),
            etag: validators.etag,
            last_modified: validators.last_modified,
        }))
    }
}

/// What is on this machine. A file is told by its bytes: reading every record of an archive again takes a
/// hundred times as long as hashing it.
fn here(path: &Path, known: Option<&Feed>) -> Result<Option<Found>> {
    let fingerprint = fingerprint(path)?;
    if fingerprint.is_some() && known.is_some_and(|feed| feed.etag == fingerprint) {
        return Ok(None);
    }
    let json = path
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("json"));
    Ok(Some(Found {
        is_single: json && !path.is_dir(),
        place: Place::Here(path.to_owned()),
        etag: fingerprint,
        last_modified: None,
    }))
}
