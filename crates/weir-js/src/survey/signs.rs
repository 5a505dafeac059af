//! What speaks for a flow.

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
    pub(super) loads_by_alias: bool,
    pub(super) names_module: bool,
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
        self.loads_by_alias |= part.loads_by_alias;
        self.names_module |= part.names_module;
        self.decoded_names = self.decoded_names.saturating_add(part.decoded_names);
    }
}
