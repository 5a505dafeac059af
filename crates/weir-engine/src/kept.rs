//! What is known of releases without asking anybody: verdicts and contents in the data folder.

use weir_model::{Contents, Difference, Finding};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;

use crate::{Engine, EngineError, Side, Verdict};

impl Engine {
    /// The verdict on a release, if one is kept that was decided under the present policy, advisories and
    /// analyser. A hold that has ended meanwhile is still in it.
    ///
    /// # Errors
    /// When the data folder cannot be read.
    pub async fn kept_verdict(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Option<Verdict>, EngineError> {
        let generation = self.verdict_generation(name);
        let json = self
            .store()
            .verdict(name.as_str(), version, &generation)
            .await
            .map_err(|error| EngineError::Store(error.to_string()))?;
        // What cannot be understood counts as absent, as everywhere.
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// The contents of a tarball, if it was read before.
    ///
    /// # Errors
    /// When the data folder cannot be read.
    pub async fn kept_contents(
        &self,
        integrity: &Integrity,
    ) -> Result<Option<Contents>, EngineError> {
        self.store()
            .contents(&integrity.to_string())
            .await
            .map_err(|error| EngineError::Store(error.to_string()))
    }

    /// What is different between two releases whose contents are at hand, and what the signals that compare
    /// releases say of it.
    #[must_use]
    pub fn changes<'s>(&self, before: &'s Side, after: &'s Side) -> (Difference<'s>, Vec<Finding>) {
        let difference = Difference::between(&before.contents, &after.contents);
        (difference, self.compare(before, after))
    }
}
