#![doc = include_str!("../README.md")]

pub mod integrity;
pub mod lockfile;
pub mod manifest;
pub mod name;
pub mod node;
pub mod npmrc;
pub mod packument;
pub mod repository;
pub mod settings;
pub mod spec;
pub mod time;
pub mod tools;
pub mod version;

#[doc(hidden)]
pub mod fuzz;

mod json;
