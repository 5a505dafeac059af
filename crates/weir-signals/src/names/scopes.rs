//! Readings of a scope: near a trusted one, added to a name, exchanged, or named after a package.

use super::compact::Compact;
use super::lookalike::{
    Add, Lookalike, SHORT, Strength, Transformation, Trusted, WELL_KNOWN, weigh_edit,
};
use super::{forms, near};

/// Packages of a scope in the index, from which on the scope itself is a name people trust.
const KNOWN_SCOPE: u32 = 3;

/// Words of a scope that claim to be the real thing.
const CLAIMS: [&str; 12] = [
    "official", "sdk", "team", "org", "inc", "labs", "dev", "hq", "npm", "packages", "js", "io",
];

/// Adds what the scope of a name could be mistaken for. `own` is set for an operator's own names.
pub(super) fn search(names: &Compact, own: bool, name: &str, add: Add<'_>) {
    let (Some(scope), base) = forms::split(name) else {
        return;
    };
    search_near(names, scope, base, add);
    search_affixed(names, scope, base, add);
    search_moved(names, own, scope, base, add);
    search_brand(names, scope, add);
}

/// `@tan-stack/x`, `@tanstak/x`.
fn search_near(names: &Compact, scope: &str, base: &str, add: Add<'_>) {
    let mut near: Vec<String> = names.scopes_like(scope).map(str::to_owned).collect();
    // What a letter less leaves of five is often a word: it tells less, but of `@types`, where all the names are
    // those of other packages.
    let short = scope.len() == SHORT;
    if scope.len() >= SHORT {
        near.extend(names.scopes_one_slip_from(scope).map(str::to_owned));
    }
    near.retain(|trusted| trusted.len() > SHORT && trusted != scope);
    for trusted in near {
        let chance = short && trusted != "types";
        let sibling = format!("@{trusted}/{base}");
        if names.rank(&sibling).is_some() {
            let strength = if chance {
                Strength::Fair
            } else {
                Strength::Strong
            };
            add(&sibling, Transformation::NearScope, strength);
        } else if is_known(names, &trusted) {
            let strength = if chance {
                Strength::Weak
            } else {
                Strength::Fair
            };
            add(&format!("@{trusted}"), Transformation::NearScope, strength);
        }
    }
}

/// `@tanstack-sdk/x`: a trusted scope and a word more.
fn search_affixed(names: &Compact, scope: &str, base: &str, add: Add<'_>) {
    for word in words(scope).filter(|word| word.len() > SHORT && *word != scope) {
        let sibling = format!("@{word}/{base}");
        if names.rank(&sibling).is_some() {
            add(&sibling, Transformation::AffixedScope, Strength::Fair);
        } else if claimed(scope) == Some(word) && is_known(names, word) {
            add(
                &format!("@{word}"),
                Transformation::AffixedScope,
                Strength::Weak,
            );
        }
    }
}

/// `@someone/express`, `@someone/core-tracing`: the whole name in another place. Forks are named like
/// this too; an operator's own telling names are not for others to fork.
fn search_moved(names: &Compact, own: bool, scope: &str, base: &str, add: Add<'_>) {
    let strength = if own && base.len() > 2 * SHORT {
        Strength::Fair
    } else {
        Strength::Weak
    };
    let known = names
        .rank(base)
        .is_some_and(|rank| base.len() > SHORT && (own || rank < WELL_KNOWN));
    if known {
        let claims = claimed(scope).is_some_and(|brand| forms::squashed(base) == brand);
        if claims {
            add(base, Transformation::BrandScope, strength);
        } else {
            add(base, Transformation::AddedScope, strength);
        }
    } else if let Some(target) = names.by_base(base)
        && forms::split(target).0 != Some(scope)
    {
        add(target, Transformation::SwappedScope, strength);
    }
}

/// `@express-official/anything`: the scope of a package that has none.
fn search_brand(names: &Compact, scope: &str, add: Add<'_>) {
    let Some(brand) = claimed(scope).filter(|brand| brand.len() > SHORT && *brand != scope) else {
        return;
    };
    let known = names.rank(brand).is_some_and(|rank| rank < WELL_KNOWN);
    if known && names.scope(brand).is_none() {
        add(brand, Transformation::BrandScope, Strength::Weak);
    }
}

fn words(scope: &str) -> impl Iterator<Item = &str> {
    scope.split(['-', '_', '.'])
}

/// The one word of a scope that is no claim: `tanstack` in `tanstack-official`, the scope itself where
/// it is one word.
fn claimed(scope: &str) -> Option<&str> {
    let mut brands = words(scope).filter(|word| !CLAIMS.contains(word));
    let brand = brands.next()?;
    brands.next().is_none().then_some(brand)
}

fn is_known(names: &Compact, scope: &str) -> bool {
    names
        .scope(scope)
        .is_some_and(|entry| entry.packages >= KNOWN_SCOPE)
}

/// Siblings of a name within its scope, where only its owners publish: case, other delimiters, letters that look
/// alike, a single slip. All are weak, as it takes an owner or the owner's account to publish there. `@types`
/// mirrors other names, however near those are to each other. `own` is set for an operator's own names.
pub(super) fn search_siblings(names: &Compact, own: bool, name: &str, found: &mut Vec<Lookalike>) {
    let (Some(scope), base) = forms::split(name) else {
        return;
    };
    if scope == "types" || base.len() < SHORT {
        return;
    }
    let mut add = |target: &str, transformation| {
        found.push(Lookalike {
            target: target.to_owned(),
            transformation,
            strength: Strength::Weak,
            rank: names.rank(target).filter(|_| !own),
            trusted: if own { Trusted::Own } else { Trusted::Popular },
        });
    };
    let is_sibling = |target: &&str| forms::split(target).0 == Some(scope) && *target != name;
    let or_case = |target: &str, other| match name.eq_ignore_ascii_case(target) {
        true => Transformation::SiblingCase,
        false => other,
    };
    let flat = names.by_squashed(&forms::squashed(name));
    if let Some(target) = flat.filter(is_sibling)
        && base.len() > SHORT
    {
        add(target, or_case(target, Transformation::Sibling));
    }
    let seen = names.by_skeleton(&forms::skeleton(name));
    if let Some(target) = seen.filter(is_sibling) {
        add(target, or_case(target, Transformation::SiblingHomoglyph));
    }
    let lead = format!("@{scope}/");
    for target in names.siblings_one_slip_from(name) {
        if is_slip(names, &lead, base, forms::split(target).1) {
            add(target, Transformation::SiblingSlip);
        }
    }
}

/// Whether the one edit between two bases of a scope is a slip rather than how honest names differ. Few
/// names make a scope, so that bases of four letters (`core`) are compared too, unless by a letter more.
fn is_slip(names: &Compact, lead: &str, base: &str, target: &str) -> bool {
    let Some((transformation, _)) = weigh_edit(names, lead, base, target) else {
        return false;
    };
    let added = matches!(
        transformation,
        Transformation::AddedCharacter | Transformation::NeighbouringKey | Transformation::Plural
    );
    target.len() > SHORT || (target.len() == SHORT && !added)
}

/// Whether one scope reads like the other: without delimiters, to a hurried eye, or after one slip.
pub(super) fn look_alike(scope: &str, trusted: &str) -> bool {
    if scope == trusted || trusted.len() <= SHORT {
        return false;
    }
    forms::squashed(scope) == forms::squashed(trusted)
        || forms::skeleton(scope) == forms::skeleton(trusted)
        || near::is_one_slip(scope, trusted)
}
