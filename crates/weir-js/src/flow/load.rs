//! What loading a module gives, whichever way it is loaded: files, modules of a bundle, workers, JSON.

use weir_model::contents::SourceKind;

use super::graph::{Atom, Call, Key, NONE, Node, Rule, TEXT_BYTES};
use super::lower::CHUNK;
use super::solve::Solver;
use super::text;

/// The file that a package is entered by, where nothing else is known of it.
const ENTRY: &str = "/index.js";

/// Most values of a JSON constant that are kept.
const PARSED: usize = 200;

/// Words by which packages name the platform that they are for.
const PLATFORMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "freebsd",
    "linux",
    "linuxmusl",
    "macos",
    "netbsd",
    "openbsd",
    "sunos",
    "win32",
    "windows",
];

/// Whether a word of a package's name is a platform.
fn names_platform(name: &str) -> bool {
    name.split(['-', '_', '.'])
        .any(|word| PLATFORMS.contains(&word))
}

/// The global field that stands for what workers are given. No program can name it.
pub(crate) const WORKER_DATA: &str = "worker data";

/// The path of a loaded module that is not a file of the package.
fn module(specifier: &str) -> Option<String> {
    let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
    if let Some(module) = weir_npm::node::module(specifier) {
        return Some(match module {
            "process" => "process".to_owned(),
            "module" => "Module".to_owned(),
            _ => format!("node:{module}"),
        });
    }
    match bare {
        // Drop-in replacements of Node's own.
        "fs-extra" | "graceful-fs" | "mz/fs" | "memfs_" => Some("node:fs".to_owned()),
        "write-file-atomic" => Some("node:fs.writeFile".to_owned()),
        "follow-redirects" => None,
        "cross-spawn-promise" => Some("pkg:cross-spawn".to_owned()),
        "isomorphic-ws" | "ws" => Some("WebSocketPackage".to_owned()),
        // The browser's request, for Node.
        "xhr2" => Some("XMLHttpRequest".to_owned()),
        "xmlhttprequest" | "xmlhttprequest-ssl" => Some("XMLHttpRequestPackage".to_owned()),
        "" => None,
        other if other.len() < 128 => Some(format!("pkg:{other}")),
        _ => None,
    }
}

