//! Where a client works, and whose settings count there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use weir_npm::npmrc::Npmrc;

use crate::cli::Global;
use crate::clients::{Client, IGNORES_WORKSPACE, Said, one_spelling};
use crate::{files, setup};

/// Where a client works.
pub(super) struct Place {
    /// The folder it works in: `--prefix`, `-C`, `--dir` or `--cwd` where given, else the current one.
    pub folder: PathBuf,
    /// The folder whose lockfile and settings count: the root of workspaces, or the nearest upward with a
    /// `package.json`.
    pub project: PathBuf,
    /// The folder whose settings are looked for.
    settings: PathBuf,
    /// Whether that is the project's folder, whatever lies above.
    exactly: bool,
    /// The member of pnpm's workspaces that the folder lies in, if it is not their root.
    member: Option<PathBuf>,
}

impl Place {
    pub(super) fn of(client: Client, said: &Said) -> Result<Self> {
        let folder = folder_of(client, said)?;
        if client == Client::Pnpm {
            return Ok(Self::of_pnpm(folder, said));
        }
        // npm looks for no other folder than the one it was told.
        let exactly = client.is_npm() && said.folder.is_some();
        let project = if exactly {
            folder.clone()
        } else {
            weir_upstream::project_root(&folder)
        };
        Ok(Self {
            settings: folder.clone(),
            folder,
            project,
            exactly,
            member: None,
        })
    }

    /// pnpm's workspaces are nothing that npm would look for upward.
    fn of_pnpm(folder: PathBuf, said: &Said) -> Self {
        let has = |folder: &Path, name: &str| folder.join(name).exists();
        let mut upward = folder.ancestors();
        let nearest = upward.find(|it| has(it, "package.json") || has(it, "node_modules"));
        let nearest = nearest.unwrap_or(&folder).to_owned();
        if ignores_workspace(said) {
            return Self {
                folder,
                project: nearest.clone(),
                settings: nearest,
                exactly: true,
                member: None,
            };
        }
        let mut upward = folder.ancestors();
        let root = upward.find(|upper| upper.join("pnpm-workspace.yaml").is_file());
        let member = root.filter(|root| *root != nearest).map(|_| nearest);
        let project = root.map_or_else(|| weir_upstream::project_root(&folder), Path::to_owned);
        Self {
            settings: project.clone(),
            folder,
            project,
            exactly: false,
            member,
        }
    }

    pub(super) fn told(&self, said: &Said) -> setup::Told {
        setup::Told {
            folder: self.settings.clone(),
            exactly: self.exactly,
            settings: said.settings.clone(),
        }
    }

    /// pnpm 10 reads the settings of the member it works in, over those of the root; 12 reads the root's alone.
    /// Where they differ, weir would ask another registry than the one that pnpm has in mind.
    pub(super) fn refuse_two_answers(
        &self,
        told: &setup::Told,
        global: &Global,
        npmrc: &Npmrc,
    ) -> Result<()> {
        let Some(member) = &self.member else {
            return Ok(());
        };
        let names = told.otherwise(member, global, npmrc)?;
        if names.is_empty() {
            return Ok(());
        }
        bail!(
            "{} says something else than the settings of the workspaces' root on {}, and which of them pnpm follows \
             depends on its version: say it in one place, or for this run by npm_config_<name>",
            member.join(".npmrc").display(),
            weir_model::finding::printable(&names.join(", "), 300)
        )
    }
}

/// Arguments with what they mean said in full: yarn runs the script or the tool of a name that is no command of its
/// own, and takes what comes after it for that.
pub(super) fn spelled_out(client: Client, arguments: &[String]) -> Vec<String> {
    let mut spelled = arguments.to_vec();
    let Some((before, name)) = client.shorthand(arguments) else {
        return spelled;
    };
    let folder = folder_of(client, &client.said(before));
    if folder.is_ok_and(|folder| has_script(&folder, name) || has_tool(&folder, name)) {
        spelled.insert(before.len(), "run".to_owned());
    }
    spelled
}

/// Whether the nearest manifest upward has a script of this name.
fn has_script(folder: &Path, name: &str) -> bool {
    /// Longest manifest looked at, in bytes.
    const MAX_MANIFEST: usize = 4 << 20;
    let mut upward = folder.ancestors().map(|it| it.join("package.json"));
    let Some(file) = upward.find(|file| file.exists()) else {
        return false;
    };
    let text = files::read(&file, MAX_MANIFEST).ok().flatten();
    let manifest = text.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let script = manifest
        .as_ref()
        .and_then(|it| it.get("scripts")?.get(name));
    script.is_some_and(Value::is_string)
}

/// Whether a tool of this name is installed in the folder or above.
fn has_tool(folder: &Path, name: &str) -> bool {
    let is_name = !name.contains(['/', '\\']) && name != "..";
    let mut upward = folder.ancestors().map(|it| it.join("node_modules/.bin"));
    is_name && upward.any(|tools| tools.join(name).is_file())
}

/// The folder that a client is told to work in, or the current one.
fn folder_of(client: Client, said: &Said) -> Result<PathBuf> {
    let current = std::env::current_dir().context("finding the current folder")?;
    let Some(given) = &said.folder else {
        return Ok(current);
    };
    let home = std::env::var_os("HOME").filter(|_| client.is_npm());
    let folder = match (given.strip_prefix("~/"), home) {
        (Some(inner), Some(home)) => Path::new(&home).join(inner),
        _ => current.join(given),
    };
    // Upward of `a/../b` is not `a`.
    Ok(folder.canonicalize().unwrap_or(folder))
}

/// Whether pnpm was told to look for no workspaces. Its command line comes before its variables.
fn ignores_workspace(said: &Said) -> bool {
    if let Some(value) = said.settings.get(IGNORES_WORKSPACE) {
        return value != "false";
    }
    // pnpm 11 and later have a prefix of their own.
    let is_it = |name: &str| {
        let name = one_spelling(name);
        name == IGNORES_WORKSPACE || name.strip_prefix('p') == Some(IGNORES_WORKSPACE)
    };
    std::env::vars_os().any(|(name, value)| name.to_str().is_some_and(is_it) && value == "true")
}
