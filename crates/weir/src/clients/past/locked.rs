//! Lockfiles that send a client to addresses of their own.

use std::path::{Path, PathBuf};

use weir_npm::lockfile::{Format, Lockfile, Source};

use super::{Leads, Past, members};
use crate::clients::{Client, Doing};
use crate::files;
use crate::lockfiles::classic;

/// The lockfiles of others that bun makes one of its own of, where it has none (1.4, tried). It does so with
/// `pnpm-lock.yaml` as well, and asks the registry for what is in it.
const MIGRATED: &[&str] = &["package-lock.json", "npm-shrinkwrap.json", "yarn.lock"];

impl Client {
    /// Lockfile entries in `folder` that this client would fetch from where they say, past any
    /// registry setting. All but npm do that (PROTOCOL 3.7; yarn 4 and pnpm 10 and 12, tried). Those of yarn 1
    /// that are [pointed at the gateway](classic) while it installs are none of them then.
    pub(crate) fn bypassing(self, folder: &Path, doing: Doing) -> Vec<Past> {
        let (files, cut) = self.lockfiles(folder);
        let mut past: Vec<Past> = files
            .into_iter()
            .filter_map(|file| {
                let what = self.in_lockfile(&file, doing)?;
                let file = file
                    .strip_prefix(folder)
                    .map_or(file.clone(), Path::to_owned);
                Some(Past { file, what })
            })
            .collect();
        if cut {
            let why = "its members lie among more folders than are looked into".to_owned();
            past.push(Past {
                file: PathBuf::from("pnpm-workspace.yaml"),
                what: Leads::Unread(why),
            });
        }
        past
    }

    /// The lockfiles that this client may read in a project, and whether there may be more.
    fn lockfiles(self, project: &Path) -> (Vec<PathBuf>, bool) {
        let there = |names: &[&str]| -> Vec<PathBuf> {
            let files = names.iter().map(|name| project.join(name));
            files.filter(|file| file.exists()).collect()
        };
        match self {
            Self::Npm | Self::Npx => (Vec::new(), false),
            Self::Yarn => (there(&["yarn.lock"]), false),
            // The first of these that is there counts.
            Self::Bun => {
                let own = there(&["bun.lock", "bun.lockb"]).into_iter().next();
                (own.map_or_else(|| there(MIGRATED), |own| vec![own]), false)
            }
            Self::Pnpm => {
                let members = members::of(project);
                let mut files = pnpms_in(project);
                files.extend(members.folders.iter().flat_map(|folder| pnpms_in(folder)));
                (files, members.cut)
            }
        }
    }

    /// What in a lockfile leads past weir. Whatever its size: what is not looked at would.
    fn in_lockfile(self, file: &Path, doing: Doing) -> Option<Leads> {
        let name = file.file_name()?.to_str()?;
        if self == Self::Bun && doing == Doing::Beside {
            return None;
        }
        if name == "bun.lockb" {
            return Some(Leads::Binary);
        }
        let bytes = match files::read(file, usize::MAX) {
            Ok(bytes) => bytes?,
            Err(why) => return Some(Leads::Unread(why)),
        };
        let format = match self {
            Self::Pnpm => Format::Pnpm,
            _ => Format::of(name, &bytes)?,
        };
        if format == Format::YarnClassic {
            if doing == Doing::Beside {
                return None;
            }
            let found = classic::Addresses::of(&String::from_utf8_lossy(&bytes));
            let stay = if self.is_pointed(doing) {
                found.past
            } else {
                found.all()
            };
            return (stay > 0).then_some(Leads::Entries(stay));
        }
        match Lockfile::parse_as(format, name, &bytes) {
            Ok(lockfile) => {
                let count = addresses(&lockfile);
                (count > 0).then_some(Leads::Entries(count))
            }
            // The client may read it all the same.
            Err(error) => may_lead(format, &bytes).then(|| Leads::Unread(error.to_string())),
        }
    }
}

/// pnpm's lockfiles in a folder: of the branch that is checked out, too, with `gitBranchLockfile`.
fn pnpms_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_one = |name: &String| name.starts_with("pnpm-lock.") && name.ends_with(".yaml");
    let mut names: Vec<String> = names.filter(is_one).collect();
    names.sort();
    names.iter().map(|name| folder.join(name)).collect()
}

/// Entries from a registry that say where.
fn addresses(lockfile: &Lockfile) -> usize {
    let leads = |source: &Source| match source {
        // yarn's are addresses of tarballs, and would be of the registry's own host without one.
        Source::Registry(Some(address)) => {
            lockfile.format == Format::YarnBerry || address.contains("//")
        }
        Source::Patch(base) => binds_archive(base),
        _ => false,
    };
    let nodes = lockfile.nodes.iter();
    nodes.filter(|node| leads(&node.source)).count()
}

/// Whether what yarn patches, or what that patches, is bound to an address: encoded once more at each level. What is
/// encoded more often than anybody writes it may be.
fn binds_archive(text: &str) -> bool {
    const MOST_LEVELS: usize = 16;
    let mut text = text.to_owned();
    for _ in 0..MOST_LEVELS {
        let once = decoded_once(&text);
        if once == text {
            return text.contains("__archiveUrl");
        }
        text = once;
    }
    true
}

fn decoded_once(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = byte.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a lockfile that cannot be read may have an address, in words or with letters that are escaped.
fn may_lead(format: Format, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let word = match format {
        Format::Pnpm => "tarball",
        Format::YarnBerry => return text.contains('\\') || binds_archive(&text),
        Format::Npm | Format::Bun | Format::YarnClassic => "//",
    };
    text.contains('\\') || text.contains(word)
}

#[cfg(test)]
mod tests;
