//! Objects of packages that no table names, made with the address of another machine: what their methods
//! are given goes there. And less common ways to hand something to clients that are known.

use weir_model::contents::SourceKind;

use super::graph::{Atom, Call, Key, NONE, Name, Node, Rule};
use super::solve::Solver;
use crate::hash::Map;
use crate::tables::silent::is_silent;
use crate::tables::{calls, network, uploads, vaults};

/// Fields by which clients are told where to send.
const ADDRESSES: &[&str] = &[
    "dsn",
    "url",
    "uri",
    "host",
    "hostname",
    "endpoint",
    "baseUrl",
    "baseURL",
    "server",
    "servers",
    "broker",
    "brokers",
    "brokerUrl",
    "address",
    "apiHost",
    "apiUrl",
    "serverUrl",
    "connectionString",
    "node",
];
/// Beginnings of the names of functions that make a client.
const MAKES: [&str; 4] = ["create", "connect", "make", "init"];
/// Functions that tell a package where all of it sends.
const TELLS: [&str; 5] = ["init", "configure", "config", "setup", "connect"];
/// Packages whose requests are chains: what a method gives is the request itself.
const CHAINS: [&str; 2] = ["superagent", "wretch"];
/// Methods that end a chain.
const ENDS: [&str; 6] = ["json", "text", "blob", "res", "arrayBuffer", "formData"];
/// What a client's settings are for every request.
const DEFAULTS: &str = "pkg:axios.defaults.";
/// Stands for a request of the client whose settings are changed.
const REQUEST: &str = "pkg:axios.request.settings";
/// Purpose of the requests that settings stand for.
const SET: u8 = 13;
/// Most packages whose addresses are kept.
const PACKAGES: usize = 64;

/// Hosts that packages were told, by the packages' names.
#[derive(Debug, Default)]
pub(super) struct Told(Map<String, String>);

/// The name of the package and the last name of a called function of one that no table names.
fn unnamed(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("pkg:")?;
    let (name, member) = network::split_package(rest);
    let is_named = network::is_client(name)
        || is_silent(name)
        || uploads::of(path).is_some()
        || uploads::client(path).is_some()
        || vaults::of(path).is_some()
        || calls::RUNS_COMMAND.contains(&path);
    let last = member.rsplit('.').next().unwrap_or_default();
    (!is_named).then_some((name, last))
}

/// The host of an address that begins with what kind of address it is.
fn host_of_address(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once("://")?;
    let is_scheme = !scheme.is_empty()
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let host = network::host_of(text).filter(|_| is_scheme)?;
    (!network::is_local(&host) && !host.contains(super::UNKNOWN)).then_some(host)
}

/// The same, or a bare name of a machine.
fn host_in_field(text: &str) -> Option<String> {
    let bare = || {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let (_, last) = text.rsplit_once('.')?;
        let is_host = text.chars().all(is_name) && last.starts_with(|c: char| c.is_alphabetic());
        (is_host && !network::is_local(text)).then(|| text.to_owned())
    };
    host_of_address(text).or_else(bare)
}

