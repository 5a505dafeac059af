//! Lockfiles after a run: a client writes down where it got a tarball, and the gateway of one run is
//! gone after it. Its address is put back to the one the upstream's own packuments give, so that the
//! lockfile is the one a direct run would have written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::files;

pub(crate) mod classic;

use classic::Recorded;

/// Lockfiles that record addresses, relative to the project.
const FILES: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "node_modules/.package-lock.json",
    "node_modules/.yarn-integrity",
    "node_modules/.pnpm/lock.yaml",
];

/// The lockfiles below `folder` that mention the gateway, with their text; for one that cannot be read,
/// why.
pub(crate) fn mentioning(folder: &Path, gateway: &str) -> Vec<(PathBuf, Result<String, String>)> {
    let look = |file: &&str| {
        let file = folder.join(file);
        // Not opened unless it is an ordinary file: opening a pipe waits for somebody who writes.
        let text = match files::read(&file, usize::MAX) {
            Ok(None) => return None,
            Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|error| error.to_string()),
            Err(why) => Err(why),
        };
        match text {
            Ok(text) if !mentions(&text, gateway) => None,
            text => Some((file, text)),
        }
    };
    FILES.iter().filter_map(look).collect()
}

/// Whether a text names the gateway, as an address or as part of one that is written otherwise (yarn
/// percent-encodes addresses that are not where it expects them).
fn mentions(text: &str, gateway: &str) -> bool {
    let authority = gateway
        .split_once("://")
        .map_or(gateway, |(_, rest)| rest)
        .trim_end_matches('/');
    let encoded = authority.replace(':', "%3A");
    text.contains(authority) || text.contains(&encoded) || text.contains(&encoded.to_lowercase())
}

