//! Copies among tarballs and folders at hand: what is known here is all that they are compared with, and nothing is
//! fetched for it.

use weir_files::sketch::bands;
use weir_model::contents::Contents;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_signals::names::{Lookalike, Strength};
use weir_signals::{Alike, NearCopy};
use weir_store::KeptSketch;

use crate::engine::Engine;

use super::{COMPARED, nearest, percent};

impl Engine {
    /// What the code of something at hand resembles. Its name is what it says of itself, which nobody vouches for.
    /// Never fails: what could not be compared is named.
    pub(crate) async fn alike_at_hand(
        &self,
        name: Option<&PackageName>,
        contents: &Contents,
    ) -> Alike {
        let mut alike = Alike {
            bad: self.known_bad(contents).await,
            ..Alike::default()
        };
        let Some(sketch) = &contents.sketch else {
            return alike;
        };
        let near = match self.store.sketches_near(&bands(sketch), COMPARED).await {
            Ok(near) => near,
            Err(error) => {
                let what = "what was seen here before".to_owned();
                alike.not_compared.push((what, error.to_string()));
                return alike;
            }
        };
        let mut resembled = name.map_or_else(Vec::new, |it| self.names.candidates(it.as_str()));
        resembled.retain(|candidate| !candidate.is_mention());
        for (kept, share) in nearest(sketch, near) {
            let near = self.near_at_hand(name, &resembled, kept, share);
            alike.near.extend(near.await);
        }
        if let Some(gap) = self.not_at_hand(&resembled).await {
            alike.not_compared.push(gap);
        }
        alike
    }

    /// A sketch as a near copy, if it is one that tells something: of what was refused or listed, or of a popular
    /// package of another name.
    async fn near_at_hand(
        &self,
        name: Option<&PackageName>,
        resembled: &[Lookalike],
        kept: KeptSketch,
        share: f64,
    ) -> Option<NearCopy> {
        let other = PackageName::parse(&kept.name).ok()?;
        let is_other = name.is_none_or(|name| *name != other);
        if !kept.bad && (!is_other || self.rank(&other).is_none()) {
            return None;
        }
        let contents = match kept.bad {
            true => None,
            false => self.contents_at_hand(&other, &kept.version).await,
        };
        Some(NearCopy {
            percent: percent(share),
            lookalike: resembled.iter().any(|it| it.target == kept.name),
            // Whoever packed it is not known.
            shared_maintainer: false,
            refused: kept.bad.then_some(kept.why),
            name: kept.name,
            version: kept.version,
            contents,
        })
    }

    /// The contents of a release that was read here, as far as they are kept.
    async fn contents_at_hand(&self, name: &PackageName, version: &str) -> Option<Contents> {
        let upstream = self.upstreams.upstream_for(name).id();
        let kept = self.store.packument(name.as_str(), upstream).await;
        let packument = Packument::parse(name, kept.ok()??.raw).ok()?;
        let integrity = packument
            .manifest(version)?
            .ok()?
            .dist
            .best_integrity()?
            .to_string();
        self.store.contents(&integrity).await.ok()?
    }

    /// The package that the name resembles most, where it was not seen here and there is nothing to compare with. A
    /// weak likeness is no gap.
    async fn not_at_hand(&self, resembled: &[Lookalike]) -> Option<(String, String)> {
        let first = resembled.first()?;
        let is_package = PackageName::parse(&first.target).is_ok();
        if first.strength == Strength::Weak || !is_package {
            return None;
        }
        match self.store.sketched_version(&first.target).await {
            Ok(Some(_)) => None,
            Ok(None) => Some((
                first.target.clone(),
                "a tarball or folder is compared with what was seen here, and it was not"
                    .to_owned(),
            )),
            Err(error) => Some((first.target.clone(), error.to_string())),
        }
    }
}
