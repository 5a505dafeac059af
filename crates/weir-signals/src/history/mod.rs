//! Signals over a release next to those before it.

pub(crate) mod new_binary;
pub(crate) mod new_capability;
pub(crate) mod new_flow;
pub(crate) mod new_host;
pub(crate) mod new_install_script;
pub(crate) mod new_obfuscation;
pub(crate) mod remote_dependency;
pub(crate) mod shared_addition;
pub(crate) mod size_jump;
pub(crate) mod young_release;
