//! Text that is turned into code, where the text is known.

use super::graph::{
    Atom, Call, Function, Graph, Key, NONE, Node, Parameters, Rule, TEXT_BYTES, index,
};
use super::solve::Solver;
use super::text;
use crate::command;
use crate::tables::calls;

/// Shortest text that is worth a parse.
const SHORTEST: usize = 12;

/// Longest text that is looked at as a mere name, in bytes.
const NAMED: usize = 64;

/// Code that a call evaluates.
pub(crate) struct Evaluated {
    /// The text, as a program whose last expression is the call's result.
    pub(crate) text: String,
    pub(crate) file: u32,
    pub(crate) offset: u32,
    /// What the call is given it by.
    pub(super) given: Node,
    /// The call's result.
    pub(crate) out: Node,
}

impl Evaluated {
    /// Code that a call is given.
    pub(super) fn by(call: &Call, given: Node, text: String, out: Node) -> Self {
        Self {
            text,
            file: call.file,
            offset: call.offset,
            given,
            out,
        }
    }
}

/// How a function makes code of text.
enum Maker {
    /// Of its first argument.
    Program,
    /// `new Function(parameter, ..., body)`.
    Function,
    /// `module._compile(text, name)`.
    Module,
    /// Of an address that holds it: `import('data:text/javascript,...')`.
    Address,
    /// Of such an address, or of the text itself: `new Worker(text, { eval: true })`.
    Worker,
}

impl Maker {
    /// What the code's last expression comes out of. Modules and workers give something else.
    fn result(&self, call: &Call) -> Node {
        match self {
            Self::Address | Self::Worker => NONE,
            _ => call.out,
        }
    }
}

/// The names in a text that does nothing but give what they stand for: `this`, `process.env`, and
/// `return this` as the body of a function.
fn names_in(text: &str, is_body: bool) -> Option<Vec<&str>> {
    if text.len() > NAMED {
        return None;
    }
    let text = text.trim().trim_end_matches(';').trim_end();
    let text = match is_body {
        true => text
            .strip_prefix("return")?
            .strip_prefix([' ', '\t', '\n'])?,
        false => text,
    };
    let is_name = |name: &&str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
        !name.is_empty() && name.chars().all(is_letter) && !name.starts_with(char::is_numeric)
    };
    let names: Vec<&str> = text.trim().split('.').collect();
    let is_value = matches!(names.as_slice(), ["true" | "false" | "null" | "undefined"]);
    (names.iter().all(is_name) && !is_value).then_some(names)
}

fn maker(path: &str) -> Option<Maker> {
    match path {
        "eval"
        | "node:vm.runInThisContext"
        | "node:vm.runInNewContext"
        | "node:vm.runInContext"
        | "node:vm.Script"
        | "node:vm.SourceTextModule"
        | "node:vm.compileFunction"
        | "setTimeout"
        | "setInterval"
        | "execScript" => Some(Maker::Program),
        "Function" => Some(Maker::Function),
        "module._compile" => Some(Maker::Module),
        "import" | "Module.register" => Some(Maker::Address),
        "node:worker_threads.Worker" | "Worker" => Some(Maker::Worker),
        _ => None,
    }
}

