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
const UNREADABLE_PATCH: Rule = Rule {
    id: PATCH_CHANGED.id,
    level: CheckLevel::Warning,
    todo: "could not be compared: look at the patch yourself",
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

/// What clients with a frozen lockfile refuse.
pub(super) fn check(checked: &mut Checked<'_>, tree: &Tree, files: &ClientFiles) {
    let lockfile = checked.lockfile;
    let set = set(files, lockfile.format);
    unset(checked, &set, files);
    for patch in &lockfile.terms.patches {
        for place in places(patch, &set) {
            if leaves(&place) {
                continue;
            }
            let text = tree.read(&folder_from("", &place), LARGEST);
            let what = match text {
                Ok(Some(text)) => patch
                    .hash
                    .as_deref()
                    .filter(|hash| lockfile.format == Format::Pnpm && is_other(hash, &text))
                    .map(|hash| {
                        format!("is changed by {place}, which is not the one locked as {hash}")
                    }),
                Ok(None) => Some(format!("is changed by {place}, and there is no such file")),
                Err(_) => None,
            };
            if let Some(what) = what {
                let what = format!("{} {what}", patch.release);
                checked.add(&OUT_OF_STEP, patch.line, None, &what);
            }
        }
    }
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

    /// The files of patches with their bytes.
    ///
    /// # Errors
    /// Which one could not be read, and why.
    fn texts(&self, patches: &[&Patch]) -> Result<BTreeMap<String, Option<Vec<u8>>>, String> {
        let mut texts = BTreeMap::new();
        for place in patches.iter().flat_map(|patch| places(patch, &self.set)) {
            if leaves(&place) {
                return Err(format!("{place} is not in the project"));
            }
            let text = self.tree.read(&folder_from("", &place), LARGEST);
            let text = text.map_err(|why| format!("{place} could not be read: {why}"))?;
            texts.insert(place, text);
        }
        if texts.is_empty() && !patches.is_empty() {
            return Err("where the patch is could not be found out".to_owned());
        }
        Ok(texts)
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
        let told = match (had.get(release), &then) {
            (Some(earlier), Some(then)) => changed((&today, patches), (then, earlier)),
            _ => Some((
                &PATCH_CHANGED,
                named("is changed by", "a new patch", &today, patches),
            )),
        };
        if let Some((rule, what)) = told {
            let line = patches.first().map_or(1, |patch| patch.line);
            checked.add(rule, line, None, &format!("{release} {what}"));
        }
    }
    for release in had.keys().filter(|it| !has.contains_key(*it)) {
        let what = format!("{release} is not changed by a patch any more");
        checked.add(&PATCH_CHANGED, 1, None, &what);
    }
}

/// A sentence about patches, with their files where these are known.
fn named(start: &str, what: &str, moment: &Moment<'_>, patches: &[&Patch]) -> String {
    let places: Vec<String> = patches
        .iter()
        .flat_map(|patch| places(patch, &moment.set))
        .collect();
    match places.as_slice() {
        [] => format!("{start} {what}"),
        places => format!("{start} {what}, {}", places.join(", ")),
    }
}

/// How a release is changed otherwise than before.
fn changed(
    (now, patches): (&Moment<'_>, &[&Patch]),
    (then, earlier): (&Moment<'_>, &[&Patch]),
) -> Option<(&'static Rule, String)> {
    let hashes = |patches: &[&Patch]| -> Vec<Option<String>> {
        let mut all: Vec<Option<String>> = patches.iter().map(|it| it.hash.clone()).collect();
        all.sort();
        all
    };
    let is_another = match (now.texts(patches), then.texts(earlier)) {
        (Ok(now), Ok(then)) => now != then,
        // The lockfile's digests tell a change from none, where it has any for each.
        (now, then) => {
            let (today, before) = (hashes(patches), hashes(earlier));
            if today == before && !today.contains(&None) {
                return None;
            }
            let ((Err(why), _) | (_, Err(why))) = (now, then) else {
                return None;
            };
            if today == before {
                return Some((&UNREADABLE_PATCH, format!("is changed by a patch: {why}")));
            }
            true
        }
    };
    let what = named("is changed by", "another patch than before", now, patches);
    is_another.then_some((&PATCH_CHANGED, what))
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
