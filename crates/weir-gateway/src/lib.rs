#![doc = include_str!("../README.md")]

mod answer;
mod audit;
mod client;
mod connections;
mod crowd;
mod host;
mod packument;
mod passthrough;
mod refusal;
mod rendered;
mod route;
mod server;
pub mod session;
mod tarball;
mod untaken;
mod why;

pub use server::{Gateway, GatewayConfig, Running};
pub use session::{Session, Summary};
