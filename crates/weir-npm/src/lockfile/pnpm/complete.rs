//! Whether a document holds all that it asks for. A file that was cut off is YAML all the same, and would pass as
//! that of a smaller project; pnpm refuses it (`ERR_PNPM_LOCKFILE_MISSING_DEPENDENCY`). What pnpm leaves out, as an
//! optional dependency that could not be had or one that an override takes away, it does not list either.

use std::collections::HashSet;

use super::super::Extent;
use super::super::error::{LockfileError, Problem};
use super::super::tree::{Member, Value};
use super::{CLIENT_LISTS, Keys, LISTS, keys_of, without_peers};

/// Refuses a document with an entry in one of `packages` and `snapshots` only, or with a dependency that has none.
/// What pnpm left out of a tree has an entry in `packages` only.
pub(super) fn check(keys: Keys, document: &Value<'_>, extent: Extent) -> Result<(), LockfileError> {
    let packages = document.members("packages")?;
    let entries = if keys == Keys::At {
        let snapshots = document.members("snapshots")?;
        if extent == Extent::Locked {
            all_placed(packages, snapshots)?;
        }
        snapshots
    } else {
        packages
    };
    let there: HashSet<&str> = entries.iter().map(|entry| entry.key.as_ref()).collect();
    let package_lists = LISTS.map(|(list, _)| list);
    for entry in entries {
        let lists = package_lists.iter().copied();
        all_there(keys, &there, &entry.key, &entry.value, lists)?;
    }
    let project_lists = || package_lists.iter().chain(&CLIENT_LISTS).copied();
    let importers = document.members("importers")?;
    if importers.is_empty() {
        // A project without workspaces, before version 9.
        return all_there(keys, &there, ".", document, project_lists());
    }
    importers
        .iter()
        .try_for_each(|it| all_there(keys, &there, &it.key, &it.value, project_lists()))
}

/// The keys of the releases that a record of what was installed lists though they were left out.
pub(super) fn left_out<'d>(
    keys: Keys,
    document: &'d Value<'_>,
    extent: Extent,
) -> Result<HashSet<&'d str>, LockfileError> {
    if keys != Keys::At || extent == Extent::Locked {
        return Ok(HashSet::new());
    }
    let packages = document.members("packages")?;
    let snapshots = document.members("snapshots")?;
    Ok(unplaced(packages, snapshots)
        .map(|entry| entry.key.as_ref())
        .collect())
}

/// Since version 9 what a release is and what it got are in two lists.
fn all_placed(packages: &[Member<'_>], snapshots: &[Member<'_>]) -> Result<(), LockfileError> {
    let lone = unplaced(packages, snapshots).next();
    lone.map_or(Ok(()), |entry| {
        let problem = Problem::Missing("the entry in snapshots");
        Err(problem.at(entry.line, Some(&entry.key)))
    })
}

/// Entries of the first list that have none in the second.
fn unplaced<'d, 'v>(
    packages: &'d [Member<'v>],
    snapshots: &'d [Member<'v>],
) -> impl Iterator<Item = &'d Member<'v>> {
    let keys = snapshots.iter().map(|entry| entry.key.as_ref());
    let placed: HashSet<&str> = keys
        .flat_map(|key| [key, without_peers(Keys::At, key)])
        .collect();
    let mut packages = packages.iter();
    std::iter::from_fn(move || packages.find(|it| !placed.contains(&*it.key)))
}

/// Refuses a dependency without an entry. What is linked needs none.
fn all_there<'l>(
    keys: Keys,
    there: &HashSet<&str>,
    asker: &str,
    entry: &Value<'_>,
    lists: impl Iterator<Item = &'l str>,
) -> Result<(), LockfileError> {
    for list in lists {
        for dependency in entry.members(list)? {
            let name = dependency.key.as_ref();
            let got = match dependency.value.get("version") {
                Some(version) => version.as_text(name)?,
                None => dependency.value.as_text(name)?,
            };
            let has_entry = || {
                keys_of(keys, name, got)
                    .iter()
                    .any(|it| there.contains(&**it))
            };
            if !got.starts_with("link:") && !has_entry() {
                return Err(missing(dependency, asker, got));
            }
        }
    }
    Ok(())
}

fn missing(dependency: &Member<'_>, asker: &str, got: &str) -> LockfileError {
    /// Enough of a hostile text to find it by.
    const MOST: usize = 300;
    let clipped = |text: &str| text.chars().take(MOST).collect::<String>();
    let problem = Problem::NoEntry {
        name: clipped(&dependency.key),
        got: clipped(got),
    };
    problem.at(dependency.line, Some(asker))
}

#[cfg(test)]
mod tests {
    use super::super::super::{Format, Lockfile, read};

    /// A project that asks for `a`, `a` for `b`, and one of its workspaces for what is linked.
    const AT: &str = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: '1'\n        \
        version: 1.0.0(p@1.0.0)\n  w:\n    devDependencies:\n      l:\n        specifier: link:../l\n        version: link:../l\n\
        packages:\n  a@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n  b@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n  \
        f@file:lib(1):\n    resolution: {directory: lib(1), type: directory}\n\
        snapshots:\n  a@1.0.0(p@1.0.0):\n    dependencies:\n      l: link:l\n    optionalDependencies:\n      b: 1.0.0\n  \
        b@1.0.0:\n    optional: true\n  f@file:lib(1):\n    dependencies:\n      c: b@1.0.0\n";
    const SLASH_AT: &str = "lockfileVersion: '6.0'\ndependencies:\n  a:\n    specifier: '1'\n    version: 1.0.0(p@1.0.0)\n\
        packages:\n  /a@1.0.0(p@1.0.0):\n    resolution: {integrity: sha512-AAAA}\n    dependencies:\n      \
        c: /b@1.0.0\n      g: github.com/x/g/0123abc\n  /b@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n  \
        github.com/x/g/0123abc:\n    resolution: {tarball: https://files.example.invalid/g}\n    name: g\n";
    const SLASHES: &str = "lockfileVersion: 5.4\nspecifiers:\n  a: '1'\n  o: '1'\ndependencies:\n  a: 1.0.0_p@1.0.0\n\
        packages:\n  /a/1.0.0_p@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n    optionalDependencies:\n      b: 1.0.0\n  \
        /b/1.0.0:\n    resolution: {integrity: sha512-AAAA}\n    optional: true\n";