impl Solver<'_> {
    fn unnamed_callee(&self, call: &Call) -> Option<(String, String)> {
        self.graph
            .atoms(call.callee)
            .iter()
            .find_map(|(atom, _)| match atom {
                Atom::Builtin(path) => {
                    let path = self.graph.name(*path);
                    let (name, last) = unnamed(&path)?;
                    Some((name.to_owned(), last.to_owned()))
                }
                _ => None,
            })
    }

    /// The host of another machine that a call tells a package.
    fn told_host(&self, call: &Call) -> Option<String> {
        let of_node = |node: Node, host: fn(&str) -> Option<String>| {
            self.known_texts(node).iter().find_map(|text| host(text))
        };
        let direct = |&(node, _): &(Node, bool)| of_node(node, host_of_address);
        let found = call.arguments.iter().find_map(direct);
        found.or_else(|| {
            let fields = self.fields_given(call, ADDRESSES);
            fields.into_iter().find_map(|field| {
                let listed = self.listed(field).into_iter().flatten().take(4);
                let mut listed = listed.map(|(node, _)| node);
                of_node(field, host_in_field)
                    .or_else(|| listed.find_map(|node| of_node(node, host_in_field)))
            })
        })
    }

    /// The host that a client of a package nobody knows is made with.
    pub(super) fn client_made(&self, call: &Call) -> Option<String> {
        let (_, last) = self.unnamed_callee(call)?;
        let makes = call.is_new
            || last.is_empty()
            || last == "default"
            || MAKES.iter().any(|make| last.starts_with(make));
        makes.then(|| self.told_host(call)).flatten()
    }

    /// Notes what a call tells a package of addresses, and whether it gives a client.
    pub(super) fn tells_client(&mut self, id: u32, call: &Call) {
        if self.client_made(call).is_none() {
            return;
        }
        let atom = self.instance(id);
        self.graph.add(call.out, atom, NONE);
        if let Some((package, last)) = self.unnamed_callee(call)
            && TELLS.contains(&last.as_str())
            && self.told_packages.0.len() < PACKAGES
            && let Some(host) = self.told_host(call)
        {
            self.told_packages.0.entry(package).or_insert(host);
        }
    }

    /// The host that all of a package was told.
    pub(super) fn told_package(&self, path: &str) -> Option<String> {
        if self.told_packages.0.is_empty() {
            return None;
        }
        let (package, last) = unnamed(path)?;
        let host = self.told_packages.0.get(package)?;
        (!TELLS.contains(&last)).then(|| host.clone())
    }

    /// The call that made a client nobody knows.
    fn unnamed_client(&self, atom: Atom) -> Option<&Call> {
        let Atom::Instance(instance) = atom else {
            return None;
        };
        let rule = *self.instances.get(instance as usize)?;
        match self.graph.rules.get(rule as usize)? {
            Rule::Call(made) if self.unnamed_callee(made).is_some() => Some(&**made),
            _ => None,
        }
    }

    /// Whether a node holds such a client.
    pub(super) fn is_unnamed_client(&self, node: Node) -> bool {
        let mut atoms = self.graph.atoms(node).iter();
        atoms.any(|(atom, _)| self.unnamed_client(*atom).is_some())
    }

    /// What a method of a client gives is part of the client: a database, a collection, a longer chain.
    pub(super) fn stays_client(&mut self, name: &str, call: &Call) {
        for atom in self.graph.held(call.receiver) {
            let Atom::Instance(instance) = atom else {
                continue;
            };
            let is_chain = !ENDS.contains(&name)
                && self.is_made_by(instance, |path| {
                    let rest = path.strip_prefix("pkg:").unwrap_or_default();
                    CHAINS.contains(&network::split_package(rest).0)
                });
            if is_chain || self.unnamed_client(atom).is_some() {
                self.graph.add(call.out, atom, call.receiver);
            }
        }
    }

    /// A request that a client makes of what its settings hold.
    fn requests(&mut self, id: u32, at: (u32, u32), sent: &[Node]) {
        if self.redirected.contains(&(id, SET)) {
            return;
        }
        let callee = self.graph.node(at.0, at.1);
        self.give(callee, REQUEST);
        let request = Call {
            callee,
            receiver: NONE,
            method: None,
            arguments: sent.iter().map(|&node| (node, false)).collect(),
            out: NONE,
            is_new: false,
            file: at.0,
            offset: at.1,
        };
        self.redirect(id, SET, request);
    }

    /// `client.interceptors.request.use(settings => …)`, `{ transformRequest: [() => …] }`: what these give,
    /// and what they put into what they are given, is sent.
    pub(super) fn changes_requests(&mut self, id: u32, path: &str, call: &Call) {
        // One that stands for settings is not made of settings again.
        if path == REQUEST || self.redirected.contains(&(id, SET)) {
            return;
        }
        let mut functions = Vec::new();
        if path.ends_with("interceptors.request.use") {
            functions = self.functions(Self::argument(call, 0));
        } else if path.starts_with("pkg:axios") {
            for field in self.fields_given(call, &["transformRequest"]) {
                functions.extend(self.functions(field));
                for (node, _) in self.listed(field).into_iter().flatten() {
                    functions.extend(self.functions(node));
                }
            }
        }
        let Some(&function) = functions.first() else {
            return;
        };
        let settings = self.made(id, SET);
        let parameter = self.parameter(function, 0);
        self.graph.add(parameter, Atom::Object(settings), NONE);
        let mut sent = vec![parameter];
        sent.extend(call.arguments.iter().map(|(node, _)| *node));
        sent.extend(functions.iter().map(|&function| self.result(function)));
        self.requests(id, (call.file, call.offset), &sent);
    }

    /// `client.defaults.headers.common.x = value`
    pub(super) fn changes_defaults(&mut self, path: &str, names: &[Name], value: Node) {
        if !path.starts_with(DEFAULTS) {
            return;
        }
        let id = self.current;
        if self.redirected.contains(&(id, SET)) {
            return;
        }
        let settings = self.made(id, SET);
        for &name in names {
            let field = self.graph.field(settings, name);
            self.graph.copy(value, field);
        }
        let place = self.graph.place(value);
        let node = self.graph.node(place.0, place.1);
        self.graph.add(node, Atom::Object(settings), NONE);
        if place.0 != u32::MAX {
            self.requests(id, place, &[node]);
        }
    }

    /// `Deno.env.toObject()`, `Deno.env.get(name)`
    pub(super) fn environment_of_deno(&mut self, id: u32, path: &str, call: &Call) {
        let kind = SourceKind::Environment;
        let source = self.graph.source(kind, "Deno.env", call.file, call.offset);
        if path == "Deno.env.toObject" {
            self.graph.add(call.out, Atom::Environment(source), NONE);
            return;
        }
        let holder = self.made(id, 0);
        let all = self.graph.any(holder);
        self.graph.add(all, Atom::Environment(source), NONE);
        self.derive(Rule::Member {
            object: all,
            key: Key::Node(Self::argument(call, 0)),
            out: call.out,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{host_in_field, host_of_address, unnamed};

    #[test]
    fn addresses_name_other_machines() {
        for (text, host) in [
            ("mongodb+srv://u:p@c0.invalid/x", Some("c0.invalid")),
            ("mqtt://broker.invalid", Some("broker.invalid")),
            ("redis://localhost:6379", None),
            ("see https://docs.example", None),
            ("cache.invalid", None),
        ] {
            assert_eq!(host_of_address(text).as_deref(), host, "{text}");
        }
        for (text, host) in [
            ("cache.invalid", Some("cache.invalid")),
            ("localhost", None),
            ("127.0.0.1", None),
            ("1.2", None),
            ("a b.c", None),
            ("./x.js", None),
        ] {
            assert_eq!(host_in_field(text).as_deref(), host, "{text}");
        }
    }

    #[test]
    fn known_packages_are_left_to_their_tables() {
        assert_eq!(unnamed("pkg:mqtt.connect"), Some(("mqtt", "connect")));
        assert_eq!(unnamed("pkg:axios.post"), None);
        assert_eq!(unnamed("pkg:debug.red"), None);
        assert_eq!(unnamed("fetch"), None);
    }
}
