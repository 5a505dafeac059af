//! What a file loads, starts and makes code of, and what that says of it.

use oxc_ast::ast::{Argument, ArrayExpressionElement, Expression};
use oxc_span::GetSpan;

use super::Survey;
use super::shapes::{is_decoded, literal, started_path};
use crate::tables::{calls, network, uploads, vaults};

impl Survey {
    pub(super) fn load(&mut self, specifier: &str, offset: u32) {
        self.seen.load(specifier, offset);
        // The address is the code.
        self.signs.dynamic |= specifier.starts_with("data:") && specifier.contains("script");
        let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
        let module = bare.split('/').next().unwrap_or(bare);
        if calls::SENDING_MODULES.contains(&module)
            || network::is_client(bare)
            || uploads::is_uploader(bare)
            || matches!(
                bare,
                "execa"
                    | "cross-spawn"
                    | "shelljs"
                    | "zx"
                    | "ws"
                    | "bun"
                    | "xhr2"
                    | "ssh2"
                    | "ssh2-sftp-client"
                    | "basic-ftp"
                    | "xmlhttprequest"
                    | "xmlhttprequest-ssl"
            )
        {
            self.signs.sink = true;
        }
        self.signs.source |= vaults::is_vault(bare);
        if module == "process" {
            self.process_by_alias = true;
            self.signs.env_of_something = true;
        }
        // Another package may lie in the tarball; what has a colon is of Node, or an address.
        if !specifier.contains(':') && specifier.len() < 512 {
            self.imports.push(specifier.to_owned());
        }
    }

    /// A file that runs beside this one: `new Worker('./x.js')`, `fork(require.resolve('./x'))`.
    pub(super) fn start_argument(&mut self, arguments: &[Argument<'_>]) {
        let first = arguments.first().and_then(Argument::as_expression);
        let Some(specifier) = first.and_then(started_path) else {
            return;
        };
        // Browsers take the path of a worker from their page, Node from the working folder.
        let is_name = !specifier.contains("://") && specifier.contains(".");
        let specifier = match specifier.starts_with(['.', '/']) {
            true => specifier,
            false if is_name => format!("./{specifier}"),
            false => return,
        };
        self.load(&specifier, first.map_or(0, |first| first.span().start));
        if specifier.len() < 512 {
            self.starts.push(specifier);
        }
    }

    pub(super) fn load_argument(&mut self, argument: Option<&Expression<'_>>) {
        match argument.map(literal) {
            Some(Some(specifier)) => {
                let offset = argument.map_or(0, |argument| argument.span().start);
                self.load(&specifier, offset);
            }
            Some(None) => self.signs.loads_by_alias = true,
            None => {}
        }
        if argument.is_some_and(is_decoded) {
            self.signs.dynamic = true;
        }
    }

    /// Text is turned into code, which may do anything. `Function('return this')` and the like are
    /// how libraries find the global object.
    pub(super) fn evaluates(&mut self, arguments: &[Argument<'_>]) {
        let Some(last) = arguments.last().and_then(Argument::as_expression) else {
            return;
        };
        let is_trivial = literal(last).is_some_and(|text| {
            text.len() < 24 && !text.contains("require") && !text.contains("process")
        });
        if !is_trivial {
            self.signs.dynamic = true;
        }
    }

    /// Whether a call starts a shell that runs whatever it is told: `spawn('/bin/sh', ['-i'])`.
    pub(super) fn starts_bare_shell(&self, arguments: &[Argument<'_>]) -> bool {
        let program = arguments.first().and_then(Argument::as_expression);
        program.is_some_and(|program| self.seen.is_shell(program, 0))
            && match arguments.get(1) {
                None | Some(Argument::ObjectExpression(_)) => true,
                Some(Argument::ArrayExpression(list)) => list.elements.iter().all(|word| {
                    matches!(word, ArrayExpressionElement::StringLiteral(word) if word.value == "-i")
                }),
                _ => false,
            }
    }
}
