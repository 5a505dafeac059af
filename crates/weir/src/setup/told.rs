//! npm's settings as a client reads them whose own command line says where they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use weir_model::ordinary::what_else;
use weir_npm::npmrc::Npmrc;
use weir_upstream::{Environment, load_npmrc};

use super::command_line;
use crate::cli::Global;

/// Longest settings file read, in bytes, as for those that are found without being told.
const MAX_FILE: u64 = 1 << 20;

/// What a client was told of npm's settings.
#[derive(Debug)]
pub(crate) struct Told {
    /// The folder whose project's settings count.
    pub folder: PathBuf,
    /// Whether that folder's own file is the project's, whatever lies above. So it is for npm with
    /// `--prefix`: it looks for no root then, not even that of workspaces.
    pub exactly: bool,
    /// What the command line says besides, as variables (`npm_config_userconfig`).
    pub settings: BTreeMap<String, String>,
}

impl Told {
    /// The settings.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub(crate) fn npmrc(&self, global: &Global) -> Result<Npmrc> {
        let environment = Environment::of_process();
        let said = command_line(global).over(Npmrc::from_env(&self.settings));
        let variables = variables();
        let upper = said.clone().over(Npmrc::from_env(&variables));
        if !self.exactly || upper.is_global() {
            return load_npmrc(&self.folder, &environment, said)
                .context("reading the npm configuration");
        }
        let file = self.folder.join(".npmrc");
        let own = Npmrc::parse(&text_of(&file)?, &variables);
        // Looked for from here, no other project's file is found.
        let top = self.folder.ancestors().last().unwrap_or(&self.folder);
        load_npmrc(top, &environment, upper.over(own)).context("reading the npm configuration")
    }

    /// What the `.npmrc` of another folder says otherwise than `npmrc`, which these settings are: `registry`, and
    /// scopes that both know, with their `@`. What the command line and the environment say comes before either.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub(crate) fn otherwise(
        &self,
        folder: &Path,
        global: &Global,
        npmrc: &Npmrc,
    ) -> Result<Vec<String>> {
        let own = Npmrc::parse(&text_of(&folder.join(".npmrc"))?, &variables());
        let there = Self {
            folder: folder.to_owned(),
            exactly: true,
            settings: self.settings.clone(),
        };
        let there = there.npmrc(global)?;
        let mut names = Vec::new();
        if own.registry().is_some() && there.registry() != npmrc.registry() {
            names.push("registry".to_owned());
        }
        for (scope, _) in own.scope_registries() {
            let known = npmrc.scope_registry(scope);
            if known.is_some() && known != there.scope_registry(scope) {
                names.push(format!("@{scope}"));
            }
        }
        Ok(names)
    }
}

/// The environment, as far as it is Unicode.
fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The text of a settings file; nothing where there is none. A folder counts as none, as npm has it.
fn text_of(file: &Path) -> Result<String> {
    let Ok(found) = std::fs::metadata(file) else {
        return Ok(String::new());
    };
    if found.is_dir() {
        return Ok(String::new());
    }
    if let Some(what) = what_else(found.file_type()) {
        bail!("{} is {what}, not an ordinary file", file.display());
    }
    if found.len() > MAX_FILE {
        bail!("{} is larger than {MAX_FILE} bytes", file.display());
    }
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
