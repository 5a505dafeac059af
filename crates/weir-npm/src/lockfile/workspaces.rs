//! Which folders of a project are its workspaces, by the patterns it has for them.

use std::collections::{BTreeSet, HashSet};

use super::graph::folder_from;
use super::npm::MAX_KEY;

/// Most patterns of workspaces with wildcards: real projects have a handful.
const MOST_PATTERNS: usize = 256;

/// Work that comparing folders with patterns may cost, in pairs of bytes. Beyond it nothing is declared.
const MOST_WORK: usize = 400_000_000;

/// What a project says of its workspaces.
#[derive(Debug, Default)]
pub struct Workspaces {
    /// Folders that are named.
    named: HashSet<String>,
    patterns: Vec<String>,
    excluded: Vec<String>,
}

impl Workspaces {
    /// Reads the patterns. One longer than any folder's path declares nothing.
    #[must_use]
    pub fn of(patterns: &[String]) -> Self {
        let mut read = Self::default();
        for text in patterns.iter().filter(|text| text.len() <= MAX_KEY) {
            read.add(text);
        }
        read
    }

    fn add(&mut self, text: &str) {
        let plain = text.trim_start_matches('!');
        let excluded = (text.len() - plain.len()) % 2 == 1;
        let plain = plain.replace('\\', "/");
        if !excluded && !plain.contains(['*', '?', '[', '(', '{']) {
            self.named.insert(folder_from("", &plain));
        } else if excluded {
            expand(&plain, &mut self.excluded);
        } else {
            expand(&plain, &mut self.patterns);
        }
    }

    /// Whether there can be none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.patterns.is_empty()
    }

    /// Whether a folder is one of them. `work` counts what it cost over all calls; beyond a limit nothing is.
    #[must_use]
    pub fn hold(&self, folder: &str, work: &mut usize) -> bool {
        if folder.split('/').any(|part| part == "node_modules") {
            return false;
        }
        let mut any = |patterns: &[String]| {
            patterns.iter().any(|pattern| {
                *work = work.saturating_add(pattern.len().saturating_mul(folder.len()));
                *work <= MOST_WORK && matches(pattern, folder)
            })
        };
        self.named.contains(folder) || (any(&self.patterns) && !any(&self.excluded))
    }

    /// Whether every client takes a folder for one of them: as [`Workspaces::hold`], without what clients
    /// read differently (sets, groups, hidden folders, what is named and left out as well).
    #[must_use]
    pub fn surely_hold(&self, folder: &str, work: &mut usize) -> bool {
        let left_out = self.excluded.iter().any(|it| matches(it, folder));
        let is_hidden = folder.split('/').any(|part| part.starts_with('.'));
        let by_pattern = || {
            let mut plain = self.patterns.iter().filter(|it| !it.contains(['[', '(']));
            plain.any(|it| matches(it, folder))
        };
        !left_out
            && self.hold(folder, work)
            && (self.named.contains(folder) || (!is_hidden && by_pattern()))
    }

    /// Whether one of them may lie in a folder.
    #[must_use]
    pub fn reach_into(&self, folder: &str) -> bool {
        let lies_in = |it: &String| {
            it.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        folder.is_empty()
            || self.named.iter().any(lies_in)
            || self.patterns.iter().any(|it| reaches(it, folder))
    }
}

/// Whether a pattern may take something below a folder.
fn reaches(pattern: &str, folder: &str) -> bool {
    let mut segments = pattern.split('/').filter(|it| !matches!(*it, "" | "."));
    for part in folder.split('/') {
        match segments.next() {
            Some("**") => return true,
            Some(segment) if takes(segment, part) => {}
            _ => return false,
        }
    }
    segments.next().is_some()
}

/// `{a,b}/c` is `a/c` and `b/c`.
fn expand(pattern: &str, into: &mut Vec<String>) {
    if into.len() >= MOST_PATTERNS {
        return;
    }
    let braces = pattern.split_once('{').and_then(|(before, rest)| {
        let (choices, after) = rest.split_once('}')?;
        Some((before, choices, after))
    });
    let Some((before, choices, after)) = braces else {
        into.push(pattern.to_owned());
        return;
    };
    for choice in choices.split(',') {
        expand(&format!("{before}{choice}{after}"), into);
    }
}

/// Whether a pattern of paths takes a folder.
fn matches(pattern: &str, folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    // How many parts what was read of the pattern can take.
    let mut taken = BTreeSet::from([0]);
    for segment in pattern.split('/').filter(|it| !matches!(*it, "" | ".")) {
        let Some(first) = taken.first().copied() else {
            return false;
        };
        taken = if segment == "**" {
            (first..=parts.len()).collect()
        } else {
            let fits = |at: &&usize| parts.get(**at).is_some_and(|part| takes(segment, part));
            taken.iter().filter(fits).map(|at| at + 1).collect()
        };
    }
    taken.contains(&parts.len())
}

