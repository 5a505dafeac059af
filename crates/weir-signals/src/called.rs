//! What the name of a dependency says: that it is widely used, or part of the package, or stands for another one.

use weir_npm::manifest::Manifest;
use weir_npm::name::PackageName;
use weir_npm::spec::{DependencySpec, classify};

use crate::Subject;

/// Whether the dependency needs no explanation: it is widely used, or of the same scope.
pub(crate) fn is_expected(subject: &Subject<'_>, name: &str) -> bool {
    let own = subject.name;
    let Ok(dependency) = PackageName::parse(name) else {
        return false;
    };
    let same_scope = own.scope().is_some() && own.scope() == dependency.scope();
    same_scope || subject.names.rank(name).is_some()
}

/// Whether the dependency is named like the package. So are parts of it, and what anybody else may call so.
pub(crate) fn is_named_after(subject: &Subject<'_>, name: &str) -> bool {
    let own = subject.name;
    let Ok(dependency) = PackageName::parse(name) else {
        return false;
    };
    let family = |base: &str, name: &str| {
        name.strip_prefix(base)
            .is_some_and(|rest| rest.starts_with(['-', '.', '_']))
    };
    family(own.base(), dependency.base())
        || family(dependency.base(), own.base())
        || dependency.scope().is_some_and(|scope| scope == own.base())
}

/// The popular package whose whole name is a part of this one: `crypto-js` in `plain-crypto-js`.
pub(crate) fn popular_within(subject: &Subject<'_>, name: &str) -> Option<String> {
    /// One word is a topic (`react`, `env`); two words are a name.
    const WORDS: usize = 2;
    if name.starts_with('@') {
        return None;
    }
    let words: Vec<&str> = name.split(['-', '_', '.']).collect();
    (WORDS..words.len()).rev().find_map(|length| {
        words.windows(length).find_map(|part| {
            let target = part.join("-");
            subject.names.rank(&target).map(|_| target)
        })
    })
}

/// The package that a key stands for in a manifest (`npm:`), if it is there.
pub(crate) fn behind(manifest: &Manifest, key: &str) -> Option<String> {
    // The registry repeats optional ones among the others, and those win.
    let maps = [
        &manifest.optional_dependencies,
        &manifest.dependencies,
        &manifest.peer_dependencies,
    ];
    let text = maps.into_iter().find_map(|map| map.get(key))?;
    Some(match classify(key, text) {
        DependencySpec::Alias { name, .. } => name.as_str().to_owned(),
        _ => key.to_owned(),
    })
}