/// The packages whose tarballs a lockfile's text places at the gateway.
pub(crate) fn packages<'t>(text: &'t str, gateway: &str) -> Vec<&'t str> {
    let mut names: Vec<&str> = text
        .match_indices(gateway)
        .filter_map(|(at, _)| {
            let rest = text.get(at + gateway.len()..)?;
            path_in(rest).split_once("/-/").map(|(name, _)| name)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// bun's lockfile with nothing in the place of addresses that bun finds by a release's name and version, at whatever
/// registry it is pointed at. So it writes those of npm's own registry itself; any other address in there sends it
/// past the next gateway. Left as they are: those of packages that `origins` does not know, and other lockfiles.
pub(crate) fn shortened<'t>(
    file: &Path,
    text: &'t str,
    gateway: &str,
    origins: &HashMap<String, String>,
) -> Cow<'t, str> {
    if file.file_name().is_none_or(|name| name != "bun.lock") {
        return Cow::Borrowed(text);
    }
    let start = format!("\"{gateway}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&start) {
        out.push_str(before);
        let path = path_in(after);
        let end = after.get(path.len()..).unwrap_or_default();
        let known = release_at(path).filter(|(name, _)| origins.contains_key(*name));
        let is_its_own = known.is_some_and(|(name, version)| {
            let first = before.trim_end().strip_suffix(',').unwrap_or_default();
            first.ends_with(&format!("[\"{name}@{version}\""))
        });
        if is_its_own && end.starts_with('"') {
            out.push('"');
            rest = end;
        } else {
            out.push_str(&start);
            rest = after;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The name and version in a tarball's path of registries' own form.
fn release_at(path: &str) -> Option<(&str, &str)> {
    let (name, file) = path.split_once("/-/")?;
    let base = name.rsplit('/').next()?;
    let version = file.strip_prefix(base)?.strip_prefix('-')?;
    Some((name, version.strip_suffix(".tgz")?))
}

/// Puts the addresses back: `origins` gives, for each package, the address (with a final slash) its
/// tarballs are public under; where it gives none, `recorded` gives that of a tarball by its path.
pub(crate) fn restore(
    text: &str,
    gateway: &str,
    origins: &HashMap<String, String>,
    recorded: &Recorded,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(gateway) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let after = found.get(gateway.len()..).unwrap_or_default();
        let path = path_in(after);
        let name = path.split_once("/-/").map(|(name, _)| name);
        rest = after;
        if let Some(origin) = name.and_then(|name| origins.get(name)) {
            out.push_str(origin);
        } else if let Some(address) = recorded.get(path) {
            out.push_str(address);
            rest = after.get(path.len()..).unwrap_or_default();
        } else {
            out.push_str(gateway);
        }
    }
    out.push_str(rest);
    out
}

/// What of a text belongs to the address that it begins in the middle of.
fn path_in(text: &str) -> &str {
    let end = text.find(['"', '\'', ' ', '\n', '#']).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// What to say where addresses could not be put back: they name a gateway that is about to end.
pub(crate) fn not_placed(file: &Path, restored: &str, gateway: &str) -> Option<String> {
    /// More names than this help nobody.
    const NAMED: usize = 5;
    if !mentions(restored, gateway) {
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

/// What to say of a lockfile that could not be looked into after a run.
pub(crate) fn not_read(file: &Path, why: &str, gateway: &str) -> String {
    format!(
        "weir: warning: {} could not be read ({why}): it may place tarballs at {gateway}, the gateway \
         of this run, which is gone after it.",
        file.display()
    )
}

/// Replaces a file's text in one step, so that an interrupted run leaves the old one. A link to it stays one.
pub(crate) fn replace(file: &Path, text: &str) -> Result<()> {
    let file = &file.canonicalize().unwrap_or_else(|_| file.to_owned());
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
        let restored = restore(&text, GATEWAY, &origins, &Recorded::new());
        assert!(!restored.contains(GATEWAY));
        assert!(restored.contains("\"https://registry.example.invalid/a/-/a-1.0.0.tgz\""));
        assert!(restored.contains("\"https://scoped.example.invalid/npm/@s/b/-/b-1.0.0.tgz\""));
        assert!(restored.contains("https://other.example/c.tgz"));
    }

    #[test]
    fn addresses_that_bun_finds_by_itself_are_left_out_of_its_lockfile() {
        let origins: HashMap<String, String> = ["a", "@s/b"]
            .map(|name| (name.to_owned(), "https://r.example.invalid/".to_owned()))
            .into();
        let entry = |id: &str, address: &str| {
            format!("    \"x\": [\"{id}\", \"{address}\", {{}}, \"sha512-x\"],\n")
        };
        let at = |path: &str| format!("{GATEWAY}{path}");
        let file = Path::new("project/bun.lock");
        for (id, path) in [
            ("a@1.0.0", "a/-/a-1.0.0.tgz"),
            ("@s/b@1.0.0-rc.1", "@s/b/-/b-1.0.0-rc.1.tgz"),
        ] {
            let text = entry(id, &at(path)) + &entry("c@1.0.0", "");
            let short = shortened(file, &text, GATEWAY, &origins);
            assert_eq!(short, entry(id, "") + &entry("c@1.0.0", ""));
            // Others have an address each.
            let other = shortened(Path::new("package-lock.json"), &text, GATEWAY, &origins);
            assert_eq!(other, text);
        }
        for (id, address) in [
            // Nobody knows where it is, another release, another form, another registry.
            ("c@1.0.0", at("c/-/c-1.0.0.tgz")),
            ("a@1.0.0", at("a/-/a-1.0.1.tgz")),
            ("a@1.0.0", at("@s/b/-/b-1.0.0.tgz")),
            ("a@1.0.0", at("download/a/1.0.0/ab")),
            (
                "a@1.0.0",
                "https://r.example.invalid/a/-/a-1.0.0.tgz".to_owned(),
            ),
        ] {
            let text = entry(id, &address);
            assert_eq!(shortened(file, &text, GATEWAY, &origins), text, "{address}");
        }
    }

    #[test]
    fn what_cannot_be_placed_stays_visible() {
        let text = format!("resolved \"{GATEWAY}a/-/a-1.0.0.tgz#abc\"\n");
        let nothing = (HashMap::new(), Recorded::new());
        assert_eq!(restore(&text, GATEWAY, &nothing.0, &nothing.1), text);
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
        let encoded =
            "resolution: \"a@npm:1.0.0::__archiveUrl=http%3A%2F%2F127.0.0.1%3A40000%2Fa.tgz\"";
        let warning = not_placed(Path::new("yarn.lock"), encoded, GATEWAY).unwrap();
        assert!(
            warning.contains("an entry that names no package"),
            "{warning}"
        );
    }

    #[test]
    fn lockfiles_that_cannot_be_read_are_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes);
        write("package-lock.json", b"{}").unwrap();
        write("yarn.lock", &[0xff, 0xfe]).unwrap();
        write(
            "pnpm-lock.yaml",
            format!("tarball: {GATEWAY}a/-/a-1.0.0.tgz").as_bytes(),
        )
        .unwrap();
        let found = mentioning(folder.path(), GATEWAY);
        let names: Vec<_> = found
            .iter()
            .map(|(file, text)| (file.file_name().unwrap().to_str().unwrap(), text.is_ok()))
            .collect();
        assert_eq!(names, [("yarn.lock", false), ("pnpm-lock.yaml", true)]);
    }
}
