//! Nothing that is fed in makes the reader panic, and what is valid comes out as it went in.

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use support::{END, differential, file, gzip, pax, read_all, verdict};
use weir_archive::{Content, Entry, File, HEAD_BYTES, Limits, Visitor, fuzz, read};

/// Files by path: no path is another's folder, and no two are one when case is folded.
fn trees() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let folder = "[a-z]{1,8}/";
    let path = (
        prop::collection::vec(folder, 0..4),
        "[a-z]{1,9}\\.(js|json|md)",
    )
        .prop_map(|(folders, name)| folders.concat() + &name);
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000),
        (0..40_000_usize).prop_map(|bytes| vec![b'x'; bytes]),
        (200_000..600_000_usize).prop_map(support::noise),
    ];
    prop::collection::btree_map(path, data, 1..12)
}

fn archive_of(tree: &BTreeMap<String, Vec<u8>>, with_pax: bool) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, data) in tree {
        let name = format!("package/{path}");
        if with_pax {
            tar.extend(pax(&[("path", &name)]));
        }
        tar.extend(file(&name, data));
    }
    tar.extend(END);
    tar
}

type Shown = Result<Vec<u8>, Vec<u8>>;

struct Picky {
    wanted: fn(&str) -> bool,
    /// Paths, with the data or the head.
    seen: Vec<(String, Shown)>,
}

impl Visitor for Picky {
    fn wants(&mut self, file: &File<'_>) -> bool {
        (self.wanted)(file.path)
    }

    fn entry(&mut self, entry: Entry<'_>) {
        assert!(entry.complete);
        let content = match entry.content {
            Content::Whole(data) => Ok(data.to_vec()),
            Content::Head(head) => Err(head.to_vec()),
        };
        self.seen.push((entry.path().to_owned(), content));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn valid_trees_come_out_as_they_went_in(tree in trees(), with_pax: bool) {
        let (archive, files) = read_all(&gzip(&archive_of(&tree, with_pax)), &Limits::default());
        prop_assert_eq!(verdict(&archive), [""; 0]);
        prop_assert_eq!(archive.files, tree.len() as u64);
        prop_assert_eq!(files, tree.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_is_not_wanted_shows_its_head(tree in trees()) {
        let wanted = |path: &str| path.ends_with(".js");
        let mut picky = Picky { wanted, seen: Vec::new() };
        let archive = read(&gzip(&archive_of(&tree, false))[..], &Limits::default(), &mut picky);
        prop_assert!(!archive.is_ambiguous());
        for ((path, data), (seen_path, seen)) in tree.iter().zip(picky.seen) {
            prop_assert_eq!(path, &seen_path);
            let expected = if wanted(path) {
                Ok(data.clone())
            } else {
                Err(data[..data.len().min(HEAD_BYTES)].to_vec())
            };
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn random_bytes(data in prop::collection::vec(any::<u8>(), 0..4000)) {
        fuzz::archive(&data);
        fuzz::archive(&gzip(&data));
    }

    #[test]
    fn mutated_archives(
        which in 0..28_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        keep in any::<prop::sample::Index>(),
        packed: bool,
    ) {
        let (_, bytes) = differential().swap_remove(which);
        let mut bytes = if packed { bytes } else { unpacked(&bytes) };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        fuzz::archive(&bytes);
        bytes.truncate(keep.index(bytes.len()) + 1);
        fuzz::archive(&bytes);
    }
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut tar = Vec::new();
    // Some of the archives are broken on purpose; their beginning will do.
    let _ = flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut tar);
    if tar.is_empty() { packed.to_vec() } else { tar }
}
