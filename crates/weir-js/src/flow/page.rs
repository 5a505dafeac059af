//! What a page keeps: its cookies and its storage. A library reads an item of its own and sends that; who
//! sends all of it takes what belongs to others.
//!
//! So these are no data where they are read, but where the whole of them is sent, listed or put into an
//! address. What is split, searched or parsed is an item, and stays unsaid.

use weir_model::contents::SourceKind;

use super::graph::{Atom, Call, Graph, NONE, Name, Node, Use};
use super::sinks::Sink;
use super::solve::Solver;
use crate::tables::network;

/// All cookies as one text.
pub(super) const COOKIES: &str = "document.cookie";
/// Storage of a page, as the objects that hold it.
const STORAGE: [&str; 2] = ["localStorage", "sessionStorage"];

/// Most fields of an object that are looked into.
const FIELDS: usize = 32;
/// Deepest object in an object that is.
const DEPTH: u8 = 2;

/// Whether a source is what a page keeps, by its detail.
fn is_of_page(detail: &str) -> bool {
    detail == COOKIES
        || STORAGE.contains(&detail)
        || matches!(
            detail,
            super::overheard::ALL_COOKIES | super::overheard::APP_STORAGE
        )
}

impl Graph {
    /// `{ ...localStorage }`: all that is stored, in an object. `from` is what was spread.
    pub(super) fn storage_listed(&mut self, object: u32, atom: Atom, from: Node) {
        let Atom::Builtin(path) = atom else {
            return;
        };
        let path = self.name(path);
        let (file, offset) = self.place(from);
        if file == u32::MAX || !STORAGE.contains(&&*path) {
            return;
        }
        let source = self.source(SourceKind::WalletOrProfile, &path, file, offset);
        let spread = self.spread(object);
        self.add(spread, Atom::Taint(source), from);
    }
}

impl Solver<'_> {
    /// A call that takes, or sends, all that a page keeps.
    pub(super) fn page_data(&mut self, path: &str, call: &Call) {
        match path {
            "JSON.stringify" | "Object.entries" | "Object.values" | "Object.assign" => {
                for name in STORAGE {
                    self.listed_storage(name, call);
                }
                if path == "JSON.stringify" {
                    self.encoded_cookies(call);
                }
            }
            "encodeURIComponent" | "encodeURI" | "escape" | "btoa" | "URLSearchParams" => {
                self.encoded_cookies(call);
            }
            _ if network::call(path).is_some() => self.sent_cookies(call),
            _ => {}
        }
    }

    /// `socket.send(document.cookie)`, of something that was made to carry it.
    pub(super) fn page_data_sent(&mut self, name: &str, call: &Call) {
        let carries = |(atom, _): &(Atom, Node)| matches!(atom, Atom::Instance(_));
        if network::SENDS.contains(&name) && self.graph.atoms(call.receiver).iter().any(carries) {
            self.sent_cookies(call);
        }
    }

    fn listed_storage(&mut self, name: &str, call: &Call) {
        let Some(known) = self.graph.known(name) else {
            return;
        };
        let holds = |(atom, _): &(Atom, Node)| *atom == Atom::Builtin(known);
        let mut arguments = call.arguments.iter();
        if arguments.any(|(node, _)| self.graph.atoms(*node).iter().any(holds)) {
            let source = self.page_source(name, call.file, call.offset);
            self.graph.add(call.out, Atom::Taint(source), NONE);
        }
    }

    fn encoded_cookies(&mut self, call: &Call) {
        if !self.cookies_in(Self::argument(call, 0), 0).is_empty() {
            let source = self.page_source(COOKIES, call.file, call.offset);
            self.graph.add(call.out, Atom::Taint(source), NONE);
        }
    }

    /// What is sent whole is data from then on.
    fn sent_cookies(&mut self, call: &Call) {
        for &(argument, _) in &call.arguments {
            for node in self.cookies_in(argument, 0) {
                // Fields have no place of their own.
                let (file, offset) = match self.graph.place(node) {
                    (u32::MAX, _) => (call.file, call.offset),
                    place => place,
                };
                let source = self.page_source(COOKIES, file, offset);
                self.graph.add(node, Atom::Taint(source), NONE);
            }
        }
    }

    /// Cookies that text is put around: an address, or a name for them. `'; ' + document.cookie` is how
    /// one of them is looked for.
    pub(super) fn joined_cookies(&mut self, parts: &[Node], out: Node) {
        if self.graph.known(COOKIES).is_none() {
            return;
        }
        let holds = |node: &Node| !self.cookies_in(*node, DEPTH).is_empty();
        if !parts.iter().any(holds) {
            return;
        }
        let mut texts = parts.iter().flat_map(|&part| self.known_texts(part));
        if texts.any(|text| text.contains(|c: char| c.is_ascii_alphanumeric())) {
            let (file, offset) = self.graph.place(out);
            let source = self.page_source(COOKIES, file, offset);
            self.graph.add(out, Atom::Taint(source), NONE);
        }
    }

    /// The nodes that hold all cookies, in a value and the fields of an object.
    fn cookies_in(&self, node: Node, depth: u8) -> Vec<Node> {
        let Some(cookies) = self.graph.known(COOKIES) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (atom, _) in self.graph.atoms(node) {
            match atom {
                Atom::Builtin(path) if *path == cookies => found.push(node),
                Atom::Object(object) if depth < DEPTH => {
                    let Some(object) = self.graph.objects.get(*object as usize) else {
                        continue;
                    };
                    if object.fields.len() > FIELDS {
                        continue;
                    }
                    let mut fields: Vec<Node> = object.fields.values().copied().collect();
                    fields.sort_unstable();
                    for field in fields {
                        found.extend(self.cookies_in(field, depth + 1));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Whether a value goes on into a variable, a field or an object.
    pub(super) fn is_kept(&self, node: Node) -> bool {
        let mut uses = self.graph.uses(node).iter();
        uses.any(|one| matches!(one, Use::Copy(_) | Use::Part(..)))
    }

    /// Whether names pick one item of all that a page stores. Pieces of a list have numbers.
    pub(super) fn picks_item(&self, source: u32, names: &[Name]) -> bool {
        let is_stored = self
            .graph
            .sources
            .get(source as usize)
            .is_some_and(|found| {
                found.kind == SourceKind::WalletOrProfile
                    && STORAGE.contains(&found.detail.as_str())
            });
        let is_number = |name: &Name| {
            self.graph
                .name(*name)
                .starts_with(|c: char| c.is_ascii_digit())
        };
        is_stored && !names.is_empty() && !names.iter().any(is_number)
    }

    fn page_source(&mut self, name: &str, file: u32, offset: u32) -> u32 {
        let kind = SourceKind::WalletOrProfile;
        self.graph.source(kind, name, file, offset)
    }

    /// Whether what a page keeps would only go home: to no host that the code names, to the machine
    /// itself, or as the login of a request.
    pub(super) fn stays_with_page(&self, detail: &str, sink: &Sink, is_login: bool) -> bool {
        let host = sink.host.as_deref();
        let is_named = host.is_some_and(|host| {
            !host.contains(super::UNKNOWN) && host.contains('.') && !network::is_local(host)
        });
        is_of_page(detail) && (!is_named || is_login || sink.is_guessed)
    }
}
