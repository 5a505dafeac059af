//! What code is able to do and to whom it talks, from one look at each file.
//!
//! Ability is told by names: the module that is loaded, the function that is called on it, the path
//! or command it is given. Names are followed within one file and constants are folded within one
//! file; where a chain needs more than that, the value flow says so. A release is compared with the
//! one before, so that what matters here is that the same code gives the same answer every time.

mod at_load;
mod collected;
mod effects;
mod fold;
mod foreign;
mod gates;
mod names;
mod options;
mod page;
mod paths;
mod syntax;
mod unsure;
mod visit;
mod wallet;

use std::borrow::Cow;
use std::collections::BTreeMap;

use weir_model::contents::{CapabilityKind, HostClass, SinkKind};

use crate::command;
use crate::survey::Unsure;
use crate::tables::{hosts, network, targets};

pub(crate) use at_load::AtLoad;
pub(crate) use collected::Collected;
pub(crate) use fold::{ENCODED, OWN};
pub(crate) use gates::Gates;
pub(crate) use paths::{Stand, Touch, Verb, is_everything, is_own_data, judge};

/// What is told of code that both reads and replaces what was copied.
pub(crate) const EXCHANGES: &str = "reads and replaces what was copied";
/// How the use of an assistant's library is told of.
pub(crate) const BY_LIBRARY: &str = "an assistant's library";
/// Most modules of a bundle that stand for modules outside of it, per file.
const OUTSIDE: usize = 64;

/// Most scripts in other languages that one file starts.
const SCRIPTS: usize = 8;

/// Most hosts that are kept per file.
const HOSTS: usize = 48;
/// Most paths that are kept per file.
const TOUCHES: usize = 64;
/// Most names and constants that are followed per file: more belong to tables and bundles, where
/// looking them up costs more than it tells.
const NAMES: usize = 48;

/// Most acts that are kept per file because they may happen when it is loaded.
const DEEDS: usize = 64;

/// Whether it makes a difference that this happens as soon as a file is loaded.
pub(crate) const fn tells_at_load(kind: CapabilityKind) -> bool {
    use CapabilityKind::{DetachedProcess, DisablesTls, DrivesAgents, Publishes, RemoteScript};
    matches!(
        kind,
        DetachedProcess | DisablesTls | DrivesAgents | Publishes | RemoteScript
    )
}

/// Most acts that are kept per file because each of them is told.
const TOLD: usize = 64;

/// Whether signals tell of each place by itself: who cleans up after an attack has to know all files that it wrote.
pub(crate) const fn tells_each(kind: CapabilityKind) -> bool {
    use CapabilityKind::{
        DetachedProcess, DisablesTls, DrivesAgents, Native, Persists, Publishes, RemoteScript,
        RemovesHome, RemovesItself, WritesPackages,
    };
    matches!(
        kind,
        DetachedProcess
            | DisablesTls
            | DrivesAgents
            | Native
            | Persists
            | Publishes
            | RemoteScript
            | RemovesHome
            | RemovesItself
            | WritesPackages
    )
}

/// The field of a publish request that holds the tarball.
const TARBALL: &str = "_attachments";
/// How such a request is told of.
pub(crate) const BY_REQUEST: &str = "a publish request (_attachments)";

/// The variables that every connection of a program heeds, as they are told of where they are set.
pub(crate) const FOR_ALL: &str = "the program and its children";

/// Whether it is one of the acts beside which checks that are switched off count.
pub(crate) const fn reaches_out(kind: CapabilityKind) -> bool {
    matches!(kind, CapabilityKind::Network | CapabilityKind::Process)
}

/// How sure a mention is: a later and surer one takes the place of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    /// A module is loaded that can do it.
    Loaded,
    /// A function is called that does it.
    Called,
    /// It is known what exactly it is done to.
    Exact,
}

/// Something a file is able to do, where it shows best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    /// Which.
    pub(crate) kind: CapabilityKind,
    /// What exactly.
    pub(crate) detail: Cow<'static, str>,
    /// Byte offset in the file.
    pub(crate) offset: u32,
    sure: Sure,
}

/// A host that a call is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contact {
    /// The name, in lower case.
    pub(crate) host: String,
    /// What kind.
    pub(crate) class: HostClass,
    /// Byte offset in the file.
    pub(crate) offset: u32,
}

