//! Files of the project that change what packages consist of, after weir has seen them: the patches of pnpm, yarn 2
//! and later, and bun.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use weir_model::json::v1::CheckLevel;
use weir_npm::lockfile::{Format, Lockfile, Patch, folder_from};
use weir_npm::settings::Setting;

use super::client::ClientFiles;
use super::step::OUT_OF_STEP;
use super::tree::Tree;
use super::{Checked, Rule, State};

const PATCH_CHANGED: Rule = Rule {
    id: "patch-changed",
    level: CheckLevel::Warning,
    todo: "read the patch: what it puts into the package comes from this project, and nothing else looks at it",
};
const PATCH_UNREAD: Rule = Rule {
    id: "patch-unread",
    level: CheckLevel::Warning,
    todo: "could not be looked at: look at it yourself, and keep it in the project",
};

/// Largest patch that is read, in bytes. Patches of whole bundles have a few megabytes.
const LARGEST: usize = 32 << 20;

/// The key of the setting that names patches.
const SETTING: &str = "patchedDependencies";

/// What a project sets: by release, the setting, which holds the path.
fn set(files: &ClientFiles, format: Format) -> BTreeMap<&str, &Setting> {
    let (package, workspace) = (files.package.iter(), files.pnpm.iter());
    let mut found = BTreeMap::new();
    match format {
        Format::Pnpm => {
            // Later versions of pnpm read the second place only.
            found.extend(package.filter_map(|it| below(it, &["pnpm", SETTING])));
            found.extend(workspace.filter_map(|it| below(it, &[SETTING])));
        }
        Format::Bun => found.extend(package.filter_map(|it| below(it, &[SETTING]))),
        Format::Npm | Format::YarnClassic | Format::YarnBerry => {}
    }
    found
}

/// The last key of a setting directly below these keys.
fn below<'f>(setting: &'f Setting, keys: &[&str]) -> Option<(&'f str, &'f Setting)> {
    let (last, above) = setting.key.split_last()?;
    let is_text = setting.text().is_some();
    (is_text && above == keys).then_some((last.as_str(), setting))
}

/// Where the files of a patch are.
fn places(patch: &Patch, set: &BTreeMap<&str, &Setting>) -> Vec<String> {
    if !patch.files.is_empty() {
        return patch.files.clone();
    }
    let said = set.get(patch.release.as_str()).and_then(|it| it.text());
    said.into_iter().map(str::to_owned).collect()
}

/// Whether a path leads out of the project, where nothing of it is.
fn leaves(path: &str) -> bool {
    path.starts_with('/') || path.get(1..2) == Some(":") || folder_from("", path).starts_with("..")
}

/// What clients with a frozen lockfile refuse, and what could not be looked at.
pub(super) fn check(checked: &mut Checked<'_>, tree: &Tree, files: &ClientFiles) {
    let lockfile = checked.lockfile;
    let set = set(files, lockfile.format);
    unset(checked, &set, files);
    for patch in &lockfile.terms.patches {
        let hash = patch.hash.as_deref();
        let hash = hash.filter(|_| lockfile.format == Format::Pnpm);
        for place in places(patch, &set) {
            let found = match read(tree, &place) {
                Ok(Some(text)) => hash.filter(|hash| is_other(hash, &text)).map(|hash| {
                    let what = format!("which is not the one locked as {hash}");
                    (&OUT_OF_STEP, what)
                }),
                Ok(None) => Some((&OUT_OF_STEP, "and there is no such file".to_owned())),
                Err(why) => Some((&PATCH_UNREAD, format!("which could not be read: {why}"))),
            };
            if let Some((rule, what)) = found {
                let what = format!("{} is changed by {place}, {what}", patch.release);
                checked.add(rule, patch.line, None, &what);
            }
        }
    }
}

/// A file of the project; nothing where there is none.
fn read(tree: &Tree, place: &str) -> Result<Option<Vec<u8>>, String> {
    if leaves(place) {
        return Err("it is not in the project".to_owned());
    }
    tree.read(&folder_from("", place), LARGEST)
}

/// Patches that the lockfile has and the project's settings have not, and the other way round.
fn unset(checked: &mut Checked<'_>, set: &BTreeMap<&str, &Setting>, files: &ClientFiles) {
    let lockfile = checked.lockfile;
    let is_read = match lockfile.format {
        // Code of the project may set it.
        Format::Pnpm => !files.has_pnpmfile && !lockfile.terms.hooked,
        Format::Bun => true,
        Format::Npm | Format::YarnClassic | Format::YarnBerry => false,
    };
    if !is_read {
        return;
    }
    for patch in &lockfile.terms.patches {
        if !set.contains_key(patch.release.as_str()) {
            let what = format!(
                "the lockfile says that {} is changed by a patch, and no setting of the project does",
                patch.release
            );
            checked.add(&OUT_OF_STEP, patch.line, None, &what);
        }
    }
    let is_pnpm = lockfile.format == Format::Pnpm;
    for (release, setting) in set {
        // Which versions of pnpm read it in package.json is not known of the one in use.
        let counts = !is_pnpm || setting.key.len() == 2;
        if counts && !lockfile.terms.patched.contains(*release) {
            let what = format!(
                "{release} is to be changed by {}, and the lockfile does not say so",
                setting.text().unwrap_or_default()
            );
            checked.add(&OUT_OF_STEP, 1, None, &what);
        }
    }
}

