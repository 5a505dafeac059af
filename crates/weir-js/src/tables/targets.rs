//! Names of what matters to others, as they stand in code: files that others run, programs that publish, act or
//! keep something running, folders of people. A call that writes, removes or starts what is not known is looked
//! at closely where such a name is near.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};

use super::abilities::AGENTS;
use super::writes::{Trusted, WRITES as FILES};
use crate::slice;

/// Something is written.
pub(crate) const WRITES: u8 = 1;
/// Something is removed.
pub(crate) const REMOVES: u8 = 1 << 1;
/// Something is started.
pub(crate) const STARTS: u8 = 1 << 2;

/// Most names that are kept of one text.
const MOST: usize = 4_096;

/// A name in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    /// Byte offset.
    pub(crate) at: u32,
    /// To which acts it gives a meaning.
    pub(crate) kinds: u8,
}

/// A piece of text, to which acts it gives a meaning, and why.
struct Row {
    /// In small letters.
    text: &'static str,
    kinds: u8,
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    reason: &'static str,
}

const fn row(text: &'static str, kinds: u8, reason: &'static str) -> Row {
    Row {
        text,
        kinds,
        reason,
    }
}

/// Pieces that say something in a small text only: nearly every bundle of a tool names them somewhere, and
/// following all of those costs more than any other of these names.
const IN_SMALL: &[Row] = &[row("node_modules", WRITES, "other packages")];

/// Pieces beside the files that others run, and the assistants.
const PIECES: &[Row] = &[
    row("documents", WRITES | REMOVES, "what people keep"),
    row("desktop", WRITES | REMOVES, "what people keep"),
    row("homedir", REMOVES, "all that people keep"),
    row("userprofile", REMOVES, "the same on Windows"),
    row("rm -rf", STARTS, "removes a tree"),
    row("rm -fr", STARTS, "removes a tree"),
    row("rm -r", STARTS, "removes a tree"),
    row("-rf", STARTS, "the same, as an item of a list"),
    row("rmdir /s", STARTS, "removes a tree on Windows"),
    row("rd /s", STARTS, "removes a tree on Windows"),
    row("del /f", STARTS, "removes files on Windows"),
    row("remove-item", STARTS, "removes files in PowerShell"),
    row("publish", STARTS, "of whichever client of a registry"),
    row("semantic-release", STARTS, "publishes"),
    row("release-it", STARTS, "publishes"),
    row("crontab", STARTS, "scheduled jobs"),
    row("schtasks", STARTS, "scheduled jobs on Windows"),
    row("launchctl", STARTS, "services on macOS"),
    row("systemctl", STARTS, "services"),
    row("systemd-run", STARTS, "keeps something running"),
    row("reg add", STARTS, "what Windows starts"),
];

/// Shortest name of a program, and shortest option, that says something where nothing is known of what is
/// around it.
const PROGRAM: usize = 4;
const OPTION: usize = 12;

/// All names with what they mean.
struct Table {
    search: Option<AhoCorasick>,
    kinds: Vec<u8>,
}

impl Table {
    fn of_rows() -> Self {
        let pieces = IN_SMALL.iter().chain(PIECES);
        let mut rows: Vec<(&str, u8)> = pieces.map(|row| (row.text, row.kinds)).collect();
        // Tools that mend lockfiles are told what to write by a registry.
        let files = FILES.iter().filter(|row| row.trusted != Trusted::Lockfile);
        rows.extend(files.map(|row| (row.part.trim_end_matches('/'), WRITES | STARTS)));
        for (agent, options) in AGENTS {
            let options = options.iter().filter(|option| option.len() >= OPTION);
            rows.extend(options.map(|option| (*option, STARTS)));
            if agent.len() >= PROGRAM {
                rows.push((agent, STARTS));
            }
        }
        let search = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            // So many rows would otherwise be searched by the slower automaton.
            .kind(Some(AhoCorasickKind::DFA))
            .build(rows.iter().map(|(text, _)| text));
        Self {
            search: search.ok(),
            kinds: rows.into_iter().map(|(_, kinds)| kinds).collect(),
        }
    }
}

