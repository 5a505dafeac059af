//! What Node, the browser and well-known packages do with values.

use std::borrow::Cow;

use weir_model::contents::{HostClass, SinkKind, SourceKind};

use super::graph::{Atom, Call, Key, NONE, Node, Rule};
use super::solve::Solver;
use crate::command;
use crate::tables::vaults::{self, Vaulted};
use crate::tables::{calls, network, uploads};

/// Variables that name a folder or a file, and how that is written in folded paths.
pub(crate) fn folder_variable(name: &str) -> Option<&'static str> {
    match name {
        "HOME" | "USERPROFILE" | "HOMEPATH" => Some("~"),
        "APPDATA" => Some("~/AppData/Roaming"),
        "LOCALAPPDATA" => Some("~/AppData/Local"),
        "XDG_CONFIG_HOME" => Some("~/.config"),
        // It names a file: the one that lies there unless it says otherwise.
        "NPM_CONFIG_USERCONFIG" | "npm_config_userconfig" => Some("~/.npmrc"),
        _ => None,
    }
}

/// What `process.report.getReport()` gives. Most of it says what the system is like, and is asked for
/// by whoever chooses a program for it; the environment is in it as well.
pub(super) const REPORT: &str = "process.report()";

/// The runtime that runs the code, as the first word of its own command line.
pub(super) const OWN_RUNTIME: &str = "process.argv.0";

/// What Node's own functions start programs by.
const BINDING: &str = "process.binding(spawn_sync)";

/// Members that are constants.
pub(crate) fn constant_member(path: &str) -> Option<&'static str> {
    match path {
        "node:path.sep" => Some("/"),
        "node:path.delimiter" => Some(":"),
        // npm hands it to scripts by these names as well.
        "process.execPath"
        | "process.argv0"
        | OWN_RUNTIME
        | "process.env.npm_node_execpath"
        | "process.env.NODE" => Some("node"),
        // The name of a method, as `toString` is one.
        "Symbol.toPrimitive" => Some("Symbol.toPrimitive"),
        "process.resourcesPath" => Some(crate::tables::writes::RESOURCES),
        _ => None,
    }
}

/// The path of `path.member`, in its canonical form.
pub(crate) fn member<'a>(path: &'a str, member: &'a str) -> Cow<'a, str> {
    match (path, member) {
        ("global", "globalThis" | "global" | "window" | "self") => Cow::Borrowed("global"),
        ("global", name) => Cow::Borrowed(name),
        (_, "default") => Cow::Borrowed(path),
        (
            "node:fs" | "node:dns" | "node:stream" | "node:timers" | "node:path",
            "promises" | "posix" | "win32",
        )
        | ("node:util", "types") => Cow::Borrowed(path),
        ("process", "mainModule") => Cow::Borrowed("module"),
        ("module", "require") | ("Module", "_load") | ("process", "getBuiltinModule") => {
            Cow::Borrowed("require")
        }
        ("require", "main") => Cow::Borrowed("module"),
        ("module" | "Module", "constructor" | "Module") => Cow::Borrowed("Module"),
        ("Module", "prototype") => Cow::Borrowed("module"),
        // That of all functions.
        ("Function" | "Function.prototype", "constructor") => Cow::Borrowed("Function"),
        ("Bun" | "import.meta", "env") | (REPORT, "environmentVariables") => {
            Cow::Borrowed("process.env")
        }
        ("node:buffer", "Buffer") => Cow::Borrowed("Buffer"),
        ("node:url", "URL") => Cow::Borrowed("URL"),
        (loader, "g") if loader.starts_with("webpack:") => Cow::Borrowed("global"),
        ("pkg:shelljs" | "pkg:bun", "env") => Cow::Borrowed("process.env"),
        ("pkg:zx", "fs" | "os" | "path") => Cow::Owned(["node:", member].concat()),
        ("node:fs.writeFile", "sync") => Cow::Borrowed("node:fs.writeFileSync"),
        ("pkg:zx", "fetch") => Cow::Borrowed("fetch"),
        ("Deno", "writeTextFile" | "writeFile") | ("Bun" | "pkg:bun", "write") => {
            Cow::Borrowed("node:fs.writeFile")
        }
        ("pkg:bun", name) if name != "$" => Cow::Owned(["Bun.", name].concat()),
        ("Deno", "writeTextFileSync" | "writeFileSync") => Cow::Borrowed("node:fs.writeFileSync"),
        ("node:process", name) => Cow::Owned(["process", ".", name].concat()),
        (path, name) => Cow::Owned([path, ".", name].concat()),
    }
}

