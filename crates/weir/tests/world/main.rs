//! The weir binary in a world of its own: a fake registry on loopback, a data folder that nobody
//! else uses, a scrubbed environment, a moment that stands still, and the real package managers.
//! One test program for all of it, so that it is linked once.

mod addresses;
mod advisories;
mod audit;
mod audit_clients;
mod audit_fixes;
mod audit_lockfiles;
mod audit_unread;
mod baseline;
mod check;
mod check_base;
mod check_declared;
mod check_local;
mod check_online;
mod check_reports;
mod check_settings;
mod clients;
mod decide;
mod diff;
mod downloads;
mod excuses;
mod expectations;
mod files;
mod gate;
mod hostile;
mod inspect;
mod known_bad;
mod lifetime;
mod listings;
mod names;
mod pieces;
mod policy;
mod sbom;
mod scenarios;
mod serve;
mod support;
mod trust;
mod unread;
mod unread_orders;
mod upstream;
mod verify;
mod why;
mod workers;
mod wrapper;