/// Whether one segment of a pattern takes one part of a path. Sets and groups count as any text: they are
/// rare, and a folder too many is declared, not one too few.
fn takes(segment: &str, part: &str) -> bool {
    if part.starts_with('.') && !segment.starts_with('.') {
        return false;
    }
    segment.contains(['[', '(']) || wild(segment.as_bytes(), part.as_bytes())
}

/// `*` is any text and `?` one byte. Goes back to the last `*` only, and so needs no more than the product
/// of both lengths.
pub(super) fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut back = None;
    while let Some(byte) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star, from)) = back else {
                    return false;
                };
                back = Some((star, from + 1));
                at = star + 1;
                read = from + 1;
            }
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::Workspaces;

    #[test]
    fn workspaces_are_those_that_npm_finds() {
        for (patterns, folder, is) in [
            (&["packages/*"][..], "packages/a", true),
            (&["packages/*"], "packages/a/b", false),
            (&["packages/*"], "packages/.a", false),
            (&["packages/*"], "packages", false),
            (&["packages/*"], "x/wrappy", false),
            (&["./packages/*/"], "packages/a", true),
            (&["/packages/a"], "packages/a", true),
            (&["packages\\a"], "packages/a", true),
            (&["**"], "a/b/c", true),
            (&["**/c"], "a/b/c", true),
            (&["**/c"], "c", true),
            (&["a/**"], "b/a", false),
            (&["*"], "node_modules", false),
            (&["**"], "node_modules/a", false),
            (&["{apps,packages}/*"], "apps/a", true),
            (&["{apps,packages}/*"], "x/a", false),
            (&["packages/[ab]"], "packages/a", true),
            (&["p?ck*s/a-*-c"], "packages/a-b-b-c", true),
            (&["p?ck*s/a-*-c"], "packages/a-b", false),
            (&["packages/*", "!packages/b"], "packages/b", false),
            (&["packages/*", "!packages/b"], "packages/a", true),
            (&["!packages/*", "packages/b"], "packages/b", true),
            (&["!!packages/*"], "packages/b", true),
            (&[], "packages/a", false),
        ] {
            let mut workspaces = Workspaces::default();
            for pattern in patterns {
                workspaces.add(pattern);
            }
            let held = workspaces.hold(folder, &mut 0);
            assert_eq!(held, is, "{patterns:?} {folder:?}");
        }
    }

    #[test]
    fn patterns_that_would_cost_much_do_not() {
        let mut workspaces = Workspaces::default();
        workspaces.add(&"*a".repeat(500));
        workspaces.add(&"**/".repeat(300));
        workspaces.add(&"{a,b}".repeat(200));
        assert_eq!(workspaces.patterns.len(), super::MOST_PATTERNS);
        let folder = "a/".repeat(127) + &"a".repeat(700);
        let mut work = 0;
        for _ in 0..20 {
            let _ = workspaces.hold(&folder, &mut work);
        }
        let mut spent = super::MOST_WORK;
        assert!(!workspaces.hold("a", &mut spent));
    }

    #[test]
    fn what_has_to_be_in_a_lockfile_is_what_all_clients_find() {
        for (patterns, folder, is) in [
            (&["packages/*"][..], "packages/a", true),
            (&["packages/[ab]"], "packages/a", false),
            (&["packages/a", "!packages/*"], "packages/a", false),
            (&["**"], "a/.b/c", false),
            (&[".a"], ".a", true),
        ] {
            let patterns: Vec<String> = patterns.iter().map(|it| (*it).to_owned()).collect();
            let workspaces = Workspaces::of(&patterns);
            let held = workspaces.surely_hold(folder, &mut 0);
            assert_eq!(held, is, "{patterns:?} {folder:?}");
        }
    }

    #[test]
    fn folders_without_workspaces_are_not_gone_into() {
        for (pattern, folder, is) in [
            ("packages/*", "", true),
            ("packages/*", "packages", true),
            ("packages/*", "packages/a", false),
            ("packages/*", "src", false),
            ("packages/**", "packages/a/b", true),
            ("**/x", "src", true),
            ("apps/web", "apps", true),
            ("apps/web", "app", false),
        ] {
            let workspaces = Workspaces::of(&[pattern.to_owned()]);
            assert_eq!(workspaces.reach_into(folder), is, "{pattern:?} {folder:?}");
        }
    }
}