/// After how many arguments those come that a timer hands to its function.
fn timer(path: &str) -> Option<usize> {
    match path {
        "setTimeout" | "setInterval" | "node:timers.setTimeout" | "node:timers.setInterval" => {
            Some(2)
        }
        "setImmediate" | "process.nextTick" | "node:timers.setImmediate" => Some(1),
        _ => None,
    }
}

impl Solver<'_> {
    /// A call of something built in. Returns whether what it does with data is known.
    pub(crate) fn builtin(&mut self, id: u32, path: &str, call: &Call) -> bool {
        self.sources_of_code(path, call);
        self.gives_overheard(path, call);
        let first = Self::argument(call, 0);
        let second = Self::argument(call, 1);
        if path.starts_with("webpack:") {
            return self.bundled(id, path, call);
        }
        if let Some(given) = timer(path) {
            for function in self.functions(first) {
                self.throws_alone(function);
                for at in given..call.arguments.len() {
                    let parameter = self.parameter(function, at - given);
                    self.graph.copy(Self::argument(call, at), parameter);
                }
            }
        }
        match path {
            "require" | "import" | "Module" | "require.resolve" | "import.meta.resolve" => {
                self.load(path, call);
            }
            "Module.createRequire" | "node:module.createRequire" => {
                self.give(call.out, "require");
            }
            "process.binding" if self.known_texts(first).iter().any(|it| it == "spawn_sync") => {
                self.give(call.out, BINDING);
            }
            "process.binding" => {}
            "process.binding(spawn_sync).spawn" => self.spawned_by_binding(id, call),
            "process.report.getReport" => self.give(call.out, REPORT),
            // Only of functions, for their constructor: objects share theirs with too many others.
            "Object.getPrototypeOf" | "Reflect.getPrototypeOf" => {
                for function in self.functions(first) {
                    self.graph.add(call.out, Atom::Function(function), first);
                }
            }
            "node:worker_threads.Worker" | "Worker" | "node:child_process.fork" => {
                self.start(first, call);
                self.worker_data(second);
                self.give_instance(id, call);
            }
            "Map" | "Set" | "WeakMap" | "WeakSet" if call.is_new => {
                let object = self.made(id, 0);
                self.graph.collections.insert(object);
                return false;
            }
            "MessageChannel" | "node:worker_threads.MessageChannel" if call.is_new => {
                self.channel(id, call);
            }
            "BroadcastChannel" | "node:worker_threads.BroadcastChannel" if call.is_new => {
                self.broadcast(call);
            }
            "postMessage" | "addEventListener" => {
                self.worker_side(id, path, call);
                return false;
            }
            "node:async_hooks.AsyncLocalStorage" if call.is_new => {
                self.asynchronous_store(id, call);
            }
            "JSON.stringify"
            | "String"
            | "Buffer.from"
            | "Buffer.concat"
            | "Buffer"
            | "encodeURIComponent"
            | "encodeURI"
            | "decodeURIComponent"
            | "decodeURI"
            | "escape"
            | "unescape"
            | "atob"
            | "btoa"
            | "JSON.parse"
            | "structuredClone"
            | "node:util.inspect"
            | "node:util.format"
            | "node:querystring.stringify"
            | "node:querystring.encode"
            | "querystring.stringify"
            | "node:v8.serialize" => self.transform(id, path, call),
            "Buffer.alloc" | "Buffer.allocUnsafe" | "Buffer.allocUnsafeSlow" => {
                self.buffer(id, call)
            }
            "String.fromCharCode" | "String.fromCodePoint" => self.characters(call),
            "String.raw" => self.graph.copy(first, call.out),
            "Object.keys" | "Object.getOwnPropertyNames" | "Reflect.ownKeys" => {
                let object = self.made(id, 0);
                let any = self.graph.any(object);
                self.derive(Rule::Keys {
                    from: first,
                    out: any,
                });
                self.graph.add(call.out, Atom::Object(object), NONE);
                self.derive(Rule::Keys {
                    from: first,
                    out: call.out,
                });
            }
            "Object.values" | "Object.entries" => self.entries(id, path, first, call.out),
            "Object.fromEntries" => self.derive(Rule::Content {
                from: first,
                out: call.out,
            }),
            "Object.assign" | "Object.setPrototypeOf" => {
                for &(source, _) in call.arguments.iter().skip(1) {
                    self.spread_into(first, source);
                }
                self.graph.copy(first, call.out);
            }
            "Object.create" => {
                let object = self.made(id, 0);
                let spread = self.graph.spread(object);
                self.graph.copy(first, spread);
                self.graph.add(call.out, Atom::Object(object), NONE);
            }
            "Object.freeze"
            | "Object.seal"
            | "Object.preventExtensions"
            | "Promise.resolve"
            | "Promise.all"
            | "Promise.race"
            | "Promise.any"
            | "Object"
            | "node:util.promisify"
            | "node:util.callbackify"
            | "Array.from"
            | "Readable.from"
            | "node:stream.Readable.from"
            | "Symbol.for" => self.pass_first(path, first, call),
            "Promise.allSettled" => self.derive(Rule::Content {
                from: first,
                out: call.out,
            }),
            "Object.defineProperty" => self.define(call),
            "Object.getOwnPropertyDescriptor" | "Reflect.getOwnPropertyDescriptor"
                if self.holds_builtin(first) =>
            {
                self.described(id, call);
            }
            // What the code does with data is unknown all the same.
            "eval"
            | "Function"
            | "execScript"
            | "node:vm.runInThisContext"
            | "node:vm.runInNewContext"
            | "node:vm.runInContext" => {
                self.value_of_text(id, path, call);
                return false;
            }
            "Reflect.get" => self.derive(Rule::Member {
                object: first,
                key: Key::Node(second),
                out: call.out,
            }),
            "Reflect.set" => {
                let value = Self::argument(call, 2);
                self.derive(Rule::Store {
                    object: first,
                    key: Key::Node(second),
                    value,
                });
            }
            "Reflect.apply" | "Function.prototype.call.call" => {
                self.reflected(id, first, second, 2, call)
            }
            "Reflect.construct" => self.reflected(id, first, NONE, 1, call),
            "Proxy" if call.is_new => {
                self.proxy_of_environment(first, second);
                return false;
            }
            "Promise" if call.is_new => {
                for function in self.functions(first) {
                    let resolve = self.parameter(function, 0);
                    self.graph.add(resolve, Atom::Resolver(call.out), NONE);
                    self.rejecter(id, function);
                }
            }
            "Promise.reject" => self.rejects(id, first),
            "node:path.join" | "node:path.resolve" | "node:path.normalize" => self.join_path(call),
            "node:os.homedir" => self.give_text(call.out, "~"),
            "node:os.tmpdir" => self.give_text(call.out, "/tmp"),
            "process.cwd" => self.give_text(call.out, "."),
            "node:path.dirname"
            | "node:url.fileURLToPath"
            | "node:url.pathToFileURL"
            | "node:path.basename" => {
                self.path_part(path, first, call);
            }
            "node:stream.pipeline" | "node:stream/promises.pipeline" => {
                for &(argument, _) in &call.arguments {
                    self.loose_content(argument, false, call.out);
                }
            }
            "URL" if call.is_new => {
                self.searched(id, call);
                // `new URL('./worker.js', import.meta.url)` is a path.
                self.graph.copy(first, call.out);
                self.fold(&[first, second], call.out, |pieces| {
                    let (relative, base) = (pieces.first()?, pieces.get(1)?);
                    super::own::address((*relative)?, (*base)?)
                });
                return false;
            }
            "node:net.connect"
            | "node:net.createConnection"
            | "node:tls.connect"
            | "node:net.Socket"
            | "node:dgram.createSocket"
            | "WebSocket"
            | "WebSocketPackage"
            | "WebSocketPackage.WebSocket"
            | "XMLHttpRequest"
            | "XMLHttpRequestPackage.XMLHttpRequest"
            | "node:http.request"
            | "node:https.request"
            | "node:http.get"
            | "node:https.get"
            | "node:http2.connect"
            | "node:tls.TLSSocket"
            | "Bun.connect"
            | "WebTransport" => self.give_instance(id, call),
            "fetch" | "Bun.fetch" | "navigator.sendBeacon" => {}
            "node:os.hostname" | "node:os.userInfo" | "node:os.networkInterfaces" => {
                self.read(SourceKind::HostFacts, path, call);
            }
            "navigator.clipboard.readText"
            | "navigator.clipboard.read"
            | "pkg:clipboardy.read"
            | "pkg:clipboardy.readSync"
            | "pkg:clipboardy" => {
                self.read(SourceKind::Clipboard, path, call);
            }
            "node:fs.createWriteStream" => self.give_instance(id, call),
            "node:fs.read" | "node:fs.readSync" | "node:fs.readv" | "node:fs.readvSync" => {
                self.read_into(call);
            }
            "node:fs.writeFile"
            | "node:fs.writeFileSync"
            | "node:fs.appendFile"
            | "node:fs.appendFileSync" => self.kept_in_file(call),
            "Deno.env.toObject" | "Deno.env.get" => self.environment_of_deno(id, path, call),
            "node:dns.Resolver" => self.give(call.out, "node:dns"),
            _ if Self::copies_file(path) => self.copied_file(call),
            _ if calls::READS_FILE.contains(&path) => self.read_file(first, call),
            _ if calls::RUNS_COMMAND.contains(&path) => {
                self.run_command(call);
                self.give_instance(id, call);
            }
            _ if path.starts_with("pkg:") => return self.package(id, path, call),
            _ if calls::FUNCTIONS_WITHOUT_VALUE.contains(&path)
                || path.starts_with("console.")
                || path.starts_with("Math.")
                || path.starts_with("node:assert")
                || path.starts_with("node:dns.") => {}
            _ => return self.less_common(id, path, call),
        }
        true
    }

    /// Something that a call reads by itself.
    fn read(&mut self, kind: SourceKind, path: &str, call: &Call) {
        let shown = path.trim_start_matches("node:").trim_start_matches("pkg:");
        let source = self.graph.source(kind, shown, call.file, call.offset);
        self.graph.add(call.out, Atom::Taint(source), NONE);
    }

    /// What comes from the network or out of a decoder. Followed only where something could run it,
    /// but for answers of a cloud's metadata service, which are secrets.
    fn sources_of_code(&mut self, path: &str, call: &Call) {
        let answers = network::call(path).is_some_and(|kind| kind == SinkKind::Http)
            || super::answers::is_told(path);
        if answers {
            let all: Vec<Node> = call.arguments.iter().map(|(node, _)| *node).collect();
            let host = self.host(&all);
            let class = host
                .as_deref()
                .map(|host| crate::tables::hosts::classify(host, host));
            let kind = if class == Some(HostClass::CloudMetadata) {
                SourceKind::CloudMetadata
            } else if self.graph.follows_code {
                SourceKind::Fetched
            } else {
                return;
            };
            let shown = path.trim_start_matches("node:").trim_start_matches("pkg:");
            let detail = match host {
                Some(host) => format!("{shown} from {host}"),
                None => shown.to_owned(),
            };
            // The host may become known later than the call.
            let source = self.graph.source(kind, &detail, call.file, call.offset);
            self.graph.add(call.out, Atom::Taint(source), NONE);
            if let Some(&(callback, _)) = call.arguments.last() {
                for function in self.functions(callback) {
                    // `(response)` of Node, `(error, response, body)` of `request`.
                    for at in 0..3 {
                        let parameter = self.parameter(function, at);
                        self.graph.add(parameter, Atom::Taint(source), NONE);
                    }
                }
            }
            return;
        }
        if !self.graph.follows_code {
            return;
        }
        // Elsewhere servers are what libraries are for.
        if self.graph.installs
            && matches!(
                path,
                "node:http.createServer" | "node:https.createServer" | "node:net.createServer"
            )
        {
            let shown = path.trim_start_matches("node:");
            let source = self
                .graph
                .source(SourceKind::Fetched, shown, call.file, call.offset);
            for &(argument, _) in &call.arguments {
                for function in self.functions(argument) {
                    let parameter = self.parameter(function, 0);
                    self.graph.add(parameter, Atom::Taint(source), NONE);
                }
            }
            return;
        }
        let decodes = match path {
            // None of them can be constructed: `new (global(name))()` is some class.
            "atob" | "unescape" => !call.is_new,
            // Characters that are counted are the names of keys.
            "String.fromCharCode" | "String.fromCodePoint" => {
                !call.is_new && !self.graph.counted.contains(&self.current)
            }
            "Buffer.from" | "Buffer" => self
                .known_texts(Self::argument(call, 1))
                .iter()
                .any(|encoding| matches!(encoding.as_str(), "base64" | "hex" | "base64url")),
            _ => crate::tables::flows::DECODERS
                .iter()
                .any(|(decoder, _)| *decoder == path),
        };
        if decodes {
            self.read(SourceKind::Decoded, path, call);
        }
    }

    pub(super) fn give(&mut self, out: Node, path: &str) {
        let name = self.graph.intern(path);
        self.graph.add(out, Atom::Builtin(name), NONE);
    }

    pub(super) fn give_text(&mut self, out: Node, text: &str) {
        let name = self.graph.intern(text);
        self.graph.add(out, Atom::Text(name), NONE);
    }

    fn give_instance(&mut self, id: u32, call: &Call) {
        let atom = self.instance(id);
        self.graph.add(call.out, atom, NONE);
        // `net.connect(port, host, function () { this.end(…) })`
        for &(argument, _) in &call.arguments {
            for function in self.functions(argument) {
                self.called_on(function, call.out);
            }
        }
    }

    fn entries(&mut self, id: u32, path: &str, from: Node, out: Node) {
        let array = self.made(id, 0);
        let any = self.graph.any(array);
        if path == "Object.entries" {
            let is_new = !self.made.contains_key(&(id, 1));
            let pair = self.made(id, 1);
            self.graph.add(any, Atom::Object(pair), NONE);
            if is_new {
                let elements = vec![self.graph.node(u32::MAX, 0), self.graph.node(u32::MAX, 0)];
                self.graph.set_elements(pair, elements);
            }
            let elements = self
                .graph
                .objects
                .get(pair as usize)
                .and_then(|found| found.elements.clone())
                .unwrap_or_default();
            if let [name, value] = elements.as_slice() {
                self.derive(Rule::Keys { from, out: *name });
                self.derive(Rule::Elements { from, out: *value });
            }
        } else {
            self.derive(Rule::Elements { from, out: any });
            self.derive(Rule::Keys { from, out: any });
        }
        self.graph.add(out, Atom::Object(array), NONE);
        // Listing the environment gives data at once, so that nothing depends on the array's shape.
        self.derive(Rule::Keys { from, out });
    }

    fn spread_into(&mut self, target: Node, source: Node) {
        if source == NONE {
            return;
        }
        for atom in self.graph.held(target) {
            match atom {
                Atom::Object(object) => {
                    let spread = self.graph.spread(object);
                    self.graph.copy(source, spread);
                }
                Atom::Function(function) => {
                    let statics = self.graph.statics(function);
                    let spread = self.graph.spread(statics);
                    self.graph.copy(source, spread);
                }
                _ => {}
            }
        }
    }

    fn pass_first(&mut self, path: &str, first: Node, call: &Call) {
        if path == "Array.from" {
            self.derive(Rule::Elements {
                from: first,
                out: call.out,
            });
            for function in self.functions(Self::argument(call, 1)) {
                let parameter = self.parameter(function, 0);
                self.derive(Rule::Elements {
                    from: first,
                    out: parameter,
                });
                let result = self.result(function);
                self.derive(Rule::Content {
                    from: result,
                    out: call.out,
                });
            }
        }
        self.graph.copy(first, call.out);
        if path.starts_with("Promise.") {
            self.derive(Rule::Elements {
                from: first,
                out: call.out,
            });
        }
    }

    pub(super) fn holds_builtin(&self, node: Node) -> bool {
        let mut atoms = self.graph.atoms(node).iter();
        atoms.any(|(atom, _)| matches!(atom, Atom::Builtin(_)))
    }

    /// A command that is run: its output may be a secret, and it may start files of the package.
    fn run_command(&mut self, call: &Call) {
        let program = Self::argument(call, 0);
        // `$({ input })` is `$` with what its commands read.
        if self.holds_one_of(call.callee, &["pkg:execa.$", "pkg:zx.$"])
            && self.takes_options(program)
        {
            self.graph.copy(call.callee, call.out);
            for input in self.fields_given(call, &["input"]) {
                self.loose_content(input, false, call.out);
            }
            return;
        }
        let list = self
            .listed(program)
            .or_else(|| self.listed(Self::argument(call, 1)));
        let mut words = String::new();
        for (node, _) in list.into_iter().flatten().take(64) {
            if let Some(text) = self.known_texts(node).into_iter().next() {
                words.push(' ');
                words.push_str(&text);
            }
        }
        // Each of several commands stands for itself.
        for program in self.known_texts(program) {
            let text = format!("{program}{words}");
            self.packed_by(&text, call);
            for stolen in command::sources(&text) {
                let source = self
                    .graph
                    .source(stolen.kind, &stolen.detail, call.file, call.offset);
                self.give_data(source, call);
            }
            let reading = command::read(&text, &std::collections::BTreeMap::new());
            for (_, script) in &reading.scripts {
                self.read_by_script(script, call);
            }
            for file in reading.files {
                let node = self.graph.constant(&file);
                self.start(node, call);
            }
        }
    }

    /// Whether nothing but an object that is no list comes where a program belongs.
    fn takes_options(&self, node: Node) -> bool {
        let mut atoms = self.graph.atoms(node).iter().peekable();
        let is_record = |object: u32| {
            let found = self.graph.objects.get(object as usize);
            found.is_some_and(|it| it.elements.is_none() && !it.fields.is_empty())
        };
        atoms.peek().is_some()
            && atoms.all(|(atom, _)| matches!(atom, Atom::Object(object) if is_record(*object)))
    }

    pub(crate) fn known_texts(&self, node: Node) -> Vec<String> {
        self.graph
            .texts(node)
            .into_iter()
            .map(|name| self.graph.name(name).to_string())
            .collect()
    }

    /// A call of another package.
    fn package(&mut self, id: u32, path: &str, call: &Call) -> bool {
        let rest = path.strip_prefix("pkg:").unwrap_or(path);
        match vaults::of(path) {
            Some(Vaulted::Client) if call.is_new || path.ends_with(".makeApiClient") => {
                self.give(call.out, path);
                return true;
            }
            Some(Vaulted::Reads) => {
                let kind = vaults::kind(path);
                let source = self.graph.source(kind, rest, call.file, call.offset);
                self.give_data(source, call);
                return true;
            }
            _ => {}
        }
        if let Some(client) = uploads::client(path) {
            self.give(call.out, client);
            return true;
        }
        let (name, member) = network::split_package(rest);
        self.changes_requests(id, path, call);
        if !network::is_client(name) {
            // Common helpers with a known meaning.
            match rest {
                "os-homedir" | "homedir" => self.give_text(call.out, "~"),
                "tar.c" | "tar.create" => {
                    self.packs_all(call);
                    return false;
                }
                // Folded paths keep the tilde.
                "untildify" => self.graph.copy(Self::argument(call, 0), call.out),
                "lodash.assign" | "lodash.merge" | "lodash.extend" | "lodash.defaults"
                | "object-assign" | "xtend" | "extend" | "deepmerge" | "lodash.cloneDeep"
                | "lodash.clone" => {
                    let object = self.made(id, 0);
                    let spread = self.graph.spread(object);
                    for &(argument, _) in &call.arguments {
                        self.graph.copy(argument, spread);
                    }
                    self.graph.add(call.out, Atom::Object(object), NONE);
                }
                _ if calls::EMITTERS.iter().any(|(makes, _)| *makes == rest) => {
                    let object = self.made(id, 0);
                    self.graph.add(call.out, Atom::Object(object), NONE);
                }
                _ => return false,
            }
            return true;
        }
        let last = member.rsplit('.').next().unwrap_or_default();
        if matches!(last, "FormData" | "Headers" | "Request") {
            return false;
        }
        if call.is_new || network::configures(member) {
            // A configured client is the client.
            let client = format!("pkg:{name}");
            self.give(call.out, &client);
        } else {
            self.give_instance(id, call);
        }
        true
    }
}
