//! What `weir verify` finds, and what to do about it.

use weir_model::json::v1::CheckLevel;

use super::super::own;

/// A rule: its id, how much its findings matter, and what to do about them.
#[derive(PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) level: CheckLevel,
    pub(super) todo: &'static str,
}

pub(super) const UNREADABLE: Rule = Rule {
    id: "unreadable",
    level: CheckLevel::Error,
    todo: "nothing in this file was verified: restore it, or let the client write it anew",
};
pub(super) const NOTHING_LOCKED: Rule = Rule {
    id: "nothing-locked",
    level: CheckLevel::Error,
    todo: "nothing was verified: run the client's install and commit the lockfile it writes",
};
pub(super) const SIGNATURE: Rule = Rule {
    id: "signature-failed",
    level: CheckLevel::Error,
    todo: "do not install it: what is served is not what the registry signed",
};
pub(super) const MISSING: Rule = Rule {
    id: "signature-missing",
    level: CheckLevel::Error,
    todo: "find out why the registry, which signs its releases, did not sign this one",
};
pub(super) const ATTESTATION: Rule = Rule {
    id: "attestation-failed",
    level: CheckLevel::Error,
    todo: "do not install it: its attestations are about something else, or nobody's",
};
pub(super) const CHANGED: Rule = Rule {
    id: "provenance-changed",
    level: CheckLevel::Warning,
    todo: "ask the project whether it means to build there now, before taking the release",
};
pub(super) const ORDINARY: Rule = Rule {
    id: "provenance-changed",
    level: CheckLevel::Note,
    todo: "nothing, if the project says so",
};
pub(super) const UNEXPECTED: Rule = Rule {
    id: "broken-expectation",
    level: CheckLevel::Error,
    todo: "do not install it before you know why: your policy says how it is built and published",
};
pub(super) const UNUSUAL: Rule = Rule {
    id: "broken-expectation",
    level: CheckLevel::Warning,
    todo: "find out whether the project releases in another way now, and change the expectation if so",
};
pub(super) const UNCHECKED: Rule = Rule {
    id: "unchecked",
    level: CheckLevel::Warning,
    todo: "run it again when the registry answers: it counts as not verified",
};
pub(super) const NO_SUCH_RELEASE: Rule = Rule {
    id: "no-such-release",
    level: CheckLevel::Warning,
    todo: "find out who wrote this entry; a release that was taken back cannot be verified any more",
};
pub(super) const UNREADABLE_THERE: Rule = Rule {
    id: "unchecked",
    level: CheckLevel::Warning,
    todo: "tell who runs the registry: until that is put right it counts as not verified",
};
pub(super) const UNCOMPARED: Rule = Rule {
    id: "integrity-not-compared",
    level: CheckLevel::Warning,
    todo: "let the client write the entry anew, with the digest that the registry gives: it counts as not \
           verified",
};
pub(super) const UNASKABLE: Rule = Rule {
    id: "no-release",
    level: CheckLevel::Warning,
    todo: "let the client write the lockfile anew: no registry can be asked about this entry",
};
pub(super) const OWN_ARCHIVES: Rule = Rule {
    id: "yarn-checksums",
    level: CheckLevel::Note,
    todo: "nothing: `yarn install --check-cache` compares the archives with what the registry serves",
};
pub(super) const WITHHELD_NAMES: Rule = Rule {
    id: "names-withheld",
    level: CheckLevel::Warning,
    todo: own::NAME_THEIR_REGISTRY,
};
pub(super) const UNSIGNED: Rule = Rule {
    id: "unsigned-registry",
    level: CheckLevel::Note,
    todo: "nothing can be verified there: the registry names no keys",
};
pub(super) const ELSEWHERE: Rule = Rule {
    id: "not-from-a-registry",
    level: CheckLevel::Note,
    todo: "nobody signs it: `weir check` says whether it is pinned and your policy allows it",
};
