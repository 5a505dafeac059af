//! What is to happen with a release.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::finding::Group;

/// What is to happen. Ordered by strictness.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Serve it and say nothing.
    Allow,
    /// Serve it and mention what was seen.
    Notice,
    /// Not now: it may be served later, or once a person has looked.
    Hold,
    /// Not at all.
    Block,
}

impl Action {
    /// Whether the release reaches the client.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Allow | Self::Notice)
    }

    /// The name as printed and as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Notice => "notice",
            Self::Hold => "hold",
            Self::Block => "block",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Action {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "allow" => Ok(Self::Allow),
            "notice" => Ok(Self::Notice),
            "hold" => Ok(Self::Hold),
            "block" => Ok(Self::Block),
            other => Err(format!(
                "{other:?} is not an action; one of: allow, notice, hold, block"
            )),
        }
    }
}

/// A short name for a refusal, the same each time the same release is refused for the same
/// reasons, so that what a person reads in a client's output leads to one explanation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct BlockId(pub String);

impl BlockId {
    /// Makes the id from what it stands for. 50 bits, in Crockford's base 32 (no i, l, o, u).
    #[must_use]
    pub fn derive(parts: &[&str]) -> Self {
        // FNV-1a, 64 bit: an id to look things up by, not a seal; nothing is trusted because of it.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for part in parts {
            for byte in part.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        hash ^= hash >> 32;
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut id = String::from("w-");
        for index in 0..10 {
            let digit = (hash >> (index * 5)) & 31;
            id.push(char::from(ALPHABET[usize::try_from(digit).unwrap_or(0)]));
        }
        Self(id)
    }

    /// The id as text, e.g. `w-3k9x2m4q7c`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a client wants the release.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// A range or tag is being resolved, or a version is asked for that nothing pins.
    #[default]
    NewResolution,
    /// The tarball of a version that a lockfile pins.
    Pinned,
    /// Nobody wants it installed: a person or a program looks at it, perhaps in a folder. Only
    /// evidence counts, age holds nothing.
    Inspection,
}

/// What a decision depended on besides the assessment and the policy, so that it can be taken again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Circumstances {
    /// The moment of the decision.
    #[schemars(with = "String")]
    pub now: Timestamp,
    /// When the release was published, or first seen where the upstream does not say.
    #[schemars(with = "Option<String>")]
    pub published: Option<Timestamp>,
    /// The package's rank by downloads, 1 for the most downloaded; absent beyond the list.
    pub rank: Option<u32>,
    /// Why the release was wanted.
    pub request: Request,
    /// Whether exactly these bytes had been served before.
    pub served_before: bool,
    /// The ids of advisories that affect what would have been served instead, and that this release
    /// fixes; absent if there are none.
    pub fixes_advisory_of: Option<String>,
}

/// What a policy makes of an assessment at a moment, with its explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Decision {
    /// What is to happen.
    pub action: Action,
    /// The evidence groups that counted.
    pub groups: Vec<Group>,
    /// Why, one sentence each: the rule that applied first, then the findings it rests on.
    pub reasons: Vec<String>,
    /// When a hold ends by itself; absent if it does not.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// The version to use instead, e.g. `1.2.2`; absent if there is none or none is needed.
    pub instead: Option<String>,
    /// The waiver that changed the outcome, by its reason; absent if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<String>,
    /// What it depended on besides the assessment and the policy; absent where it was taken before
    /// that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstances: Option<Circumstances>,
}

impl Decision {
    /// Serve it and say nothing.
    #[must_use]
    pub fn allow() -> Self {
        Self {
            action: Action::Allow,
            groups: Vec::new(),
            reasons: Vec::new(),
            until: None,
            instead: None,
            waiver: None,
            circumstances: None,
        }
    }

    /// The refusal's id for the given release; the same for the same release and reasons.
    #[must_use]
    pub fn block_id(&self, name: &str, version: &str) -> BlockId {
        let mut parts = vec![name, version, self.action.as_str()];
        parts.extend(self.reasons.iter().map(String::as_str));
        BlockId::derive(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_id_depends_on_everything_it_stands_for() {
        let one = BlockId::derive(&["a", "1.0.0", "x"]);
        assert_eq!(one, BlockId::derive(&["a", "1.0.0", "x"]));
        assert_ne!(one, BlockId::derive(&["a", "1.0.0", "y"]));
        assert_ne!(one, BlockId::derive(&["a1", ".0.0", "x"]));
        assert_eq!(one.as_str().len(), 12);
    }

    #[test]
    fn strictness_orders_actions() {
        assert!(Action::Block > Action::Hold && Action::Hold > Action::Notice);
        assert!(Action::Notice.serves() && !Action::Hold.serves());
    }
}