/// Whether pnpm's digest is known to be of another text: since pnpm 10 it is sha256 of the patch with line feeds
/// alone. What earlier versions wrote is shorter.
fn is_other(hash: &str, text: &[u8]) -> bool {
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let found = digest::digest(&digest::SHA256, &without_returns(text));
    let found: String = found
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    !found.eq_ignore_ascii_case(hash)
}

/// A text with line feeds in place of what Windows has at the ends of lines.
fn without_returns(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(&byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&&b'\n') {
            plain.push(byte);
        }
    }
    plain
}

/// One moment of the project, as far as patches go.
struct Moment<'s> {
    lockfile: &'s Lockfile,
    set: BTreeMap<&'s str, &'s Setting>,
    tree: &'s Tree,
}

impl<'s> Moment<'s> {
    fn of(state: &'s State, tree: &'s Tree) -> Self {
        Self {
            lockfile: &state.lockfile,
            set: set(&state.files, state.lockfile.format),
            tree,
        }
    }

    /// The patches of each release.
    fn patches(&self) -> BTreeMap<&'s str, Vec<&'s Patch>> {
        let mut found: BTreeMap<&str, Vec<&Patch>> = BTreeMap::new();
        for patch in &self.lockfile.terms.patches {
            found.entry(&patch.release).or_default().push(patch);
        }
        found
    }

    /// The files of patches with their bytes; nothing where some cannot be read, which is told by itself, or where
    /// it is not known which these are.
    fn texts(&self, patches: &[&Patch]) -> Option<BTreeMap<String, Option<Vec<u8>>>> {
        let places = patches.iter().flat_map(|patch| places(patch, &self.set));
        let read = places.map(|place| Some((place.clone(), read(self.tree, &place).ok()?)));
        let texts: BTreeMap<_, _> = read.collect::<Option<_>>()?;
        (!texts.is_empty()).then_some(texts)
    }

    /// The client's own digests of patches.
    fn hashes(patches: &[&Patch]) -> Vec<Option<String>> {
        let mut all: Vec<_> = patches.iter().map(|it| it.hash.clone()).collect();
        all.sort();
        all
    }

    /// A sentence about patches, with their files where these are known.
    fn says(&self, what: &str, patches: &[&Patch]) -> String {
        let places = patches.iter().flat_map(|patch| places(patch, &self.set));
        let words: Vec<String> = [what.to_owned()].into_iter().chain(places).collect();
        format!("is changed by {}", words.join(", "))
    }
}

/// What a change does to patches.
pub(super) fn changes(
    checked: &mut Checked<'_>,
    (now, tree): (&State, &Tree),
    before: Option<(&State, &Tree)>,
) {
    let today = Moment::of(now, tree);
    let then = before.map(|(state, tree)| Moment::of(state, tree));
    let had = then.as_ref().map(Moment::patches).unwrap_or_default();
    let has = today.patches();
    for (release, patches) in &has {
        let what = match (had.get(release), &then) {
            (Some(earlier), Some(then)) => is_another((&today, patches), (then, earlier))
                .then_some("another patch than before"),
            _ => Some("a new patch"),
        };
        if let Some(what) = what {
            let line = patches.first().map_or(1, |patch| patch.line);
            let what = format!("{release} {}", today.says(what, patches));
            checked.add(&PATCH_CHANGED, line, None, &what);
        }
    }
    for release in had.keys().filter(|it| !has.contains_key(*it)) {
        let what = format!("{release} is not changed by a patch any more");
        checked.add(&PATCH_CHANGED, 1, None, &what);
    }
}

/// Whether a release is changed otherwise than before. Where files cannot be compared, the client's digests tell.
fn is_another(
    (now, patches): (&Moment<'_>, &[&Patch]),
    (then, earlier): (&Moment<'_>, &[&Patch]),
) -> bool {
    match (now.texts(patches), then.texts(earlier)) {
        (Some(now), Some(then)) => now != then,
        _ => Moment::hashes(patches) != Moment::hashes(earlier),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_other, leaves};

    /// `printf 'a\nb\n' | sha256sum`
    const AB: &str = "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2";

    #[test]
    fn pnpms_digest_is_of_the_patch_whatever_the_ends_of_its_lines() {
        assert!(!is_other(AB, b"a\nb\n"));
        assert!(!is_other(&AB.to_uppercase(), b"a\r\nb\r\n"));
        assert!(is_other(AB, b"a\nc\n"));
        assert!(is_other(AB, b"a\rb\n"));
        // pnpm 9 and earlier: nothing that could be compared.
        assert!(!is_other("lfhkt5vkmrdrqrvnrprbpoqtau", b"a\n"));
    }

    #[test]
    fn what_lies_outside_is_not_read() {
        for (path, outside) in [
            ("patches/a.patch", false),
            ("./a/../b.patch", false),
            ("../a.patch", true),
            ("a/../../b.patch", true),
            ("/etc/a.patch", true),
            ("C:/a.patch", true),
        ] {
            assert_eq!(leaves(path), outside, "{path}");
        }
    }
}
