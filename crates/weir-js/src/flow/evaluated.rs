//! Text that is turned into code, where the text is known.

use super::graph::{Atom, Graph, Key, NONE, Node, Rule, TEXT_BYTES};
use super::solve::Solver;
use crate::command;
use crate::tables::calls;

/// Shortest text that is worth a parse.
const SHORTEST: usize = 12;

/// Code that a call evaluates.
pub(crate) struct Evaluated {
    /// The text, as a program whose last expression is the call's result.
    pub(crate) text: String,
    pub(crate) file: u32,
    pub(crate) offset: u32,
    /// The call's result.
    pub(crate) out: Node,
}

/// How a function makes code of text.
enum Maker {
    /// Of its first argument.
    Program,
    /// `new Function(parameter, ..., body)`.
    Function,
    /// `module._compile(text, name)`.
    Module,
}

fn maker(path: &str) -> Option<Maker> {
    match path {
        "eval"
        | "node:vm.runInThisContext"
        | "node:vm.runInNewContext"
        | "node:vm.runInContext"
        | "node:vm.Script"
        | "node:vm.compileFunction"
        | "setTimeout"
        | "setInterval"
        | "execScript" => Some(Maker::Program),
        "Function" => Some(Maker::Function),
        "module._compile" => Some(Maker::Module),
        _ => None,
    }
}

impl Solver<'_> {
    /// Evaluated code that was not handed out before.
    pub(crate) fn newly_evaluated(&mut self) -> Vec<Evaluated> {
        let mut found = Vec::new();
        for (id, rule) in self.graph.rules.iter().enumerate() {
            let Rule::Call(call) = rule else {
                continue;
            };
            let makers = self
                .graph
                .atoms(call.callee)
                .iter()
                .filter_map(|(atom, _)| {
                    let Atom::Builtin(path) = atom else {
                        return None;
                    };
                    maker(&self.graph.name(*path))
                });
            let mut makers: Vec<Maker> = makers.collect();
            // Whatever it is called on, this is how Node's own loader compiles.
            let compile = self.graph.known("_compile").map(Key::Name);
            if call.method.is_some() && call.method == compile {
                makers.push(Maker::Module);
            }
            for maker in makers {
                let mut arguments: Vec<Node> =
                    call.arguments.iter().map(|(node, _)| *node).collect();
                let body = match maker {
                    Maker::Function => arguments.pop(),
                    _ => arguments.first().copied(),
                };
                for text in self.known_texts(body.unwrap_or(NONE)) {
                    if text.len() < SHORTEST || text.contains(super::UNKNOWN) {
                        continue;
                    }
                    let text = match maker {
                        Maker::Function => {
                            let names: Vec<String> = arguments
                                .iter()
                                .filter_map(|&node| self.known_texts(node).into_iter().next())
                                .collect();
                            format!("(function({}){{{text}\n}})", names.join(","))
                        }
                        _ => text,
                    };
                    found.push((
                        id,
                        Evaluated {
                            text,
                            file: call.file,
                            offset: call.offset,
                            out: call.out,
                        },
                    ));
                }
            }
        }
        found.extend(self.inline_code());
        let seen: &mut crate::hash::Set<(usize, String)> = &mut self.evaluated;
        found
            .into_iter()
            .filter(|(id, one)| seen.insert((*id, one.text.clone())))
            .map(|(_, one)| one)
            .collect()
    }
}

impl Solver<'_> {
    /// Code in the commands that are run: `node -e '...'`.
    fn inline_code(&self) -> Vec<(usize, Evaluated)> {
        let mut found = Vec::new();
        for (id, rule) in self.graph.rules.iter().enumerate() {
            let Rule::Call(call) = rule else {
                continue;
            };
            let runs = self.graph.atoms(call.callee).iter().any(|(atom, _)| {
                matches!(atom, Atom::Builtin(path)
                    if calls::RUNS_COMMAND.contains(&&*self.graph.name(*path)))
            });
            if !runs {
                continue;
            }
            for line in self.command_lines(call) {
                let reading = command::read(&line, &std::collections::BTreeMap::new());
                for text in reading.inline {
                    if text.len() < SHORTEST || text.contains(super::UNKNOWN) {
                        continue;
                    }
                    let one = Evaluated {
                        text,
                        file: call.file,
                        offset: call.offset,
                        out: NONE,
                    };
                    found.push((id, one));
                }
            }
        }
        found
    }
}

impl Graph {
    /// `file` is code that `outer` evaluates: it sees the variables there, and what its last
    /// expression gives is the result `out`.
    pub(crate) fn evaluated_as(&mut self, file: u32, outer: u32, out: Node) {
        let result = self.node(file, 0);
        self.copy(result, out);
        self.completions.insert(file, (outer, result));
    }

    /// Whether a text may be kept: code that is evaluated is longer than other constants.
    pub(crate) fn keeps_text(&mut self, length: usize) -> bool {
        if length <= TEXT_BYTES {
            return true;
        }
        match self.long_text.checked_sub(length) {
            Some(left) => {
                self.long_text = left;
                true
            }
            None => false,
        }
    }
}
