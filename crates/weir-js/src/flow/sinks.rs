//! Calls by which something leaves the machine, runs, or is kept where it will run.

use weir_model::contents::SinkKind;

use super::graph::{Atom, Call, Node, Rule};
use super::solve::Solver;
use super::written::Target;
use crate::command;
use crate::tables::{abilities, calls, flows, network, tools, uploads};

/// Longest script that the commands of one file make, in bytes: a dozen of them are plenty.
const SCRIPT: usize = 4 << 10;

/// A sink: kind, what to call it, and the nodes that are sent.
pub(super) struct Sink {
    pub(super) kind: SinkKind,
    pub(super) label: String,
    pub(super) host: Option<String>,
    pub(super) sent: Vec<Node>,
    /// The whole call is a credential setter: `setHeader('authorization', x)`.
    pub(super) is_credential_field: bool,
    /// What is sent names a program by its path, without a shell.
    pub(super) names_program: bool,
    /// Nobody knows what the called function does: only what no honest call is given counts.
    pub(super) is_guessed: bool,
    /// A file is written that is loaded as a module. Only what came from the network counts: bundlers
    /// and compilers of templates load what they unpacked and wrote.
    pub(super) is_loaded: bool,
}

/// What was made to carry data away: a request, a socket, a command, a file.
struct Carrier {
    kind: SinkKind,
    label: String,
    host: Option<String>,
    is_loaded: bool,
    is_guessed: bool,
}

impl Carrier {
    fn of(kind: SinkKind, label: impl Into<String>, host: Option<String>) -> Self {
        Self {
            kind,
            label: label.into(),
            host,
            is_loaded: false,
            is_guessed: false,
        }
    }
}

impl Sink {
    /// A sink without a host, to which nothing special applies.
    pub(super) fn of(kind: SinkKind, label: impl Into<String>, sent: Vec<Node>) -> Self {
        Self {
            kind,
            label: label.into(),
            host: None,
            sent,
            is_credential_field: false,
            names_program: false,
            is_guessed: false,
            is_loaded: false,
        }
    }
}

