//! Dependencies that a release says it brings itself. Only what lies in the tarball is a reason not to look at what is
//! asked for: of the rest some clients fetch nothing, and others fetch it like everything else.

use weir_npm::manifest::Manifest;

use crate::Subject;

/// Whether a dependency is bundled, as far as anybody can tell: it is listed as such, and lies in the tarball where that
/// was looked at.
pub(crate) fn lies_inside(subject: &Subject<'_>, manifest: &Manifest, name: &str) -> bool {
    is_listed(manifest, name) && !is_missing(subject, name)
}

/// Whether a manifest says that a dependency is bundled.
pub(crate) fn is_listed(manifest: &Manifest, name: &str) -> bool {
    let mut listed = manifest.bundle_dependencies.iter();
    listed.any(|bundled| bundled == name)
}

/// Whether it is known that the package does not lie in the tarball.
fn is_missing(subject: &Subject<'_>, name: &str) -> bool {
    let contents = subject.contents.known();
    let bundled = contents.and_then(|it| it.bundled.as_ref());
    bundled.is_some_and(|inside| !inside.iter().any(|it| it == name))
}
