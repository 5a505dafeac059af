//! The fake registry: what it holds and how a test steers it.

mod audit;
mod documents;
mod fault;
mod keys;
mod routes;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

pub use audit::Advisory;
pub use fault::Fault;

use crate::http_server::{Answer, Request, Server};
use crate::package::{Package, timestamp};
use crate::sigstore::{SigningKey, Sigstore};
use documents::View;
use shelf::{Shelf, Shelved};

/// Which kind of registry to imitate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// The public registry: both document forms, people, signatures, validators, audit, keys.
    #[default]
    Public,
    /// A bare mirror: one document for every `Accept`, only `latest` among the tags, `time` with
    /// `+00:00` and without `created` and `modified`, no people, no signatures, no validators, no
    /// audit (PROTOCOL 3.14).
    BareMirror,
}

pub(super) struct State {
    key: SigningKey,
    sigstore: &'static Sigstore,
    own: String,
    base: String,
    flavour: Flavour,
    now: Option<Timestamp>,
    shelves: BTreeMap<String, Shelf>,
    token: Option<String>,
    advisories: Vec<Advisory>,
    faults: Vec<Fault>,
    fixed: BTreeMap<String, Answer>,
}

impl State {
    fn view(&self) -> View<'_> {
        View {
            now: self.now,
            base: &self.base,
            key: &self.key,
            sigstore: self.sigstore,
        }
    }

    /// A package that exists at the registry's time.
    fn shelf(&self, name: &str) -> Option<&Shelf> {
        let shelf = self.shelves.get(name)?;
        shelf.exists(self.now).then_some(shelf)
    }

    fn release(&self, name: &str, version: &str) -> Option<(&Shelf, &Shelved)> {
        let shelf = self.shelf(name)?;
        Some((shelf, shelf.find(version, self.now)?))
    }
}

/// A registry on a loopback port, on its own thread, gone when dropped.
pub struct Registry {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Registry {
    /// Starts an empty registry with a fresh signing key. Without [`Registry::set_now`] every
    /// release is visible.
    ///
    /// # Panics
    /// When loopback cannot be bound.
    pub fn start() -> Registry {
        let (address, listener) = Server::bind();
        let own = format!("http://{address}/");
        let state = Arc::new(Mutex::new(State {
            key: keys::registry_key(),
            sigstore: Sigstore::of_process(),
            base: own.clone(),
            own,
            flavour: Flavour::Public,
            now: None,
            shelves: BTreeMap::new(),
            token: None,
            advisories: Vec::new(),
            faults: Vec::new(),
            fixed: BTreeMap::new(),
        }));
        let handler = {
            let state = state.clone();
            move |request: &Request| routes::handle(&mut lock(&state), request)
        };
        Registry {
            server: Server::serve(listener, Arc::new(handler)),
            state,
        }
    }

    /// The registry address with a closing slash, `http://127.0.0.1:<port>/`.
    pub fn url(&self) -> String {
        lock(&self.state).own.clone()
    }

    /// Puts a package on the shelf, replacing one of the same name.
    pub fn add(&self, package: Package) {
        let mut state = lock(&self.state);
        let shelf = Shelf::build(package, &state.key);
        state.shelves.insert(shelf.package.name.clone(), shelf);
    }

    /// Changes a package, for instance to publish another release, and rebuilds it. Packument edits
    /// of [`Registry::edit_packument`] stay.
    ///
    /// # Panics
    /// When there is no such package.
    pub fn update(&self, name: &str, change: impl FnOnce(Package) -> Package) {
        let mut state = lock(&self.state);
        let old = state.shelves.remove(name);
        let old = old.unwrap_or_else(|| panic!("no package {name} on the shelf"));
        let mut shelf = Shelf::build(change(old.package), &state.key);
        shelf.edits = old.edits;
        state.shelves.insert(name.into(), shelf);
    }

    /// Removes a package without a trace: 404 from now on.
    pub fn remove(&self, name: &str) {
        lock(&self.state).shelves.remove(name);
    }