impl Solver<'_> {
    /// The sinks that a call is.
    pub(super) fn sinks(&self, call: &Call) -> Vec<Sink> {
        let mut sinks = Vec::new();
        let all: Vec<Node> = call.arguments.iter().map(|(node, _)| *node).collect();
        for (atom, _) in self.graph.atoms(call.callee) {
            let Atom::Builtin(path) = atom else {
                continue;
            };
            let path = self.graph.name(*path);
            if calls::RUNS_COMMAND.contains(&&*path) {
                sinks.extend(self.command(&path, call));
                let sent = self.deciding(&path, call);
                sinks.push(Sink {
                    names_program: self.starts_by_path(&path, call),
                    ..Sink::of(SinkKind::Process, shown(&path), sent)
                });
                sinks.extend(self.handed_sink(&path, call));
            } else if &*path == "node:child_process.fork" {
                sinks.extend(self.handed_sink(&path, call));
            } else if flows::CODE.contains(&&*path) {
                sinks.push(Sink::of(SinkKind::DynamicCode, shown(&path), all.clone()));
            } else if matches!(&*path, "setTimeout" | "setInterval") {
                sinks.extend(self.timed(&path, call));
            } else if matches!(&*path, "import" | "Module.register") {
                sinks.extend(self.imported(&path, call));
            } else if matches!(&*path, "node:worker_threads.Worker" | "Worker") {
                sinks.push(Self::worker(call));
            } else if &*path == "Blob" {
                sinks.extend(self.blob(call));
            } else if let Some(function) = path.strip_prefix("node:fs.") {
                sinks.extend(self.written(function, call));
            } else if path.ends_with(".pipeline") {
                sinks.extend(self.pipeline(call));
            } else if let Some(kind) = network::call(&path) {
                sinks.push(Sink {
                    host: self.host(&all),
                    ..Sink::of(kind, shown(&path), all.clone())
                });
            } else if let Some(row) = uploads::of(&path) {
                sinks.push(self.uploaded(&path, row, call));
            } else if path.starts_with("pkg:") {
                sinks.extend(self.unknown_client(&path, call));
            }
        }
        if let Some(method) = call.method {
            for name in self.key_names(method) {
                let name = self.graph.name(name);
                sinks.extend(self.instance_sink(&name, call, &all));
            }
        }
        sinks
    }

    /// `setTimeout(text)`, as far as nothing but text is there: mostly it is a function.
    fn timed(&self, path: &str, call: &Call) -> Option<Sink> {
        let first = Self::argument(call, 0);
        let mut atoms = self.graph.atoms(first).iter();
        let is_text = atoms.all(|(atom, _)| matches!(atom, Atom::Taint(_) | Atom::Text(_)));
        is_text.then(|| Sink::of(SinkKind::DynamicCode, path, vec![first]))
    }

    /// A worker: its first argument is its code or where that lies, so that data which arrives there
    /// decides what runs.
    fn worker(call: &Call) -> Sink {
        let sent = vec![Self::argument(call, 0)];
        Sink::of(SinkKind::DynamicCode, "Worker", sent)
    }

    /// `new Blob([text], { type: 'text/javascript' })`: a page runs it by its address. Only what came from the
    /// network counts: bundlers keep workers as text.
    fn blob(&self, call: &Call) -> Option<Sink> {
        let kinds = self.fields_given(call, &["type"]);
        let mut kinds = kinds.iter().flat_map(|&node| self.known_texts(node));
        let is_code = kinds.any(|kind| kind.contains("javascript"));
        is_code.then(|| Sink {
            is_loaded: true,
            ..Sink::of(
                SinkKind::DynamicCode,
                "a blob of code",
                vec![Self::argument(call, 0)],
            )
        })
    }

    /// What is put into a bucket, a repository or a chat.
    fn uploaded(&self, path: &str, row: &uploads::Upload, call: &Call) -> Sink {
        let sent = match row.sent {
            uploads::Sent::Arguments(places) => {
                let places = places.iter();
                places.map(|&at| Self::argument(call, at)).collect()
            }
            uploads::Sent::Fields(names) => self.fields_given(call, names),
        };
        let last = path.rsplit('.').next().unwrap_or_default();
        Sink::of(SinkKind::Http, format!("{} {last}", row.module), sent)
    }

    /// Fields of these names of the objects that a call is given.
    pub(super) fn fields_given(&self, call: &Call, names: &[&str]) -> Vec<Node> {
        let mut found = Vec::new();
        for &(argument, _) in &call.arguments {
            for (atom, _) in self.graph.atoms(argument) {
                let Atom::Object(object) = atom else {
                    continue;
                };
                let object = self.graph.objects.get(*object as usize);
                let known = names.iter().filter_map(|name| self.graph.known(name));
                found.extend(known.filter_map(|name| object?.fields.get(&name).copied()));
            }
        }
        found
    }

    /// `import('data:text/javascript,' + text)`: the address is the code. So it is with hooks of the loader.
    fn imported(&self, path: &str, call: &Call) -> Option<Sink> {
        let address = Self::argument(call, 0);
        self.known_texts(address)
            .iter()
            .any(|text| text.starts_with("data:"))
            .then(|| {
                let label = format!("{path} of a data: address");
                Sink::of(SinkKind::DynamicCode, label, vec![address])
            })
    }

    /// A file that matters is written.
    fn written(&self, function: &str, call: &Call) -> Option<Sink> {
        let (_, at) = abilities::WRITERS
            .iter()
            .find(|(name, _)| *name == function)?;
        // Copies and moves have no contents to follow.
        if *at != 0 {
            return None;
        }
        let Target {
            kind,
            label,
            is_loaded,
        } = self.target(Self::argument(call, 0))?;
        let label = format!("fs.{function} of {label}");
        Some(Sink {
            is_loaded,
            ..Sink::of(kind, label, vec![Self::argument(call, 1)])
        })
    }

    /// `request.write(x)`, `socket.send(x)`, `stream.pipe(request)`, `child.stdin.write(x)`.
    fn instance_sink(&self, name: &str, call: &Call, all: &[Node]) -> Option<Sink> {
        // Of a debugger: `session.post('Runtime.evaluate', { expression })`.
        if name == "post" {
            let method = all.first().map(|&node| self.known_texts(node));
            if method.is_some_and(|it| it.iter().any(|text| text == "Runtime.evaluate")) {
                let sent = self.fields_given(call, &["expression"]);
                return Some(Sink::of(SinkKind::DynamicCode, "Runtime.evaluate", sent));
            }
        }
        // `shell.cat(path).exec('curl …')`
        if name == "exec" {
            let mut held = self.graph.atoms(call.receiver).iter();
            let is_text = held.any(|(atom, _)| matches!(atom, Atom::Taint(_)));
            let lines = all.first().filter(|_| is_text);
            let lines = lines.map_or_else(Vec::new, |&node| self.known_texts(node));
            if let Some(line) = lines.iter().find(|line| command::names_tool(line)) {
                let label = format!("exec with {}", tool_label(line));
                return Some(Sink {
                    host: command::host(line),
                    ..Sink::of(SinkKind::NetworkCommand, label, vec![call.receiver])
                });
            }
        }
        if name == "_compile" {
            let label = "module._compile";
            return Some(Sink::of(SinkKind::DynamicCode, label, all.to_vec()));
        }
        let (carrier, sent) = if matches!(name, "pipe" | "pipeThrough") {
            (*all.first()?, vec![call.receiver])
        } else if network::SENDS.contains(&name) || self.is_given(name, call) {
            (call.receiver, all.to_vec())
        } else {
            return None;
        };
        let is_credential_field = name == "auth"
            || (matches!(name, "setHeader" | "set" | "header" | "setRequestHeader")
                && all.first().is_some_and(|&key| {
                    self.known_texts(key)
                        .iter()
                        .any(|key| is_credential_name(key))
                }));
        let Carrier {
            kind,
            label,
            host,
            is_loaded,
            is_guessed,
        } = self.carrier(carrier)?;
        let host = match name {
            // One request after another may be made of it.
            "open" => self.host(all).or(host),
            _ => host.or_else(|| self.host(all)),
        };
        Some(Sink {
            host,
            is_credential_field,
            is_loaded,
            is_guessed,
            ..Sink::of(kind, format!("{label}.{name}"), sent)
        })
    }

    /// Whether a method of a client that nobody knows is given something.
    fn is_given(&self, name: &str, call: &Call) -> bool {
        !calls::METHODS_WITHOUT_VALUE.contains(&name)
            && !matches!(name, "on" | "once" | "then" | "catch" | "finally")
            && self.is_unnamed_client(call.receiver)
    }

    fn pipeline(&self, call: &Call) -> Option<Sink> {
        let all: Vec<Node> = call.arguments.iter().map(|(node, _)| *node).collect();
        let to = all.iter().find_map(|&node| self.carrier(node))?;
        Some(Sink {
            host: to.host,
            is_loaded: to.is_loaded,
            is_guessed: to.is_guessed,
            ..Sink::of(to.kind, to.label, all)
        })
    }

    /// The request, socket or network command that a node holds.
    fn carrier(&self, node: Node) -> Option<Carrier> {
        self.graph.atoms(node).iter().find_map(|(atom, _)| {
            let Atom::Instance(instance) = atom else {
                return None;
            };
            let rule = *self.instances.get(*instance as usize)?;
            let Some(Rule::Call(made)) = self.graph.rules.get(rule as usize) else {
                return None;
            };
            let all: Vec<Node> = made.arguments.iter().map(|(node, _)| *node).collect();
            self.graph.atoms(made.callee).iter().find_map(|(atom, _)| {
                let Atom::Builtin(path) = atom else {
                    return None;
                };
                let path = self.graph.name(*path);
                if calls::RUNS_COMMAND.contains(&&*path) {
                    let text = self.command_text(made);
                    if command::names_tool(&text) {
                        let kind = SinkKind::NetworkCommand;
                        let host = command::host(&text);
                        return Some(Carrier::of(kind, tool_label(&text), host));
                    }
                    // What a shell reads is what it runs.
                    return self
                        .known_texts(Self::argument(made, 0))
                        .iter()
                        .any(|program| command::is_shell(program))
                        .then(|| Carrier::of(SinkKind::Process, shown(&path), None));
                }
                if &*path == "node:fs.createWriteStream" {
                    let to = self.target(Self::argument(made, 0))?;
                    return Some(Carrier {
                        kind: to.kind,
                        label: format!("fs.createWriteStream of {}", to.label),
                        host: None,
                        is_loaded: to.is_loaded,
                        is_guessed: false,
                    });
                }
                if self.is_local_socket(&path, made) {
                    return None;
                }
                if let Some(host) = self.client_made(made) {
                    return Some(Carrier {
                        is_guessed: true,
                        ..Carrier::of(SinkKind::Http, shown(&path), Some(host))
                    });
                }
                let kind = network::call(&path).or_else(|| socket_kind(&path))?;
                let host = self.host(&all).or_else(|| self.opened_host(*instance));
                Some(Carrier::of(kind, shown(&path), host))
            })
        })
    }

    /// Program and arguments of a command as one line, unknown pieces marked.
    fn command_text(&self, call: &Call) -> String {
        let program = Self::argument(call, 0);
        let list = self
            .listed(program)
            .or_else(|| self.listed(Self::argument(call, 1)));
        let mut words = self.known_texts(program);
        words.truncate(8);
        for (node, _) in list.into_iter().flatten().take(64) {
            let text = self.known_texts(node).into_iter().next();
            words.push(text.unwrap_or_else(|| super::UNKNOWN.to_string()));
        }
        words.join(" ")
    }

    /// A command that is a network tool and is given secrets.
    fn command(&self, path: &str, call: &Call) -> Option<Sink> {
        let text = self.command_text(call);
        // Several folded commands at one call stand one after the other.
        let is_tool = command::names_tool(&text)
            || self
                .known_texts(Self::argument(call, 0))
                .iter()
                .any(|text| command::names_tool(text));
        if !is_tool {
            return None;
        }
        let mut sent = vec![Self::argument(call, 0), call.callee];
        let expands = text.contains('$') || text.contains('%') || text.contains("env");
        for &(argument, _) in call.arguments.iter().skip(1) {
            for (atom, _) in self.graph.atoms(argument) {
                match atom {
                    Atom::Object(object) => {
                        let Some(found) = self.graph.objects.get(*object as usize) else {
                            continue;
                        };
                        if found.elements.is_some() || found.fields.is_empty() {
                            sent.push(argument);
                            continue;
                        }
                        for (name, &node) in &found.fields {
                            let name = self.graph.name(*name);
                            let is_sent = match &*name {
                                "input" | "stdin" => true,
                                // The command itself must name the variables.
                                "env" => expands,
                                _ => false,
                            };
                            if is_sent {
                                sent.push(node);
                            }
                        }
                    }
                    Atom::Taint(_) => sent.push(argument),
                    _ => {}
                }
            }
        }
        let label = format!("{} with {}", shown(path), tool_label(&text));
        Some(Sink {
            host: command::host(&text),
            ..Sink::of(SinkKind::NetworkCommand, label, sent)
        })
    }

    /// Leaks of constant commands that code runs: `exec('curl -d "$(env)" ...')`.
    pub(crate) fn constant_commands(&self) -> Vec<(u32, u32, command::Leak)> {
        let mut found = Vec::new();
        let mut steps = Steps::default();
        let mut scripted = None;
        for (_, call) in self.outward() {
            for reading in self.scripts_run(call) {
                let leaks = reading.leaks.into_iter();
                found.extend(leaks.map(|leak| (call.file, call.offset, leak)));
            }
            let runs = self
                .graph
                .atoms(call.callee)
                .iter()
                .any(|(atom, _)| match atom {
                    Atom::Builtin(path) => calls::RUNS_COMMAND.contains(&&*self.graph.name(*path)),
                    _ => false,
                });
            if !runs {
                continue;
            }
            let mut texts = self.known_texts(Self::argument(call, 0));
            let quoted = self.listed(Self::argument(call, 1)).map(|list| {
                let words: Vec<String> = list
                    .iter()
                    .take(64)
                    .map(|(node, _)| {
                        let text = self
                            .known_texts(*node)
                            .into_iter()
                            .next()
                            .unwrap_or_default();
                        format!("'{}'", text.replace('\'', "'\\''"))
                    })
                    .collect();
                words.join(" ")
            });
            if let Some(arguments) = quoted {
                texts = texts
                    .iter()
                    .map(|text| format!("{text} {arguments}"))
                    .collect();
            }
            if scripted.is_some_and(|file| file != call.file) {
                steps = Steps::default();
            }
            scripted = Some(call.file);
            for text in texts {
                let leaks = steps.add(&text).into_iter();
                found.extend(leaks.map(|leak| (call.file, call.offset, leak)));
            }
        }
        found
    }
}

