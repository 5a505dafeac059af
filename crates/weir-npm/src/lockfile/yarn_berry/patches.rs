//! yarn's `patch:`: what is changed, and by which files.

use super::super::graph::{Patch, folder_from, split_name};
use super::{decoded, fetched_name};

/// A reference `patch:base#files::bound` in its parts: the base decoded, the files as written.
fn parts(reference: &str) -> Option<(String, &str)> {
    let (plain, _) = reference.split_once("::").unwrap_or((reference, ""));
    let patch = plain.strip_prefix("patch:")?;
    let (base, files) = patch.split_once('#').unwrap_or((patch, ""));
    Some((decoded(base), files))
}

/// What a resolution changes a release by. Files are named behind `#`: by `~/` from the lockfile's folder, else from
/// the folder of the project that asks, which is bound as `locator`; several are joined by `&`, and what stands
/// before a `!` says only whether yarn may go on without. What yarn has itself (`builtin<…>`) is nobody's file.
pub(super) fn patch(release: String, line: u32, reference: &str) -> Option<Patch> {
    let (_, files) = parts(reference)?;
    let (_, bound) = reference.split_once("::").unwrap_or_default();
    let bound = |name: &str| {
        let pairs = bound.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.into_iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| decoded(value))
    };
    let folder = bound("locator")
        .and_then(|locator| {
            let (_, reference) = split_name(&locator)?;
            let folder = reference.strip_prefix("workspace:")?;
            Some(folder.split("::").next().unwrap_or(folder).to_owned())
        })
        .unwrap_or_default();
    let files = files.split('&').map(|file| {
        let file = decoded(file);
        file.rsplit_once('!')
            .map_or(file.clone(), |(_, plain)| plain.to_owned())
    });
    let files = files.filter(|file| !file.is_empty() && !file.contains("builtin<"));
    let files = files.map(|file| match file.strip_prefix("~/") {
        Some(inner) => folder_from("", inner),
        // Nothing of the project.
        None if file.starts_with('/') => file,
        None => folder_from(&folder, &file),
    });
    let files: Vec<String> = files.collect();
    let hash = bound("hash");
    (!files.is_empty()).then_some(Patch {
        release,
        line,
        files,
        hash,
    })
}

/// Whether a resolution is to another patch than a request asks for: of another package, or by other files. yarn
/// repeats both where it locks what is asked for.
pub(super) fn is_another(request: &str, resolution: &str) -> bool {
    /// Most patches of patches.
    const MOST: usize = 8;
    let (mut asked, mut got) = (request.to_owned(), resolution.to_owned());
    for _ in 0..MOST {
        let (Some((asked_base, asked_files)), Some((got_base, got_files))) =
            (parts(&asked), parts(&got))
        else {
            return false;
        };
        if asked_files != got_files || fetched_name(&asked_base) != fetched_name(&got_base) {
            return true;
        }
        let reference = |base: &str| split_name(base).map(|(_, it)| it.to_owned());
        let (Some(next_asked), Some(next_got)) = (reference(&asked_base), reference(&got_base))
        else {
            return false;
        };
        (asked, got) = (next_asked, next_got);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{is_another, patch};

    #[test]
    fn files_are_seen_from_the_lockfile() {
        for (reference, files) in [
            (
                "patch:a@npm%3A1.0.0#~/.yarn/patches/a.patch::version=1.0.0&hash=c1",
                vec![".yarn/patches/a.patch"],
            ),
            (
                "patch:a@npm%3A1.0.0#./a.patch::version=1.0.0&hash=c1&locator=w%40workspace%3Apackages%2Fw",
                vec!["packages/w/a.patch"],
            ),
            (
                "patch:a@npm%3A1.0.0#../a.patch::hash=c1&locator=w%40workspace%3Aw",
                vec!["a.patch"],
            ),
            (
                "patch:a@npm%3A1.0.0#./a.patch&optional!./b.patch::hash=c1&locator=r%40workspace%3A.",
                vec!["a.patch", "b.patch"],
            ),
            (
                "patch:a@npm%3A1.0.0#~/with%20space.patch",
                vec!["with space.patch"],
            ),
            (
                "patch:a@npm%3A1.0.0#/elsewhere/a.patch",
                vec!["/elsewhere/a.patch"],
            ),
            (
                "patch:a@npm%3A1.0.0#optional!builtin<compat/a>::version=1.0.0&hash=c1",
                vec![],
            ),
            (
                "patch:a@npm%3A1.0.0#~builtin<compat/a>::version=1.0.0&hash=c1",
                vec![],
            ),
            ("npm:1.0.0", vec![]),
        ] {
            let found = patch("a@1.0.0".to_owned(), 1, reference);
            let found = found.map(|it| it.files).unwrap_or_default();
            assert_eq!(found, files, "{reference}");
        }
        let found = patch(
            "a@1.0.0".to_owned(),
            7,
            "patch:a@npm%3A1.0.0#~/a.patch::hash=c1",
        );
        let found = found.unwrap();
        assert_eq!((found.line, found.hash.as_deref()), (7, Some("c1")));
    }

    #[test]
    fn a_resolution_is_to_the_patch_that_is_asked_for() {
        for (request, resolution, another) in [
            (
                "patch:a@npm%3A^1#~/a.patch",
                "patch:a@npm%3A1.1.0#~/a.patch::version=1.1.0&hash=c1",
                false,
            ),
            (
                "patch:a@npm%3A^1#~/a.patch",
                "patch:b@npm%3A1.1.0#~/a.patch::version=1.1.0&hash=c1",
                true,
            ),
            (
                "patch:a@npm%3A^1#~/a.patch",
                "patch:a@npm%3A1.1.0#~/b.patch::version=1.1.0&hash=c1",
                true,
            ),
            // An alias is locked as what it stands for; yarn 2 and 3 leave the protocol out of ranges.
            (
                "patch:a@npm%3Ab%401#~/a.patch",
                "patch:b@npm%3A1.1.0#~/a.patch",
                false,
            ),
            (
                "patch:a@npm%3Ab%401#~/a.patch",
                "patch:a@npm%3A1.1.0#~/a.patch",
                true,
            ),
            (
                "patch:a@^1#~builtin<compat/a>",
                "patch:a@npm%3A1.1.0#~builtin<compat/a>::version=1.1.0",
                false,
            ),
            (
                "patch:a@patch%3Aa@npm%253A1.0.0%23~/a.patch#~/b.patch",
                "patch:a@patch%3Aa@npm%253A1.0.0%23~/a.patch%3A%3Ahash=1#~/b.patch::hash=2",
                false,
            ),
            (
                "patch:a@patch%3Aa@npm%253A1.0.0%23~/a.patch#~/b.patch",
                "patch:a@patch%3Aa@npm%253A1.0.0%23~/evil.patch%3A%3Ahash=1#~/b.patch::hash=2",
                true,
            ),
            ("npm:^1", "patch:a@npm%3A1.1.0#~/a.patch", false),
        ] {
            assert_eq!(
                is_another(request, resolution),
                another,
                "{request} {resolution}"
            );
        }
    }
}
