#![doc = include_str!("../README.md")]

mod body;
mod certificate;
mod client;
mod clients;
mod config;
mod elsewhere;
mod error;
mod files;
mod named;
mod registry;
mod send;
mod tarball;
#[cfg(test)]
mod tests;

pub use client::{Limits, Options, Timeouts};
pub use config::{Environment, Guard, load_npmrc, load_npmrc_guarded, project_root};
pub use elsewhere::Elsewhere;
pub use error::{Fault, UNUSABLE, UpstreamError};
pub use files::{Fetched, Files};
pub use registry::{Conditional, Document, PackumentResponse, Upstream, Upstreams};
pub use tarball::{OwnRegistry, TarballStream};
pub use url::Url;