    /// Sets the registry's time (RFC 3339): later releases do not exist yet.
    ///
    /// # Panics
    /// When `now` is not a timestamp.
    pub fn set_now(&self, now: &str) {
        self.set_now_at(timestamp(now));
    }

    /// Sets the registry's time.
    pub fn set_now_at(&self, now: Timestamp) {
        lock(&self.state).now = Some(now);
    }

    /// The time set, if any.
    pub fn now(&self) -> Option<Timestamp> {
        lock(&self.state).now
    }

    /// Chooses which kind of registry this is.
    pub fn set_flavour(&self, flavour: Flavour) {
        lock(&self.state).flavour = flavour;
    }

    /// Presents `dist.tarball` and attestation addresses under another origin, as a mirror does
    /// (`https://registry.example.invalid/`). Tarballs are still served here.
    ///
    /// # Panics
    /// When the address lacks its closing slash.
    pub fn present_tarballs_at(&self, base: &str) {
        assert!(base.ends_with('/'), "{base} needs a closing slash");
        lock(&self.state).base = base.into();
    }

    /// From now on every request but `/-/ping` needs `authorization: Bearer <token>`: 401 without.
    pub fn require_token(&self, token: &str) {
        lock(&self.state).token = Some(token.into());
    }

    /// Adds an advisory that the audit endpoints report.
    pub fn advise(&self, advisory: Advisory) {
        lock(&self.state).advisories.push(advisory);
    }

    /// Adds a fault. The newest matching one wins.
    pub fn fault(&self, fault: Fault) {
        lock(&self.state).faults.push(fault);
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        lock(&self.state).faults.clear();
    }

    /// Edits every packument document of a package before it goes out: a missing `time`, a version
    /// without `dist`, a field of the wrong type.
    ///
    /// # Panics
    /// When there is no such package.
    pub fn edit_packument(&self, name: &str, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        let mut state = lock(&self.state);
        let shelf = state.shelves.get_mut(name);
        let shelf = shelf.unwrap_or_else(|| panic!("no package {name} on the shelf"));
        shelf.edits.push(Arc::new(edit));
    }

    /// Serves fixed bytes at a decoded path, whatever the registry would have said: broken JSON, an
    /// HTML page, another key set.
    ///
    /// # Panics
    /// When the status is none.
    pub fn serve(
        &self,
        path: &str,
        status: u16,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) {
        let status = http::StatusCode::from_u16(status).expect("an HTTP status");
        let answer = Answer::new(status, content_type, body);
        lock(&self.state).fixed.insert(path.into(), answer);
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Requests whose decoded path matches a pattern of [`Fault::on`]'s kind.
    pub fn requests_to(&self, pattern: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| fault::glob(pattern, &request.path));
        requests
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.server.clear();
    }

    /// The full packument as it would be served now.
    pub fn packument(&self, name: &str) -> Option<Value> {
        let state = lock(&self.state);
        let shelf = state.shelf(name)?;
        Some(state.view().full(shelf))
    }

    /// What a verifier has to trust to believe the attestations of this process's registries, in the form
    /// of Sigstore's `trusted_root.json`.
    pub fn trusted_root(&self) -> String {
        lock(&self.state).sigstore.trusted_root()
    }

    /// A release's attestations as they would be served now; signed anew each time.
    pub fn attestations(&self, name: &str, version: &str) -> Option<Value> {
        let state = lock(&self.state);
        let (shelf, shelved) = state.release(name, version)?;
        state.view().attestations(shelf, shelved)
    }

    /// A release's tarball.
    pub fn tarball(&self, name: &str, version: &str) -> Option<Bytes> {
        let state = lock(&self.state);
        Some(state.release(name, version)?.1.tarball.clone())
    }

    /// A release's integrity, `sha512-...`.
    pub fn integrity(&self, name: &str, version: &str) -> Option<String> {
        let state = lock(&self.state);
        Some(state.release(name, version)?.1.integrity.clone())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
