//! Names that are yours, and the registry that is not told them.

use weir_npm::name::PackageName;
use weir_policy::Policy;
use weir_upstream::Upstreams;

/// Whether a name is yours (`names.own`, `names.internal`) and would be asked about at the default registry.
/// What that has under such a name may be anybody's, and the name itself may be a secret.
pub(super) fn is_withheld(policy: &Policy, upstreams: &Upstreams, name: &PackageName) -> bool {
    let default = upstreams.default_upstream().id();
    policy.names.is_own(name.as_str()) && upstreams.upstream_for(name).id() == default
}

/// Why nothing is known of such a package.
pub(super) const WITHHELD: &str = "its name is yours (names.own, names.internal), and the default registry is \
                                   not asked about it";

/// What to do, so that they can be asked about.
pub(super) const NAME_THEIR_REGISTRY: &str =
    "name the registry of their scope in .npmrc (`@scope:registry`): then it is asked about them";