    fn said(text: &str) -> Option<(u32, String)> {
        let error = read(Format::Pnpm, text.as_bytes()).err()?;
        Some((error.line, error.to_string()))
    }

    /// What pnpm 12 writes of a tree without `b`, which was optional and could not be had.
    #[test]
    fn what_was_left_out_of_a_tree_is_not_in_it() {
        let without = AT
            .replacen("  b@1.0.0:\n    optional: true\n", "", 1)
            .replacen("    optionalDependencies:\n      b: 1.0.0\n", "", 1)
            .replacen("    dependencies:\n      c: b@1.0.0\n", "    {}\n", 1);
        let installed = |text: &str| {
            Lockfile::parse_installed(Format::Pnpm, "lock.yaml", text.as_bytes()).map(|it| {
                it.nodes
                    .into_iter()
                    .map(|node| node.name)
                    .collect::<Vec<_>>()
            })
        };
        let names = installed(&without).unwrap();
        assert!(names.iter().any(|name| name == "a"), "{names:?}");
        assert!(names.iter().all(|name| name != "b"), "{names:?}");
        // A project's own lockfile lists nothing that it does not have.
        let (_, why) = said(&without).unwrap();
        assert!(why.contains("entry in snapshots is missing"), "{why}");
        // What something asks for was not left out.
        let asked = AT.replacen("  b@1.0.0:\n    optional: true\n", "", 1);
        assert!(installed(&asked).is_err());
        assert!(installed(AT).unwrap().iter().any(|name| name == "b"));
    }

    #[test]
    fn what_is_asked_for_has_its_entry() {
        for whole in [AT, SLASH_AT, SLASHES] {
            assert_eq!(said(whole), None, "{whole}");
        }
        let digest = "    resolution: {integrity: sha512-AAAA}\n";
        let twice = |head: &str| (format!("{head}\n{digest}"), String::new());
        let b_in_both = AT.replacen("  b@1.0.0:\n    optional: true\n", "", 1);
        for (whole, (from, to), words) in [
            (
                AT,
                ("  b@1.0.0:\n    optional: true\n".to_owned(), String::new()),
                "entry in snapshots is missing",
            ),
            (AT, twice("  b@1.0.0:"), "entry in packages is missing"),
            (b_in_both.as_str(), twice("  b@1.0.0:"), "needs b \"1.0.0\""),
            // Another set of peers than there is.
            (
                AT,
                (
                    "        version: 1.0.0(p".to_owned(),
                    "        version: 1.0.0(q".to_owned(),
                ),
                "needs a \"1.0.0(q@1.0.0)\"",
            ),
            (
                AT,
                ("c: b@1.0.0".to_owned(), "c: b@1.0.1".to_owned()),
                "\"f@file:lib(1)\": it needs c \"b@1.0.1\"",
            ),
            (SLASH_AT, twice("  /b@1.0.0:"), "needs c \"/b@1.0.0\""),
            (
                SLASH_AT,
                (
                    "  g: github.com/x".to_owned(),
                    "  g: github.com/y".to_owned(),
                ),
                "needs g ",
            ),
            (
                SLASHES,
                (
                    format!("  /b/1.0.0:\n{digest}    optional: true\n"),
                    String::new(),
                ),
                "needs b \"1.0.0\"",
            ),
            (
                SLASHES,
                ("  a: 1.0.0_p@1.0.0".to_owned(), "  a: 1.0.1".to_owned()),
                "\".\": it needs a \"1.0.1\"",
            ),
        ] {
            let edited = whole.replacen(&from, &to, 1);
            assert_ne!(edited, whole, "{from}");
            let (line, told) = said(&edited).unwrap_or_else(|| panic!("read: {edited}"));
            assert!(told.contains(words) && line > 1, "{told}: {edited}");
        }
    }

    /// Where the lines end, as where a download broke off: all that is left asks for what is not there. Before version
    /// 9 a release that is cut off in front of what it asks for looks whole, if nothing else asks for that.
    #[test]
    fn what_was_cut_off_is_no_smaller_project() {
        for (whole, from) in [
            (AT, "packages:"),
            (SLASH_AT, "      c: /b"),
            (SLASHES, "      b: 1.0.0"),
        ] {
            let from = whole.find(from).unwrap() + 1;
            let last_entry = [
                "  f@file:lib(1):\n    dependencies",
                "  github.com/x/g/0123abc:\n",
                "  /b/1.0.0:\n",
            ];
            let last = last_entry.iter().find_map(|key| whole.rfind(key)).unwrap();
            let ends = whole.match_indices('\n').map(|(at, _)| at + 1);
            for end in ends.filter(|end| (from..=last).contains(end)) {
                let cut = &whole[..end];
                assert!(said(cut).is_some(), "{cut}");
            }
        }
    }
}
