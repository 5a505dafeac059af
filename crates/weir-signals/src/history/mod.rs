//! Signals over a release next to those before it.

pub(crate) mod build_source;
pub(crate) mod dormant_revival;
pub(crate) mod many_lines_patched;
pub(crate) mod new_binary;
pub(crate) mod new_capability;
pub(crate) mod new_dependency;
pub(crate) mod new_flow;
pub(crate) mod new_host;
pub(crate) mod new_install_script;
pub(crate) mod new_obfuscation;
pub(crate) mod odd_version;
pub(crate) mod own_shrinkwrap;
pub(crate) mod provenance_change;
pub(crate) mod remote_dependency;
pub(crate) mod replaced_release;
pub(crate) mod shadowed_tool;
pub(crate) mod shared_addition;
pub(crate) mod size_jump;
pub(crate) mod tag_move;
pub(crate) mod trust_downgrade;
pub(crate) mod unusual_burst;
pub(crate) mod unusual_timing;
pub(crate) mod vanished_versions;
pub(crate) mod young_in_tree;
pub(crate) mod young_release;
