//! The weir binary in a world of its own: a fake registry on loopback, a data folder that nobody
//! else uses, a scrubbed environment, a moment that stands still, and the real package managers.
//! One test program for all of it, so that it is linked once.

mod advisories;
mod audit;
mod audit_clients;
mod check;
mod clients;
mod diff;
mod files;
mod gate;
mod hostile;
mod inspect;
mod lifetime;
mod policy;
mod scenarios;
mod serve;
mod support;
mod upstream;
mod verify;
mod workers;
mod wrapper;
