//! Lockfiles after a run: a client writes down where it got a tarball, and the gateway of one run is
//! gone after it. Its address is put back to the one the upstream's own packuments give, so that the
//! lockfile is the one a direct run would have written.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Lockfiles that record addresses, relative to the project.
const FILES: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "bun.lock",
    "node_modules/.package-lock.json",
];

/// The lockfiles below `folder` that mention the gateway.
pub(crate) fn mentioning(folder: &Path, gateway: &str) -> Vec<PathBuf> {
    FILES
        .iter()
        .map(|file| folder.join(file))
        .filter(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains(gateway)))
        .collect()
}

/// The packages whose tarballs a lockfile's text places at the gateway.
pub(crate) fn packages<'t>(text: &'t str, gateway: &str) -> Vec<&'t str> {
    let mut names: Vec<&str> = text
        .match_indices(gateway)
        .filter_map(|(at, _)| {
            let rest = text.get(at + gateway.len()..)?;
            let end = rest.find(['"', '\'', ' ', '\n', '#']).unwrap_or(rest.len());
            rest.get(..end)?.split_once("/-/").map(|(name, _)| name)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Puts the addresses back: `origins` gives, for each package, the address (with a final slash) its
/// tarballs are public under.
pub(crate) fn restore(text: &str, gateway: &str, origins: &HashMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(gateway) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let path = found.get(gateway.len()..).unwrap_or_default();
        let name = path.split_once("/-/").map(|(name, _)| name);
        out.push_str(
            name.and_then(|name| origins.get(name))
                .map_or(gateway, String::as_str),
        );
        rest = path;
    }
    out.push_str(rest);
    out
}

/// What to say where addresses could not be put back: they name a gateway that is about to end.
pub(crate) fn not_placed(file: &Path, restored: &str, gateway: &str) -> Option<String> {
    /// More names than this help nobody.
    const NAMED: usize = 5;
    if !restored.contains(gateway) {
        return None;
    }
    let names = packages(restored, gateway);
    let named = match names.len() {
        0 => "an entry that names no package".to_owned(),
        count if count > NAMED => {
            let first = names.get(..NAMED).unwrap_or_default().join(", ");
            format!("{first} and {} more", count - NAMED)
        }
        _ => names.join(", "),
    };
    Some(format!(
        "weir: warning: {} still places tarballs at {gateway}, the gateway of this run, because the \
         registry does not say where they are public: {}. Run the same command again, or remove these \
         entries' addresses; the integrity beside them stays valid.",
        file.display(),
        weir_model::finding::printable(&named, 400)
    ))
}

/// Replaces a file's text in one step, so that an interrupted run leaves the old one.
pub(crate) fn replace(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().context("a lockfile has a folder")?;
    let mut fresh = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("writing beside {}", file.display()))?;
    fresh.write_all(text.as_bytes())?;
    if let Ok(old) = std::fs::metadata(file) {
        fresh.as_file().set_permissions(old.permissions())?;
    }
    fresh
        .persist(file)
        .with_context(|| format!("replacing {}", file.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: &str = "http://127.0.0.1:40000/";

    #[test]
    fn the_gateways_address_is_put_back_to_the_public_one() {
        let text = format!(
            "{{\"a\":{{\"resolved\":\"{GATEWAY}a/-/a-1.0.0.tgz\"}},\"b\":{{\"resolved\":\"{GATEWAY}@s/b/-/b-1.0.0.tgz\"}},\
             \"c\":{{\"resolved\":\"https://other.example/c.tgz\"}}}}"
        );
        assert_eq!(packages(&text, GATEWAY), ["@s/b", "a"]);
        let origins = HashMap::from([
            (
                "a".to_owned(),
                "https://registry.example.invalid/".to_owned(),
            ),
            (
                "@s/b".to_owned(),
                "https://scoped.example.invalid/npm/".to_owned(),
            ),
        ]);
        let restored = restore(&text, GATEWAY, &origins);
        assert!(!restored.contains(GATEWAY));
        assert!(restored.contains("\"https://registry.example.invalid/a/-/a-1.0.0.tgz\""));
        assert!(restored.contains("\"https://scoped.example.invalid/npm/@s/b/-/b-1.0.0.tgz\""));
        assert!(restored.contains("https://other.example/c.tgz"));
    }

    #[test]
    fn what_cannot_be_placed_stays_visible() {
        let text = format!("resolved \"{GATEWAY}a/-/a-1.0.0.tgz#abc\"\n");
        assert_eq!(restore(&text, GATEWAY, &HashMap::new()), text);
        let warning = not_placed(Path::new("yarn.lock"), &text, GATEWAY).unwrap();
        assert!(
            warning.contains("yarn.lock still places tarballs at"),
            "{warning}"
        );
        assert!(warning.contains("public: a."), "{warning}");
        let many: String = (0..9)
            .map(|number| format!("resolved \"{GATEWAY}n{number}/-/n{number}-1.0.0.tgz\"\n"))
            .collect();
        let warning = not_placed(Path::new("yarn.lock"), &many, GATEWAY).unwrap();
        assert!(warning.contains("n4 and 4 more"), "{warning}");
        assert_eq!(
            not_placed(Path::new("yarn.lock"), "resolved", GATEWAY),
            None
        );
    }
}