/// The commands of one file as steps of one script: what one packs, a later one sends.
#[derive(Default)]
struct Steps {
    script: String,
    /// What leaks by the script so far.
    leaks: Vec<command::Leak>,
}

impl Steps {
    /// What leaks by a further step, alone or together with those before.
    fn add(&mut self, text: &str) -> Vec<command::Leak> {
        let nothing = std::collections::BTreeMap::new();
        let alone = command::read(text, &nothing).leaks;
        let mut found = Vec::new();
        if self.script.is_empty() {
            text.clone_into(&mut self.script);
            self.leaks.clone_from(&alone);
        } else if self.script.len() + text.len() < SCRIPT {
            self.script.push('\n');
            self.script.push_str(text);
            let before = std::mem::take(&mut self.leaks);
            self.leaks = command::read(&self.script, &nothing).leaks;
            let is_new = |leak: &&command::Leak| !before.contains(leak) && !alone.contains(leak);
            found.extend(self.leaks.iter().filter(is_new).cloned());
        }
        found.extend(alone);
        found
    }
}

/// A path as it is shown.
fn shown(path: &str) -> String {
    path.trim_start_matches("pkg:")
        .trim_start_matches("node:")
        .to_owned()
}

pub(super) fn is_credential_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `x-figma-token`: every service has its own.
    let is_own = name.starts_with("x-") && (name.ends_with("-token") || name.ends_with("-key"));
    is_own || network::CREDENTIAL_FIELDS.contains(&name.as_str())
}

/// The tool that a command names.
fn tool_label(text: &str) -> String {
    let senders = tools::SENDERS.iter().map(|row| row.name);
    network::TOOLS
        .iter()
        .map(|(tool, _)| *tool)
        .chain(senders)
        .find(|tool| {
            text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                .any(|word| word.eq_ignore_ascii_case(tool))
        })
        .unwrap_or("a network command")
        .to_owned()
}

/// Sockets are sinks by what is written to them, not by being opened.
pub(super) fn socket_kind(path: &str) -> Option<SinkKind> {
    match path {
        "XMLHttpRequest" | "XMLHttpRequestPackage.XMLHttpRequest" => Some(SinkKind::Http),
        "node:net.connect"
        | "node:net.createConnection"
        | "node:tls.connect"
        | "node:net.Socket"
        | "node:dgram.createSocket"
        | "WebSocketPackage"
        | "WebSocketPackage.WebSocket"
        | "node:tls.TLSSocket"
        | "Bun.connect"
        | "WebTransport" => Some(SinkKind::Socket),
        _ => None,
    }
}