/// Whether a name may begin behind this byte: in quotes, in a path, as a word of a command.
fn may_precede(byte: Option<&u8>, first: Option<&u8>) -> bool {
    match byte {
        None => true,
        Some(b'\'' | b'"' | b'`' | b'/' | b'\\' | b'~' | b'}' | b'=' | b':' | b'>') => true,
        // `home.profile` and what stands on the next line are members.
        Some(b' ' | b'.' | b'{' | b'(' | b'\t' | b'\n') => first != Some(&b'.'),
        Some(_) => false,
    }
}

fn may_follow(byte: Option<&u8>) -> bool {
    byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'.'))
}

/// The names in a text, in its order.
pub(crate) fn named(text: &[u8]) -> Vec<Named> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(Table::of_rows);
    let Some(search) = &table.search else {
        return Vec::new();
    };
    let is_small = text.len() <= slice::WHOLE;
    let found = search.find_overlapping_iter(text).filter_map(|found| {
        let before = found.start().checked_sub(1).and_then(|at| text.get(at));
        let is_whole =
            may_precede(before, text.get(found.start())) && may_follow(text.get(found.end()));
        let row = found.pattern().as_usize();
        let kinds = *table.kinds.get(row)?;
        let at = u32::try_from(found.start()).ok()?;
        let counts = is_whole && (is_small || row >= IN_SMALL.len());
        counts.then_some(Named { at, kinds })
    });
    let mut found: Vec<Named> = found.take(MOST).collect();
    found.sort_unstable_by_key(|one| one.at);
    found
}

/// To which acts the names in a text give a meaning.
pub(crate) fn kinds_in(text: &[u8]) -> u8 {
    named(text).iter().fold(0, |kinds, one| kinds | one.kinds)
}

#[cfg(test)]
mod tests {
    use super::{IN_SMALL, PIECES, REMOVES, STARTS, WRITES, kinds_in, named, slice};

    #[test]
    fn every_piece_is_there_once_and_has_a_reason() {
        let mut seen = std::collections::HashSet::new();
        for row in IN_SMALL.iter().chain(PIECES) {
            assert!(seen.insert(row.text), "{} twice", row.text);
            assert_eq!(row.text, row.text.to_lowercase());
            assert!(!row.reason.is_empty() && row.kinds != 0, "{}", row.text);
        }
    }

    #[test]
    fn names_are_found_as_code_writes_them() {
        for (code, kinds) in [
            ("add('.zshrc')", WRITES | STARTS),
            ("add(`${home}/.bashrc`)", WRITES | STARTS),
            ("add('.claude/settings.json')", WRITES | STARTS),
            ("add('.claude.json')", WRITES | STARTS),
            ("add('CLAUDE.md')", WRITES | STARTS),
            ("sh('echo x >> ~/.profile')", WRITES | STARTS),
            ("npm('publish')", STARTS),
            ("sh('npm publish --access public')", STARTS),
            (
                "for (const [a, b] of [['gemini', '--yolo']]) run(a, b)",
                STARTS,
            ),
            ("quiet('rm -rf ~/')", STARTS),
            ("wipe(os.homedir())", REMOVES),
            ("join(cwd, 'node_modules', name)", WRITES),
        ] {
            assert_eq!(kinds_in(code.as_bytes()), kinds, "{code}");
        }
        for code in [
            "const x = user.profile",
            "list\n  .profile(1)",
            "socket.publisher('x')",
            "'.zshrc.bak'",
            "add('x.npmrc')",
            "'package-lock.json'",
            "geminis",
        ] {
            assert_eq!(kinds_in(code.as_bytes()), 0, "{code}");
        }
    }

    #[test]
    fn what_every_bundle_names_counts_in_small_texts() {
        let call = "join(cwd, 'node_modules', name); add('.zshrc');";
        let bundle = call.repeat(slice::WHOLE / call.len() + 1);
        assert!(
            named(bundle.as_bytes())
                .iter()
                .all(|one| one.kinds & STARTS != 0)
        );
        assert!(named(call.as_bytes()).iter().any(|one| one.kinds == WRITES));
        assert_eq!(kinds_in(bundle.as_bytes()), WRITES | STARTS);
    }

    #[test]
    fn names_come_in_the_order_of_the_text() {
        let found = named(b"'.bashrc' + 'x' + '.claude.json' + 'publish'");
        let places: Vec<u32> = found.iter().map(|one| one.at).collect();
        assert!(places.is_sorted() && places.len() == 3, "{places:?}");
    }
}