impl Solver<'_> {
    /// A loader of webpack's, or one of its helpers.
    pub(super) fn bundled(&mut self, id: u32, path: &str, call: &Call) -> bool {
        let first = Self::argument(call, 0);
        match path.rsplit_once('.').map(|(_, helper)| helper) {
            None => {
                for key in self.known_texts(first) {
                    let exports = self.graph.bundled_exports(path, &key);
                    self.graph.copy(exports, call.out);
                    self.link_other_files(path, &key, call);
                }
            }
            // `load.e(747)`: the file that holds those modules.
            Some("e") => {
                for key in self.known_texts(first) {
                    if let Some(file) = self.modules.chunk(call.file, &key) {
                        self.loaded(call.file, file);
                    }
                }
            }
            // `load.d(exports, { name: () => value })`
            Some("d") => {
                self.defined_in_turn(first, Self::argument(call, 1));
                for atom in self.graph.held(Self::argument(call, 1)) {
                    let Atom::Object(object) = atom else {
                        continue;
                    };
                    let getters: Vec<_> =
                        self.graph
                            .objects
                            .get(object as usize)
                            .map_or_else(Vec::new, |found| {
                                found
                                    .fields
                                    .iter()
                                    .map(|(&name, &node)| (name, node))
                                    .collect()
                            });
                    for (name, getter) in getters {
                        for function in self.functions(getter) {
                            let value = self.result(function);
                            self.derive(Rule::Store {
                                object: first,
                                key: Key::Name(name),
                                value,
                            });
                        }
                    }
                }
            }
            // `load.n(module)` gives a function that gives the module, or its default.
            Some("n") => {
                if !self.made.contains_key(&(id, 0)) {
                    let function = u32::try_from(self.graph.functions.len()).unwrap_or(u32::MAX);
                    let result = self.graph.node(u32::MAX, 0);
                    self.graph.functions.push(super::graph::Function {
                        result,
                        ..super::graph::Function::default()
                    });
                    self.made.insert((id, 0), function);
                    let name = self.graph.intern("default");
                    self.graph.copy(first, result);
                    self.derive(Rule::Member {
                        object: first,
                        key: Key::Name(name),
                        out: result,
                    });
                    self.graph.add(call.out, Atom::Function(function), NONE);
                    // `x.a` is the same as `x()`.
                    let statics = self.graph.statics(function);
                    let short = self.graph.intern("a");
                    let field = self.graph.field(statics, short);
                    self.graph.copy(result, field);
                }
            }
            Some(_) => {}
        }
        true
    }

    /// Modules of webpack's later files, for bundles, and the other way round.
    fn link_other_files(&mut self, path: &str, key: &str, call: &Call) {
        if self.graph.known(CHUNK).is_none() {
            return;
        }
        let others: Vec<String> = match path == CHUNK {
            true => {
                let loaders = self.graph.loaders.iter();
                loaders
                    .map(|name| self.graph.name(*name).to_string())
                    .collect()
            }
            false => vec![CHUNK.to_owned()],
        };
        for other in others.iter().filter(|other| *other != path) {
            let exports = self.graph.bundled_exports(other, key);
            self.graph.copy(exports, call.out);
        }
    }

    /// `load.d(exports, ["name", () => value, "other", 0, value])`, as newer bundles say it.
    fn defined_in_turn(&mut self, exports: Node, list: Node) {
        let list: Vec<Node> = self
            .listed(list)
            .into_iter()
            .flatten()
            .map(|(node, _)| node)
            .collect();
        let mut rest = list.as_slice();
        while let [name, one, tail @ ..] = rest {
            let is_value = self.known_texts(*one).iter().any(|text| text == "0");
            let key = Key::Node(*name);
            let values: Vec<Node> = match (is_value, tail.first()) {
                (true, Some(&value)) => vec![value],
                _ => {
                    let getters = self.functions(*one);
                    getters
                        .into_iter()
                        .map(|getter| self.result(getter))
                        .collect()
                }
            };
            for value in values {
                self.derive(Rule::Store {
                    object: exports,
                    key,
                    value,
                });
            }
            rest = match is_value {
                true => tail.get(1..).unwrap_or_default(),
                false => tail,
            };
        }
    }

    /// What a worker is given, for the worker.
    pub(super) fn worker_data(&mut self, options: Node) {
        let name = self.graph.intern("workerData");
        let shared = self.graph.intern(WORKER_DATA);
        let to = self.graph.field(self.graph.globals, shared);
        for atom in self.graph.held(options) {
            if let Atom::Object(object) = atom {
                let from = self.graph.field(object, name);
                self.graph.copy(from, to);
            }
        }
    }

    /// The path of a file of a package, by its specifier: where it lies says whose it is. A package may
    /// ask for itself by its own name, and for its parts for this platform, which are its own as well.
    /// Nothing for what is no package.
    fn place_of(&self, specifier: &str) -> Option<String> {
        if !module(specifier)?.starts_with("pkg:") {
            return None;
        }
        let slash = match specifier.starts_with('@') {
            true => specifier.match_indices('/').nth(1),
            false => specifier.match_indices('/').next(),
        };
        let (package, rest) = slash.map_or((specifier, ENTRY), |(at, _)| specifier.split_at(at));
        Some(match self.modules.manifest("name") {
            Some(own) if own == package => format!("{}{rest}", crate::ability::OWN),
            Some(own) if self.is_part(&own, package) => {
                format!("{}/{package}{rest}", crate::ability::OWN)
            }
            _ => format!("node_modules/{package}{rest}"),
        })
    }

    /// Whether a package is another's part for one platform: an optional dependency that bears its name
    /// (`@esbuild/linux-x64` of `esbuild`, `tool-linux-x64` of `tool`). In the scope of somebody else,
    /// where anybody's name may begin alike, it also has to name a platform and to come out with the
    /// package, under the same version (`@maker/tool-linux-x64`).
    fn is_part(&self, own: &str, package: &str) -> bool {
        let bears_name = |name: &str| name.strip_prefix(own).is_some_and(|it| it.starts_with('-'));
        let plain = package.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let field = format!("optionalDependencies_{plain}");
        let Some(declared) = self.modules.manifest(&field) else {
            return false;
        };
        if bears_name(package) {
            return true;
        }
        let scoped = package.strip_prefix('@').and_then(|it| it.split_once('/'));
        scoped.is_some_and(|(scope, name)| {
            let is_of_release = || self.modules.manifest("version").as_ref() == Some(&declared);
            scope == own || (bears_name(name) && names_platform(name) && is_of_release())
        })
    }

    /// `require`, `import` and their relatives.
    pub(super) fn load(&mut self, path: &str, call: &Call) {
        let specifiers: Vec<_> = self
            .graph
            .texts(Self::argument(call, 0))
            .into_iter()
            .map(|name| self.graph.name(name))
            .collect();
        for specifier in specifiers {
            if specifier.contains(super::UNKNOWN) {
                self.load_listed(&self.specifier(&specifier, call.file), call);
                continue;
            }
            let written = specifier;
            let specifier = self.specifier(&written, call.file);
            // What `require.resolve` gave before.
            let specifier = match specifier.strip_prefix("node_modules/") {
                Some(rest) => rest.strip_suffix(ENTRY).unwrap_or(rest),
                None => &*specifier,
            };
            let file = self.modules.resolve(call.file, specifier);
            if let Some(file) = file {
                self.loaded(call.file, file);
            }
            if path.ends_with("resolve") {
                let path = match file {
                    None => self.place_of(specifier),
                    Some(_) => None,
                };
                // Whoever reads it may be another file.
                let known = match written.starts_with(crate::ability::OWN) {
                    true => &*written,
                    false => specifier,
                };
                self.give_text(call.out, path.as_deref().unwrap_or(known));
                continue;
            }
            match file {
                Some(file) => {
                    self.json_module(file);
                    let exports = self.graph.exports(file);
                    self.graph.copy(exports, call.out);
                }
                None if specifier.starts_with('.') => {}
                None => {
                    if let Some(module) = module(specifier) {
                        self.give(call.out, &module);
                    }
                }
            }
        }
    }

    pub(super) fn loaded(&mut self, from: u32, to: u32) {
        if !self.loads.contains(&(from, to)) && self.loads.len() < 100_000 {
            self.loads.push((from, to));
        }
    }

    /// A file that is started: worker, fork.
    pub(super) fn start(&mut self, node: Node, call: &Call) {
        for name in self.graph.texts(node) {
            let text = self.graph.name(name);
            let text = self.specifier(&text, call.file);
            let dotted = if text.starts_with(['.', '/']) {
                text.to_string()
            } else {
                format!("./{text}")
            };
            if let Some(file) = self.modules.resolve(call.file, &dotted) {
                if !self.loads.contains(&(call.file, file)) {
                    self.started.insert((call.file, file));
                }
                self.loaded(call.file, file);
            }
        }
    }

    /// `JSON.parse` of a constant: what stands in it, by name.
    pub(super) fn parsed(&mut self, id: u32, call: &Call) {
        for name in self.graph.texts(Self::argument(call, 0)) {
            let text = self.graph.name(name);
            self.parsed_file(&text, call);
            let is_structure = text.len() <= TEXT_BYTES && text.starts_with(['{', '[']);
            if !is_structure || !self.evaluated.insert((id as usize, text.to_string())) {
                continue;
            }
            if let Ok(value) = serde_json::from_str(&text) {
                let mut budget = PARSED;
                let node = self.json_value(call.file, &value, &mut budget);
                self.graph.copy(node, call.out);
            }
        }
    }

    /// JSON files are objects.
    pub(super) fn json_module(&mut self, file: u32) {
        if !self.json.insert(file) {
            return;
        }
        if let Some(value) = self.modules.json(file) {
            let mut budget = 2_000;
            let node = self.json_value(file, &value, &mut budget);
            let exports = self.graph.exports(file);
            self.graph.copy(node, exports);
        }
    }

    fn json_value(&mut self, file: u32, value: &serde_json::Value, budget: &mut usize) -> Node {
        if *budget == 0 {
            return NONE;
        }
        *budget -= 1;
        match value {
            serde_json::Value::String(text) => {
                let node = self.graph.constant(text);
                if self.graph.follows_code && text::is_hidden(text) {
                    let kind = SourceKind::Decoded;
                    let source = self.graph.source(kind, "invisible characters", file, 0);
                    self.graph.add(node, Atom::Taint(source), NONE);
                }
                node
            }
            serde_json::Value::Object(map) => {
                let object = self.graph.object();
                for (key, value) in map {
                    let value = self.json_value(file, value, budget);
                    if value != NONE {
                        let name = self.graph.intern(key);
                        let field = self.graph.field(object, name);
                        self.graph.copy(value, field);
                    }
                }
                let node = self.graph.node(u32::MAX, 0);
                self.graph.add(node, Atom::Object(object), NONE);
                node
            }
            serde_json::Value::Array(list) => {
                let object = self.graph.object();
                let elements = list
                    .iter()
                    .map(|value| self.json_value(file, value, budget))
                    .collect();
                self.graph.set_elements(object, elements);
                let node = self.graph.node(u32::MAX, 0);
                self.graph.add(node, Atom::Object(object), NONE);
                node
            }
            _ => NONE,
        }
    }
}
