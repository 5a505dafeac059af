//! Shared bodies of fuzz targets and property tests.

use std::collections::BTreeMap;

use weir_model::contents::Surface;

use crate::{Limits, TextFile, look, recognise, sketch};

/// Looks at `data` as a file of code, and as a file of every name that matters. Must never panic,
/// and what it says must lie inside the file.
///
/// # Panics
/// When a promise of this crate is broken.
pub fn files(data: &[u8]) {
    for path in [
        "index.js",
        "logo.png",
        "prebuilds/a.node",
        "LICENSE",
        "data",
    ] {
        let whole = recognise(path, data);
        let head = recognise(path, data.get(..crate::HEAD_BYTES).unwrap_or(data));
        assert!(
            whole.is_none() || head.is_some() || data.len() > crate::HEAD_BYTES,
            "the head decides"
        );
    }
    for hidden in crate::hidden::scan(data) {
        assert!(hidden.start < hidden.end && hidden.end <= data.len());
        assert!(hidden.length > 0);
    }
    if let Some(measured) = crate::obfuscation::measure(data) {
        assert!(measured.offset < data.len() && !measured.criteria.is_empty());
    }
    let surfaces = BTreeMap::from([("index.js".to_owned(), Surface::Import)]);
    let both = [
        TextFile {
            path: "index.js",
            bytes: data,
        },
        TextFile {
            path: "bin/run",
            bytes: data,
        },
    ];
    let limits = Limits {
        files: 1,
        ..Limits::default()
    };
    let facts = look(&both, &surfaces, &limits);
    assert_eq!(facts.files.len(), 1);
    assert_eq!((facts.files_left_out, facts.left_out.len()), (1, 1));
    if let Some(found) = &facts.sketch {
        assert_eq!(sketch::similarity(found, found), Some(1.0));
        assert!(sketch::bands(found).len() <= sketch::LANES);
    }
}