impl Solver<'_> {
    /// What comes out of a call that makes code of a mere name: libraries and thieves alike ask for the
    /// global object that way.
    pub(super) fn value_of_text(&mut self, id: u32, path: &str, call: &Call) {
        let Some(maker) = maker(path) else {
            return;
        };
        let is_body = matches!(maker, Maker::Function);
        let at = match is_body {
            true => call.arguments.len().saturating_sub(1),
            false => 0,
        };
        for text in self.graph.texts(Self::argument(call, at)) {
            let text = self.graph.name(text);
            let Some(names) = names_in(&text, is_body) else {
                continue;
            };
            if !self.evaluated.insert((id as usize, text.to_string())) {
                continue;
            }
            if is_body {
                self.made_function(&names, call);
            } else {
                let first = names.first().copied().unwrap_or_default();
                let root = self.outside(first, path == "eval", call);
                let value = self.members(root, &names, call);
                self.graph.copy(value, call.out);
            }
        }
    }

    /// The function that `new Function(parameters, 'return names')` makes.
    fn made_function(&mut self, names: &[&str], call: &Call) {
        let before = call.arguments.len().saturating_sub(1);
        let mut given: Vec<String> = Vec::new();
        for &(argument, _) in call.arguments.iter().take(before) {
            let text = self.known_texts(argument).into_iter().next();
            let text = text.unwrap_or_default();
            given.extend(text.split(',').map(|name| name.trim().to_owned()));
        }
        let first = names.first().copied().unwrap_or_default();
        let parameters: Parameters = given
            .iter()
            .map(|_| self.graph.node(call.file, call.offset))
            .collect();
        let own = given.iter().position(|name| name == first);
        let root = match own.and_then(|at| parameters.get(at)) {
            Some(&parameter) => parameter,
            None => self.outside(first, false, call),
        };
        let result = self.members(root, names, call);
        let function = index(self.graph.functions.len());
        self.graph.functions.push(Function {
            parameters,
            result,
            ..Function::default()
        });
        self.graph.add(call.out, Atom::Function(function), NONE);
    }

    /// What a name stands for in evaluated code: a variable around the call, where that sees them, or
    /// something global.
    fn outside(&mut self, name: &str, sees_variables: bool, call: &Call) -> Node {
        let node = self.graph.node(call.file, call.offset);
        let known = self.graph.known(name).filter(|_| sees_variables);
        let variables = known.and_then(|name| self.graph.variables.get(&(call.file, name)));
        if let Some(variables) = variables.cloned() {
            for variable in variables {
                self.graph.copy(variable, node);
            }
            return node;
        }
        let path = match name {
            "this" | "globalThis" | "global" | "window" | "self" => "global",
            other => other,
        };
        self.give(node, path);
        // Code may have put it there: `global.r = require`.
        let name = self.graph.intern(name);
        let field = self.graph.field(self.graph.globals, name);
        self.graph.copy(field, node);
        node
    }

    /// `root.b.c`, by all names but the first.
    fn members(&mut self, root: Node, names: &[&str], call: &Call) -> Node {
        let mut object = root;
        for name in names.iter().skip(1) {
            let key = Key::Name(self.graph.intern(name));
            let out = self.graph.node(call.file, call.offset);
            self.graph.rule(Rule::Member { object, key, out });
            object = out;
        }
        object
    }

    /// Evaluated code that was not handed out before. What is text of a file is that file, which is loaded.
    pub(crate) fn newly_evaluated(&mut self) -> Vec<Evaluated> {
        let mut found = self.made_code();
        found.extend(self.inline_code());
        found.extend(self.handed_code());
        found.extend(self.written_code());
        let mut new = Vec::new();
        for (id, one) in found {
            if !self.evaluated.insert((id, one.text.clone())) {
                continue;
            }
            let is_file = self.is_of_file(&one.text);
            if is_file {
                self.evaluates_file(&one.text, one.given, one.file);
            }
            if !is_file && one.text.len() >= SHORTEST && !one.text.contains(super::UNKNOWN) {
                new.push(one);
            }
        }
        new
    }

    /// Text that functions of the language make code of.
    fn made_code(&self) -> Vec<(usize, Evaluated)> {
        let mut found = Vec::new();
        let compile = self.graph.known("_compile").map(Key::Name);
        for (id, call) in self.outward() {
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
                let body = body.unwrap_or(NONE);
                for text in self.known_texts(body) {
                    if let Some(text) = self.code_in(&maker, text, &arguments) {
                        found.push((id, Evaluated::by(call, body, text, maker.result(call))));
                    }
                }
            }
        }
        found
    }

    /// The program that is made of a text; nothing where it is a mere name, or no code.
    fn code_in(&self, maker: &Maker, text: String, parameters: &[Node]) -> Option<String> {
        if names_in(&text, matches!(maker, Maker::Function)).is_some() {
            return None;
        }
        match maker {
            Maker::Function => {
                let names: Vec<String> = parameters
                    .iter()
                    .filter_map(|&node| self.known_texts(node).into_iter().next())
                    .collect();
                Some(format!("(function({}){{{text}\n}})", names.join(",")))
            }
            Maker::Address => text::data_url(&text),
            // Else it is where the code lies.
            Maker::Worker => match text::data_url(&text) {
                Some(code) => Some(code),
                None => text.contains(['(', ';', '\n']).then_some(text),
            },
            Maker::Program | Maker::Module => Some(text),
        }
    }

    /// Code in the commands that are run: `node -e '...'`.
    fn inline_code(&self) -> Vec<(usize, Evaluated)> {
        let mut found = Vec::new();
        for (id, call) in self.outward() {
            let runs = self.graph.atoms(call.callee).iter().any(|(atom, _)| {
                matches!(atom, Atom::Builtin(path)
                    if calls::RUNS_COMMAND.contains(&&*self.graph.name(*path)))
            });
            if !runs {
                continue;
            }
            for line in self.command_lines(call) {
                let reading = command::read(&line, &std::collections::BTreeMap::new());
                let list = Self::argument(call, 1);
                let inline = reading.inline.into_iter();
                found.extend(inline.map(|text| (id, Evaluated::by(call, list, text, NONE))));
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

#[cfg(test)]
mod tests {
    use super::names_in;

    #[test]
    fn mere_names_are_told_from_code() {
        for (text, is_body, names) in [
            ("this", false, Some(vec!["this"])),
            ("process.env", false, Some(vec!["process", "env"])),
            (" require ; ", false, Some(vec!["require"])),
            ("return this", true, Some(vec!["this"])),
            ("return process.env;", true, Some(vec!["process", "env"])),
            ("this", true, None),
            ("returned", true, None),
            ("return a + b", true, None),
            ("f()", false, None),
            ("1.5", false, None),
            ("true", false, None),
            ("", false, None),
        ] {
            assert_eq!(names_in(text, is_body), names, "{text}");
        }
    }
}