/// What one file is able to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    acts: Vec<Act>,
    contacts: Vec<Contact>,
    touches: Vec<Touch>,
    /// Local names of modules and their functions: `cp` is `child_process`.
    names: Vec<(String, String)>,
    /// A bit for each of these names: most words of a file are none of them.
    name_bits: u64,
    /// Constants by name.
    constants: Vec<(String, String)>,
    /// Names of longer texts.
    plain: Vec<String>,
    /// Folders whose entries are listed.
    listed: Vec<String>,
    /// Folders of which a file is loaded whose name is not known.
    picks: Vec<String>,
    /// Keys of a bundle's modules that are modules outside of it: `200` is `child_process`.
    outside: Vec<(String, String)>,
    /// A folder whose path is not known is listed.
    lists_unknown: bool,
    /// A field `name` is given what is drawn by lot.
    renames: bool,
    /// A file is written.
    writes: bool,
    /// A program is started.
    starts: bool,
    /// Calls of which it is not known what they are done to.
    unsure: Unsure,
    /// A program is started that writes secrets to its output.
    prints_secrets: bool,
    /// Local names of what packages give that nobody here knows.
    foreign: Vec<String>,
    /// Names of constants that are shells.
    shells: Vec<String>,
    /// It asks which program a visitor uses, and at which address the page lies.
    asks: (bool, bool),
    /// Names of elements made by `createElement('script')`.
    scripts: Vec<String>,
    /// Other names of wallets of the page, and which.
    wallets: Vec<(String, String)>,
    /// Names of options of child processes.
    options: Vec<options::ChildOptions>,
    /// Names of fields of a page whose text was compared with the pattern of a coin's address.
    tested: Vec<String>,
    /// Kinds that are known as well as they can be.
    settled: u32,
    /// What may happen when the file is loaded: all of it, as the first of a kind may wait for a caller.
    deeds: Vec<Act>,
    /// What is told of each place by itself, where it is done and not only loaded.
    told: Vec<Act>,
    /// What was copied is read; and replaced.
    copied: (bool, bool),
    /// Code is made of text that is no literal.
    runs_text: bool,
    /// A cloud's metadata service is named.
    names_metadata: bool,
    /// Scripts in other languages that are started, by their paths.
    started: Vec<String>,
    /// Command lines that lead on to something else than their own program.
    lines: Vec<String>,
}

/// What was known about a file before one of its parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    settled: u32,
    runs_text: bool,
    names_metadata: bool,
    unsure: Unsure,
    prints_secrets: bool,
}

impl Seen {
    /// Notes an ability.
    pub(crate) fn act(
        &mut self,
        kind: CapabilityKind,
        detail: impl Into<Cow<'static, str>>,
        offset: u32,
        sure: Sure,
    ) {
        let detail = detail.into();
        // To load a module is to do nothing with it yet.
        let acts = sure >= Sure::Called || kind == CapabilityKind::DrivesAgents;
        let may_tell = acts && (tells_at_load(kind) || reaches_out(kind));
        if may_tell && self.deeds.len() < DEEDS {
            self.deeds.push(Act {
                kind,
                detail: detail.clone(),
                offset,
                sure,
            });
        }
        if tells_each(kind) && sure >= Sure::Called && self.told.len() < TOLD {
            self.told.push(Act {
                kind,
                detail: detail.clone(),
                offset,
                sure,
            });
        }
        let bit = 1_u32 << (kind as u32);
        if self.settled & bit != 0 {
            return;
        }
        if sure >= Sure::Called {
            self.settled |= bit;
        }
        match self.acts.iter_mut().find(|act| act.kind == kind) {
            Some(act) if act.sure >= sure => {}
            Some(act) => {
                act.detail = detail;
                act.offset = offset;
                act.sure = sure;
            }
            None => self.acts.push(Act {
                kind,
                detail,
                offset,
                sure,
            }),
        }
    }

    /// What may happen when the file is loaded.
    pub(crate) fn deeds(&self) -> &[Act] {
        &self.deeds
    }

    /// Whether it reads what identifies or belongs to its host, or asks a cloud who it is.
    pub(crate) fn reads_the_host(&self) -> bool {
        [
            CapabilityKind::HostFacts,
            CapabilityKind::Clipboard,
            CapabilityKind::SecretFiles,
        ]
        .into_iter()
        .any(|kind| self.is_settled(kind))
            || self.names_metadata
            || self.prints_secrets
    }

    /// Whether it asks the network for something, by a call.
    pub(crate) fn asks_network(&self) -> bool {
        self.is_settled(CapabilityKind::Network) || self.is_settled(CapabilityKind::Dns)
    }

    /// Whether it starts a program of which it is not known which, or with which words.
    pub(crate) fn starts_with_words(&self) -> bool {
        self.unsure.verbs & targets::STARTS != 0
    }

    /// Whether code is made of text that is no literal, or a program started where files are written
    /// and the network is used.
    pub(crate) fn runs_text(&self) -> bool {
        self.runs_text || (self.starts && self.writes && self.is_settled(CapabilityKind::Network))
    }

