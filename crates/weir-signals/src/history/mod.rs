//! Signals over a release next to those before it.

pub(crate) mod new_install_script;
pub(crate) mod remote_dependency;
pub(crate) mod young_release;
