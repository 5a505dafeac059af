//! Calls of which this file does not tell what they are done to: paths and commands that a helper is given, that a
//! loop goes through, or that come from elsewhere.

use oxc_ast::ast::{Argument, Expression};

use weir_model::contents::SourceKind;

use super::syntax::first;
use super::{Seen, Verb};
use crate::command;
use crate::flow::UNKNOWN;
use crate::survey::Unsure;
use crate::tables::targets;

/// Deepest choice in choice that is looked into for a shell.
const DEPTH: usize = 4;
/// Most words of a list that are looked at.
const WORDS: usize = 32;
/// Longest name of a shell, in bytes: `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe` is shorter.
const SHELL: usize = 80;
/// Most names of shells that are kept per file.
const SHELLS: usize = 8;

/// Whether a text is not known, or not all of it.
fn is_open(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.contains(UNKNOWN))
}

/// Options of shells and interpreters behind which a command or code stands.
const CODE: [&str; 7] = ["-c", "-e", "-p", "--eval", "/c", "/C", "-Command"];

/// Whether a shell is given a command among its words, as far as these are written there. A script is none.
fn runs_word(arguments: &[Argument<'_>]) -> bool {
    let Some(Expression::ArrayExpression(list)) = first(arguments, 1) else {
        return true;
    };
    list.elements.iter().take(WORDS).any(|element| {
        let word = element.as_expression().and_then(super::syntax::text);
        word.is_some_and(|word| CODE.contains(&word))
    })
}

impl Seen {
    /// Calls whose target is not known, in the file or the part that is looked at.
    pub(crate) fn unsure(&self) -> Unsure {
        self.unsure
    }

    /// A path that is written or removed.
    pub(super) fn note_touch(&mut self, verb: Verb, path: Option<&str>) {
        if is_open(path) {
            self.unsure.verbs |= match verb {
                Verb::Write => targets::WRITES,
                Verb::Remove { .. } => targets::REMOVES,
            };
        }
    }

    /// A program that is started, with the words it is given in a list. Of a shell each word may be the command.
    pub(super) fn note_start(&mut self, program: Option<&str>, arguments: &[Argument<'_>]) {
        if arguments.is_empty() {
            return;
        }
        let is_open_word = match first(arguments, 1) {
            Some(Expression::ArrayExpression(list)) => {
                list.elements.len() > WORDS
                    || list.elements.iter().any(|element| {
                        let word = element.as_expression().and_then(|it| self.fold(it));
                        is_open(word.as_deref())
                    })
            }
            None
            | Some(
                Expression::ObjectExpression(_)
                | Expression::ArrowFunctionExpression(_)
                | Expression::FunctionExpression(_),
            ) => false,
            Some(_) => true,
        };
        if is_open(program) || is_open_word {
            self.unsure.verbs |= targets::STARTS;
        }
        let is_told = match program {
            None => true,
            Some(line) if line.contains(UNKNOWN) => command::is_open(line),
            Some(program) => is_open_word && command::is_shell(program) && runs_word(arguments),
        };
        self.unsure.commands |= is_told;
    }

    /// Whether the output of a program is a secret, whichever of two command lines it is.
    pub(super) fn may_print(&self, program: Option<&Expression<'_>>, line: &str) -> bool {
        let prints = |line: &str| {
            let mut found = command::sources(line).into_iter();
            found.any(|stolen| {
                matches!(
                    stolen.kind,
                    SourceKind::Environment
                        | SourceKind::SecretVariable
                        | SourceKind::CredentialFile
                        | SourceKind::CredentialTool
                )
            })
        };
        let other = match program {
            Some(Expression::ConditionalExpression(choice)) => self.fold(&choice.alternate),
            _ => None,
        };
        prints(line) || other.is_some_and(|line| prints(&line))
    }

    /// Remembers a name for a shell: `const shell = isWindows ? 'cmd.exe' : '/bin/sh'`.
    pub(super) fn name_shell(&mut self, name: &str, init: &Expression<'_>) {
        let is_choice = matches!(
            init,
            Expression::StringLiteral(_)
                | Expression::ConditionalExpression(_)
                | Expression::LogicalExpression(_)
        );
        if is_choice && self.shells.len() < SHELLS && self.is_shell(init, 0) {
            self.shells.push(name.to_owned());
        }
    }

    /// Whether an expression may name a shell.
    pub(crate) fn is_shell(&self, it: &Expression<'_>, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        match it {
            Expression::StringLiteral(text) => {
                text.value.len() <= SHELL && command::is_shell(text.value.as_str())
            }
            Expression::ConditionalExpression(choice) => {
                self.is_shell(&choice.consequent, depth + 1)
                    || self.is_shell(&choice.alternate, depth + 1)
            }
            Expression::LogicalExpression(choice) => {
                self.is_shell(&choice.left, depth + 1) || self.is_shell(&choice.right, depth + 1)
            }
            Expression::ParenthesizedExpression(inner) => {
                self.is_shell(&inner.expression, depth + 1)
            }
            Expression::Identifier(name) => {
                self.shells.iter().any(|known| known == name.name.as_str())
            }
            // `process.env.ComSpec`, `process.env.SHELL`
            Expression::StaticMemberExpression(member) => {
                matches!(
                    member.property.name.as_str(),
                    "ComSpec" | "COMSPEC" | "SHELL"
                )
            }
            _ => false,
        }
    }
}