    /// Whether files are written and programs started.
    pub(crate) fn starts_what_it_writes(&self) -> bool {
        self.starts && self.writes
    }

    /// Whether files are written and something talks to the network.
    pub(crate) fn fetches_what_it_writes(&self) -> bool {
        self.writes && self.is_settled(CapabilityKind::Network)
    }

    /// Forgets for a while what is settled, so that a part of the file shows what it holds itself.
    pub(crate) fn unsettle(&mut self) -> Settled {
        Settled {
            settled: std::mem::take(&mut self.settled),
            runs_text: std::mem::take(&mut self.runs_text),
            names_metadata: std::mem::take(&mut self.names_metadata),
            unsure: std::mem::take(&mut self.unsure),
            prints_secrets: std::mem::take(&mut self.prints_secrets),
        }
    }

    /// Remembers what was known before.
    pub(crate) fn settle(&mut self, before: Settled) {
        self.settled |= before.settled;
        self.runs_text |= before.runs_text;
        self.names_metadata |= before.names_metadata;
        self.unsure.add(before.unsure);
        self.prints_secrets |= before.prints_secrets;
    }

    /// Whether an ability was noted from a call, not only from a load.
    fn is_settled(&self, kind: CapabilityKind) -> bool {
        self.settled & (1_u32 << (kind as u32)) != 0
    }

    /// Notes the host of an address, of any kind where the call is known to talk to the network,
    /// else only where the kind alone says something.
    pub(crate) fn contact(&mut self, text: &str, offset: u32, talks: bool) {
        let Some(host) = network::host_of(text) else {
            return;
        };
        self.contact_host(host, text, offset, talks);
    }

    fn contact_host(&mut self, host: String, text: &str, offset: u32, talks: bool) {
        if !is_host(&host) {
            return;
        }
        let class = hosts::classify(&host, text);
        self.names_metadata |= class == HostClass::CloudMetadata;
        if !talks && matches!(class, HostClass::Other | HostClass::Local) {
            return;
        }
        if self.contacts.len() >= HOSTS || self.contacts.iter().any(|known| known.host == host) {
            return;
        }
        self.contacts.push(Contact {
            host,
            class,
            offset,
        });
    }

    /// Scripts in other languages that are started, by their paths.
    pub(crate) fn started(&self) -> &[String] {
        &self.started
    }

    /// Command lines whose meaning depends on other files of the package, or that hold other languages.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Whether it talks to the network: what it unpacks may be what it fetched.
    pub(crate) fn talks(&self) -> bool {
        self.is_settled(CapabilityKind::Network) || !self.contacts.is_empty()
    }

    /// What a command line does, that code runs.
    pub(crate) fn command(&mut self, text: &str, offset: u32) {
        let reading = command::read(text, &BTreeMap::new());
        let scripts = reading.files.iter().filter(|path| {
            !path.contains(crate::flow::UNKNOWN) && crate::script::language(path, b"").is_some()
        });
        let left = SCRIPTS.saturating_sub(self.started.len());
        self.started.extend(scripts.take(left).cloned());
        let leads_on = reading.leads_on() && !text.contains(crate::flow::UNKNOWN);
        if leads_on && self.lines.len() < SCRIPTS {
            self.lines.push(text.to_owned());
        }
        // Code in a command is code made of text, as is what a command fetches and runs.
        self.runs_text |= !reading.inline.is_empty()
            || reading
                .leaks
                .iter()
                .any(|leak| leak.sink == SinkKind::Process);
        for mut act in reading.acts {
            if act.kind == CapabilityKind::Publishes && self.renames {
                act.detail.push_str(" under a name drawn by lot");
            }
            self.act(act.kind, act.detail, offset, Sure::Called);
        }
        for (host, text) in reading.hosts {
            self.contact_host(host, &text, offset, true);
        }
    }
}

/// Whether a text can be the name of a host: what is built at run time cannot.
fn is_host(host: &str) -> bool {
    host.len() >= 3
        && host.len() <= 253
        && (host.contains(['.', ':'])
            || host == "localhost"
            // An address as one number; a short one is a port.
            || (host.len() >= 8 && host.bytes().all(|b| b.is_ascii_digit())))
        && !host.starts_with(['.', '-'])
        && !host.ends_with(['.', '-', ':'])
        && host.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

/// The ability that a touched path shows, and what exactly.
pub(crate) fn judged(touch: &Touch, stand: Stand<'_>) -> Option<(CapabilityKind, String)> {
    judge(touch, stand).map(|act| (act.kind, act.detail.into_owned()))
}
