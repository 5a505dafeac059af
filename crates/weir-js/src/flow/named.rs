//! Secrets that are told by where they lie: whoever is given the path reads the file, or all of a home folder is
//! gone through.

use weir_model::contents::SourceKind;

use super::UNKNOWN;
use super::graph::{Atom, Call, NONE, Node, Rule};
use super::solve::Solver;
use crate::tables::credentials;

/// Methods that send the file at a path, and what they are called.
const SENDS_FILE: &[(&str, &str)] = &[
    ("fastPut", "sftp.fastPut"),
    ("uploadFrom", "ftp.uploadFrom"),
    ("sendMail", "mail.attachments"),
];
/// Purpose of the call that stands for the sending.
const SENT: u8 = 7;
/// Most attachments that are looked at.
const ATTACHED: usize = 16;

impl Solver<'_> {
    /// `sftp.fastPut(path)`, `mail.sendMail({ attachments: [{ path }] })`: what lies there is sent.
    pub(super) fn sends_file(&mut self, id: u32, name: &str, call: &Call) {
        let Some((_, path)) = SENDS_FILE.iter().find(|(method, _)| *method == name) else {
            return;
        };
        let given = match name {
            "sendMail" => self.attached(call),
            _ => vec![Self::argument(call, 0)],
        };
        let texts: Vec<String> = given
            .iter()
            .flat_map(|&node| self.known_texts(node))
            .collect();
        for text in texts {
            let Some(kind) = credentials::kind(&text) else {
                continue;
            };
            let source = self.graph.source(kind, &text, call.file, call.offset);
            let node = self.graph.node(call.file, call.offset);
            self.graph.add(node, Atom::Taint(source), NONE);
            let callee = self.graph.node(call.file, call.offset);
            self.give(callee, path);
            let sent = Call {
                callee,
                receiver: NONE,
                method: None,
                arguments: std::iter::once((node, false)).collect(),
                out: NONE,
                ..call.clone()
            };
            self.redirect(id, SENT, sent);
        }
    }

    fn attached(&self, call: &Call) -> Vec<Node> {
        let lists = self.fields_given(call, &["attachments"]).into_iter();
        let lists = lists.filter_map(|list| self.listed(list));
        let items = lists.flatten().take(ATTACHED).map(|(node, _)| node);
        let paths = items.flat_map(|item| {
            let atoms = self.graph.atoms(item).iter();
            let objects = atoms.filter_map(|(atom, _)| match atom {
                Atom::Object(object) => self.graph.objects.get(*object as usize),
                _ => None,
            });
            let named = ["path", "href"].map(|name| self.graph.known(name));
            let fields = objects.flat_map(move |object| {
                let names = named.into_iter().flatten();
                names.filter_map(|name| object.fields.get(&name).copied())
            });
            fields.collect::<Vec<Node>>()
        });
        paths.collect()
    }

    /// What install reads without anybody's having asked for that very file: where a project lies and with which
    /// tokens, and whatever a walk through the home folder comes by.
    pub(super) fn read_by_install(&mut self, path: &str, call: &Call) {
        if !self.graph.installs {
            return;
        }
        let is_of_git = path == ".git/config" || path.ends_with("/.git/config");
        let is_walk = path.starts_with("~/")
            && path.chars().skip(2).all(|c| c == UNKNOWN || c == '/')
            && self.walks_home();
        if is_of_git || is_walk {
            let detail = if is_walk { "~/*" } else { path };
            let kind = SourceKind::CredentialFile;
            let source = self.graph.source(kind, detail, call.file, call.offset);
            self.give_data(source, call);
        }
    }

    /// Whether the home folder itself is listed.
    fn walks_home(&self) -> bool {
        self.graph.rules.iter().any(|rule| match rule {
            Rule::Call(call) => {
                self.lists(call)
                    && self
                        .known_texts(Self::argument(call, 0))
                        .iter()
                        .any(|text| text.trim_end_matches('/') == "~")
            }
            _ => false,
        })
    }

    /// Secrets that scripts in other languages on a command line read, as far as these name where they lie: what
    /// they print comes out of the command.
    pub(super) fn read_by_script(&mut self, script: &str, call: &Call) {
        for text in script
            .split(['\'', '"', '`'])
            .filter(|text| text.len() < 256)
        {
            if let Some(kind) = credentials::kind(text).filter(|_| text.contains('/')) {
                let source = self.graph.source(kind, text, call.file, call.offset);
                self.give_data(source, call);
            }
        }
    }
}
