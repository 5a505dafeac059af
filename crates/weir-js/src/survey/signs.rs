//! What speaks for a flow.

use crate::tables::targets;

/// Both ends of what travels, or of what is done to something, as bits: each bit is one kind, and whoever has it
/// in both has both ends.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) from: u8,
    pub(crate) to: u8,
}

/// Secrets, and what sends.
pub(crate) const SECRETS: u8 = 1 << 3;
/// Text that was fetched or decoded, and what makes code of text.
pub(crate) const TEXT: u8 = 1 << 4;
/// The same, and what runs commands that are not known.
pub(crate) const COMMANDS: u8 = 1 << 5;
/// All kinds. Those of [`targets`] come first: names of what matters, and calls whose target is not known.
pub(crate) const KINDS: [u8; 6] = [
    SECRETS,
    TEXT,
    COMMANDS,
    targets::WRITES,
    targets::REMOVES,
    targets::STARTS,
];

impl Ends {
    /// What both have.
    pub(crate) fn add(&mut self, other: Self) {
        self.from |= other.from;
        self.to |= other.to;
    }

    /// The kinds of which both ends are there.
    pub(crate) fn both(self) -> u8 {
        self.from & self.to
    }
}

/// Calls of which it is not known what they are done to, or with.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsure {
    /// What is done, in the bits of [`targets`].
    pub(crate) verbs: u8,
    /// A command is run of which it is not known what it starts.
    pub(crate) commands: bool,
}

impl Unsure {
    pub(crate) fn add(&mut self, other: Self) {
        self.verbs |= other.verbs;
        self.commands |= other.commands;
    }
}

/// What speaks for a flow, in a file or in a part of one.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Signs {
    /// It may read secrets.
    pub(crate) source: bool,
    /// It reads a member `env` of something: the environment, if that is the process.
    pub(crate) env_of_something: bool,
    /// It may talk to the network.
    pub(crate) sink: bool,
    /// It hides what it loads or calls.
    pub(crate) dynamic: bool,
    /// It decodes text.
    pub(crate) decodes: bool,
    /// It names a data file beside it.
    pub(crate) names_data: bool,
    /// It makes code of text that is no literal.
    pub(crate) runs_text: bool,
    /// It asks the network for something, or decodes what may be a command.
    pub(crate) brings: bool,
    /// What it calls without saying to what.
    pub(crate) unsure: Unsure,
    pub(super) loads_by_alias: bool,
    pub(super) names_module: bool,
    /// A literal is the name of a program that prints secrets, among other things.
    pub(super) names_tool: bool,
    /// Members whose name is what a function makes of constants.
    pub(super) decoded_names: u32,
}

impl Signs {
    /// It may read secrets, given whether any file of the package holds the process by an alias.
    pub(crate) fn may_read(&self, holds_process: bool) -> bool {
        self.source || self.dynamic || (holds_process && self.env_of_something)
    }

    /// It may send something away.
    pub(crate) fn may_send(&self) -> bool {
        self.sink || self.dynamic
    }

    /// The ends that it may be. `named` says what the text names of what matters, in the bits of [`targets`].
    pub(crate) fn ends(&self, holds_process: bool, named: u8) -> Ends {
        let bit = |holds: bool, kind: u8| if holds { kind } else { 0 };
        Ends {
            from: bit(self.may_read(holds_process), SECRETS)
                | bit(self.may_unpack(), TEXT)
                | bit(self.brings, COMMANDS)
                | named,
            to: bit(self.may_send(), SECRETS)
                | bit(self.runs_text, TEXT)
                | bit(self.unsure.commands, COMMANDS)
                | self.unsure.verbs,
        }
    }

    /// It may hold text that was fetched or decoded, or lies in no file of code.
    pub(crate) fn may_unpack(&self) -> bool {
        self.sink || self.decodes || self.names_data
    }

    /// What several observations say together.
    pub(super) fn conclude(&mut self) {
        if self.loads_by_alias && (self.names_module || self.decodes) || self.decoded_names > 1 {
            self.dynamic = true;
        }
        // Who hides the names of members may hide what they do with text, too.
        self.runs_text |= self.decoded_names > 1;
    }

    /// Adds what a part shows to what the file shows.
    pub(super) fn add(&mut self, part: Self) {
        self.source |= part.source;
        self.env_of_something |= part.env_of_something;
        self.sink |= part.sink;
        self.dynamic |= part.dynamic;
        self.decodes |= part.decodes;
        self.names_data |= part.names_data;
        self.runs_text |= part.runs_text;
        self.brings |= part.brings;
        self.unsure.add(part.unsure);
        self.loads_by_alias |= part.loads_by_alias;
        self.names_module |= part.names_module;
        self.names_tool |= part.names_tool;
        self.decoded_names = self.decoded_names.saturating_add(part.decoded_names);
    }
}
