#![doc = include_str!("../README.md")]

pub mod clients;
mod http_server;
mod package;
mod payloads;
mod project;
mod registry;
pub mod samples;
pub mod scenarios;
pub mod sigstore;
mod sink;
pub mod tarball;
mod tls;
mod version_order;

pub use http_server::Request;
pub use package::{Package, Provenance, Release};
pub use project::Project;
pub use registry::{Advisory, Fault, Flavour, Registry};
pub use sink::Sink;
pub use tls::{TlsAuthority, TlsIdentity};
