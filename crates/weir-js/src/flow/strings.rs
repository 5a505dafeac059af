//! Strings that are put together, encoded and decoded: what they fold to, and the data in them.

use smallvec::SmallVec;
use weir_model::contents::SourceKind;

use super::builtins::REPORT;
use super::graph::{Atom, Call, LONG_TEXT, NONE, Names, Node, Rule, TEXT_BYTES};
use super::solve::Solver;
use super::text;

impl Solver<'_> {
    pub(super) fn concat(&mut self, parts: &[Node], out: Node) {
        for &part in parts {
            self.content_of_text(part, out);
            self.said_by(part, super::ways::AS_TEXT, out);
        }
        self.joined_cookies(parts, out);
        let is_guessing = self.is_guessing;
        self.fold(parts, out, |pieces| {
            (is_guessing || pieces.iter().all(Option::is_some))
                .then(|| super::text::concat(pieces))
                .flatten()
        });
    }

    /// An object in a string is its text; the environment object is `[object Object]`.
    fn content_of_text(&mut self, from: Node, out: Node) {
        for atom in self.graph.held(from) {
            match atom {
                Atom::Taint(_) => self.graph.add(out, atom, from),
                Atom::Object(object) => {
                    let Some(data) = self.graph.data(object, false, self.current) else {
                        continue;
                    };
                    // `'"use strict";' + module` is no code that lies somewhere in the module.
                    match self.graph.follows_code && self.graph.is_record(object) {
                        true => self.derive(Rule::Undecoded {
                            from: data,
                            out,
                            fetched: false,
                        }),
                        false => self.graph.copy(data, out),
                    }
                }
                _ => {}
            }
        }
    }

    /// Of what a node holds, the data that was not decoded, and where `fetched` does not count, not fetched either.
    pub(super) fn undecoded(&mut self, from: Node, out: Node, fetched: bool) {
        for atom in self.graph.held(from) {
            let Atom::Taint(source) = atom else {
                continue;
            };
            let passes = match self.kind(source) {
                Some(SourceKind::Decoded) => false,
                Some(SourceKind::Fetched) => fetched,
                _ => true,
            };
            if passes {
                self.graph.add(out, atom, from);
            }
        }
    }

    /// Adds to `out` what `fold` makes of each combination of the parts' constants. A part without
    /// a constant is `None`.
    pub(crate) fn fold(
        &mut self,
        parts: &[Node],
        out: Node,
        fold: impl Fn(&[Option<&str>]) -> Option<String>,
    ) {
        if parts.len() > 4096 {
            return;
        }
        let choices: SmallVec<[Names; 4]> =
            parts.iter().map(|&part| self.graph.texts(part)).collect();
        let combinations = choices
            .iter()
            .map(|choice| choice.len().max(1))
            .try_fold(1_usize, |product, next| {
                product.checked_mul(next).filter(|&product| product <= 16)
            })
            // Too many: the first of each says enough.
            .unwrap_or(1);
        for combination in 0..combinations {
            let folded = fold(&self.pieces(&choices, combination));
            if let Some(text) = folded {
                if text.len() > TEXT_BYTES
                    && (text.len() > LONG_TEXT || !self.graph.keeps_text(text.len()))
                {
                    continue;
                }
                let text = self.graph.intern(&text);
                let from = parts
                    .iter()
                    .copied()
                    .find(|&part| part != NONE)
                    .unwrap_or(NONE);
                self.graph.add(out, Atom::Text(text), from);
            }
        }
    }

    /// One of the combinations of texts that parts may have, by its number.
    fn pieces(&self, choices: &[Names], combination: usize) -> SmallVec<[Option<&str>; 8]> {
        let mut rest = combination;
        let pick = |choice: &Names| {
            let count = choice.len().max(1);
            let pick = rest % count;
            rest /= count;
            choice.get(pick).map(|&name| self.graph.text(name))
        };
        choices.iter().map(pick).collect()
    }

    /// Encoders and decoders.
    pub(super) fn transform(&mut self, id: u32, path: &str, call: &Call) {
        for &(argument, _) in &call.arguments {
            self.derive(Rule::Content {
                from: argument,
                out: call.out,
            });
        }
        let parts: Vec<Node> = call
            .arguments
            .iter()
            .take(2)
            .map(|(node, _)| *node)
            .collect();
        if path == "String" {
            self.said_by(Self::argument(call, 0), super::ways::AS_TEXT, call.out);
        }
        if path == "JSON.parse" {
            self.each_value(call);
        }
        if path == "JSON.stringify" {
            self.said_by(Self::argument(call, 0), super::ways::AS_JSON, call.out);
            self.each_value(call);
            self.whole_report(call);
            // In a command it is the quoted text. Elsewhere it is mostly a piece of code that is made of others.
            if !self.graph.installs {
                return;
            }
            self.fold(&[Self::argument(call, 0)], call.out, |pieces| {
                let text = pieces.first().copied().flatten();
                let whole = text.filter(|text| !text.contains(super::UNKNOWN))?;
                serde_json::to_string(whole).ok()
            });
            return;
        }
        if parts.is_empty() {
            return;
        }
        self.fold(&parts, call.out, |pieces| {
            let text = (*pieces.first()?)?;
            match path {
                "Buffer.from" | "Buffer" => {
                    text::decode(text, pieces.get(1).copied().flatten().unwrap_or("utf8"))
                }
                "atob" => text::decode(text, "base64"),
                "unescape" | "decodeURIComponent" | "decodeURI" => text::unescape(text),
                "btoa" => None,
                _ => Some(text.to_owned()),
            }
        });
        // `JSON.parse` and clones keep structure that is known.
        if matches!(path, "structuredClone" | "String") {
            self.graph.copy(Self::argument(call, 0), call.out);
        }
        if path == "JSON.parse" {
            self.parsed(id, call);
        }
    }

    /// All of the diagnostic report: the environment is in it.
    fn whole_report(&mut self, call: &Call) {
        let Some(report) = self.graph.known(REPORT) else {
            return;
        };
        let mut atoms = self.graph.atoms(Self::argument(call, 0)).iter();
        if atoms.any(|(atom, _)| *atom == Atom::Builtin(report)) {
            let kind = SourceKind::Environment;
            let source = self.graph.source(kind, REPORT, call.file, call.offset);
            self.graph.add(call.out, Atom::Taint(source), NONE);
        }
    }

    /// `String.fromCharCode(104, 116)` and with a spread array.
    pub(super) fn characters(&mut self, call: &Call) {
        let mut codes = Vec::new();
        for &(argument, is_spread) in &call.arguments {
            self.loose_content(argument, false, call.out);
            match self.listed(argument) {
                Some(list) if is_spread => codes.extend(list.iter().map(|(node, _)| *node)),
                _ => codes.push(argument),
            }
        }
        self.fold(&codes, call.out, |pieces| {
            pieces
                .iter()
                .map(|piece| {
                    piece
                        .and_then(|text| text.parse().ok())
                        .and_then(char::from_u32)
                })
                .collect()
        });
    }
}
