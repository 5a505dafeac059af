//! What findings, policies and waivers name beside the signals: what is told before any signal looks.

use crate::Documentation;

/// A name that no signal has, and that is used like one.
#[derive(Debug)]
pub struct Beside {
    /// As findings, `weir.toml` and waivers have it.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it is about.
    pub documentation: Documentation,
}

/// All of them. None can be switched off.
pub static BESIDE: &[Beside] = &[
    Beside {
        id: "integrity-mismatch",
        summary: "The bytes that came are not those that the registry states",
        documentation: Documentation {
            sees: "A tarball whose digest is not the one in its packument (`dist.integrity`), compared before anything \
                   is read or sent.",
            matters: "What was signed, looked at and locked is another file. Somebody may have replaced it on the way or \
                      at the registry; nothing that is known of the release is known of these bytes.",
            wrong: "When a download was cut short or damaged, by a proxy or a mirror above all. It is not kept against \
                    the release: the next download is compared anew, and ranges and tags pass over it for ten minutes.",
            todo: "Ask again. If it stays, compare with what another network gets, and tell whoever runs the registry. \
                   It cannot be switched off; a waiver covers it by its name alone, and never without mention.",
        },
    },
    Beside {
        id: "incomplete-assessment",
        summary: "A name of waivers for what could not be checked",
        documentation: Documentation {
            sees: "The gaps of an assessment: what stands behind *not checked* in what `weir inspect` and `weir explain` \
                   print. It is no finding.",
            matters: "What could not be checked is no pass: by default it holds a release that was not served before \
                      and is not long established.",
            wrong: "When what is missing has nothing to do with the release, as with a registry that did not answer for \
                    a moment. Ask again then.",
            todo: "`decide.incomplete_unseen` and `decide.incomplete_established` say what it does. A waiver that names \
                   it lets one release pass with its gaps, but for the registry giving no integrity.",
        },
    },
];
