//! Names that people trust, and which of them a given name could be mistaken for (DETECTION
//! section 5, stages 1 and 2). Whether that matters is for the signal `lookalike-name` to say.

mod compact;
pub(crate) mod forms;
mod lookalike;
mod near;
mod scopes;
mod search;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub use compact::build;
pub use lookalike::{Lookalike, Strength, Transformation, Trusted};

use compact::Compact;

/// The committed list of popular names, compiled by `cargo dev popular`.
static POPULAR: &[u8] = include_bytes!("../../data/popular.idx");

/// The index of names could not be used.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The block of bytes is not what [`build`] makes.
    #[error("the name index is damaged")]
    Damaged,
    /// One of its maps is not.
    #[error("the name index is damaged: {0}")]
    Map(#[from] fst::Error),
}

/// Popular names and an operator's own, ready for queries. Cheap to start: the popular names are
/// part of the program and are searched where they lie.
pub struct NameIndex {
    popular: Compact,
    own: Option<Compact>,
    /// Scopes of the operator, without `@`: only they publish there.
    own_scopes: Vec<String>,
    /// The policy's word on whether a name is the operator's.
    is_own: Box<IsOwn>,
}

/// Says of a name whether it is the operator's own.
type IsOwn = dyn Fn(&str) -> bool + Send + Sync;

impl std::fmt::Debug for NameIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NameIndex")
            .field("popular", &self.popular.len())
            .field("own", &self.own.as_ref().map_or(0, Compact::len))
            .finish_non_exhaustive()
    }
}

impl NameIndex {
    /// The popular names that are part of the program.
    ///
    /// # Errors
    /// [`NamesError`] if the committed file is damaged; a test guards against that.
    pub fn embedded() -> Result<Self, NamesError> {
        Ok(Self::around(Compact::embedded(POPULAR)?))
    }

    /// An index over other names, in order of popularity.
    ///
    /// # Errors
    /// [`NamesError`] if the list is larger than four gigabytes.
    pub fn from_names(names: &[String]) -> Result<Self, NamesError> {
        Ok(Self::around(Compact::from_names(names)?))
    }

    /// Adds the operator's own names, and scopes (without `@`): both are worth impersonating, and
    /// neither is a lookalike of anything. Which names are the operator's is for `is_own` to say: a
    /// pattern matches more of them than can be listed.
    ///
    /// # Errors
    /// [`NamesError`] if the list is larger than four gigabytes.
    pub fn with_own(
        mut self,
        names: &[String],
        scopes: &[String],
        is_own: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self, NamesError> {
        self.own = Some(Compact::from_names(names)?);
        self.is_own = Box::new(is_own);
        self.own_scopes = scopes
            .iter()
            .map(|scope| scope.trim_start_matches('@').to_owned())
            .collect();
        Ok(self)
    }

    fn around(popular: Compact) -> Self {
        Self {
            popular,
            own: None,
            own_scopes: Vec::new(),
            is_own: Box::new(|_| false),
        }
    }

    /// The name's place among the popular ones, 0 for the most popular.
    #[must_use]
    pub fn rank(&self, name: &str) -> Option<u32> {
        self.popular.rank(name)
    }

    /// Whether the name is among the `top` most popular.
    #[must_use]
    pub fn is_popular(&self, name: &str, top: u32) -> bool {
        self.rank(name).is_some_and(|rank| rank < top)
    }

    /// How many popular names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.popular.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names that this one could be mistaken for, the most telling first, at most five. Nothing for
    /// a name that is itself popular or the operator's own (DETECTION section 5: drop pairs where
    /// both are popular). In a scope that is, where only its owner publishes, names are compared with
    /// their siblings alone.
    #[must_use]
    pub fn candidates(&self, name: &str) -> Vec<Lookalike> {
        let mut found = Vec::new();
        if self.is_listed(name) {
            return found;
        }
        if self.is_in_trusted_scope(name) {
            for (names, own) in [(Some(&self.popular), false), (self.own.as_ref(), true)] {
                if let Some(names) = names {
                    scopes::search_siblings(names, own, name, &mut found);
                }
            }
            return lookalike::best(found);
        }
        words::search(name, &mut found);
        for (names, own) in [(Some(&self.popular), false), (self.own.as_ref(), true)] {
            if let Some(names) = names {
                lookalike::search(names, own, name, &mut found);
            }
        }
        self.search_own_scopes(name, &mut found);
        lookalike::best(found)
    }

    /// Whether the name is one of the operator's own.
    #[must_use]
    pub fn is_own(&self, name: &str) -> bool {
        (self.is_own)(name)
    }

    /// Whether the name is popular, listed by the operator, or their own by a pattern.
    fn is_listed(&self, name: &str) -> bool {
        let listed = |own: &Compact| own.rank(name).is_some();
        self.popular.rank(name).is_some()
            || self.own.as_ref().is_some_and(listed)
            || self.is_own(name)
    }

    /// Whether the name is in a scope that is, where only its owner publishes.
    fn is_in_trusted_scope(&self, name: &str) -> bool {
        let Some(scope) = forms::split(name).0 else {
            return false;
        };
        let known = |names: &Compact| names.scope(scope).is_some();
        known(&self.popular)
            || self.own.as_ref().is_some_and(known)
            || self.own_scopes.iter().any(|own| own == scope)
    }

    /// An operator's scope is worth impersonating even before its packages are known by name.
    fn search_own_scopes(&self, name: &str, found: &mut Vec<Lookalike>) {
        let Some(scope) = forms::split(name).0 else {
            return;
        };
        for own in &self.own_scopes {
            if scopes::look_alike(scope, own) {
                found.push(Lookalike {
                    target: format!("@{own}"),
                    transformation: Transformation::NearScope,
                    strength: Strength::Fair,
                    rank: None,
                    trusted: Trusted::Own,
                });
            }
        }
    }
}
