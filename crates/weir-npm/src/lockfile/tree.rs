//! Values with the lines they are on: what JSON and YAML are turned into before a format is read.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::{LockfileError, Problem};

/// Deepest nesting. Version 1 of npm's format nests once per level of `node_modules` twice over; real
/// trees stay below a tenth of this.
pub(crate) const MAX_DEPTH: usize = 200;

/// A value and the line it starts on.
#[derive(Debug)]
pub(crate) struct Value<'a> {
    pub(crate) line: u32,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    /// A number, as it is written.
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Map(Vec<Member<'a>>),
}

#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) line: u32,
    pub(crate) value: Value<'a>,
}

/// Refuses an object with a key twice.
pub(crate) fn distinct(members: &[Member<'_>]) -> Result<(), LockfileError> {
    // Most objects are small, and comparing a few keys is cheaper than hashing them.
    const FEW: usize = 8;
    let mut seen = HashSet::new();
    for (number, member) in members.iter().enumerate() {
        let twice = if members.len() <= FEW {
            let before = members.get(..number).unwrap_or_default();
            before.iter().any(|other| other.key == member.key)
        } else {
            !seen.insert(member.key.as_ref())
        };
        if twice {
            return Err(Problem::DuplicateKey.at(member.line, Some(&member.key)));
        }
    }
    Ok(())
}

impl<'a> Value<'a> {
    pub(crate) fn wrong(&self, key: &str, wanted: &'static str) -> LockfileError {
        Problem::Wrong(wanted).at(self.line, Some(key))
    }

    /// The members of an object.
    pub(crate) fn map(&self, key: &str) -> Result<&[Member<'a>], LockfileError> {
        match &self.kind {
            Kind::Map(members) => Ok(members),
            _ => Err(self.wrong(key, "an object")),
        }
    }

    /// A member of an object; `None` if there is none, if it is null, or if this is no object.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Map(members) = &self.kind else {
            return None;
        };
        let member = members.iter().find(|member| member.key == key)?;
        (!matches!(member.value.kind, Kind::Null)).then_some(&member.value)
    }

    /// The members of a member that is an object; none if it is not there.
    pub(crate) fn members(&self, key: &str) -> Result<&[Member<'a>], LockfileError> {
        self.get(key).map_or(Ok(&[]), |value| value.map(key))
    }

    /// The text of a member that is text or a number, if it is there.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>, LockfileError> {
        self.get(key).map(|value| value.as_text(key)).transpose()
    }

    /// This value as text. A number is the text it is written with: YAML leaves a version `1.0` bare.
    pub(crate) fn as_text(&self, key: &str) -> Result<&str, LockfileError> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Ok(text),
            _ => Err(self.wrong(key, "text")),
        }
    }

    /// Whether a member is there and true.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|value| matches!(value.kind, Kind::Bool(true)))
    }

    /// The members of an object of objects in which `optional` is true, as `peerDependenciesMeta` has it.
    pub(crate) fn optional_in(&self, key: &str) -> Result<HashSet<&str>, LockfileError> {
        let members = self.members(key)?.iter();
        let optional = members.filter(|member| member.value.is_true("optional"));
        Ok(optional.map(|member| member.key.as_ref()).collect())
    }

    /// The elements of a list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(values) => Some(values),
            _ => None,
        }
    }
}
