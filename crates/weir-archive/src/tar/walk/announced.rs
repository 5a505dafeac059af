//! Extended headers, which announce something about the entry that follows.

use std::io::Read;

use super::{Walk, plain_size, to_usize};
use crate::entry::Visitor;
use crate::tar::extended::{Extension, Pax};
use crate::tar::header::Header;
use crate::tar::text::{After, Text};
use crate::{ArchiveError, Rule};

/// Above this npm's extractor skips an extended header.
const NPM_EXTENDED_HEADER_BYTES: u64 = 1 << 20;

/// What an extended header says.
enum Said {
    Pax(Pax),
    Name(Text),
    Link,
}

impl<R: Read, V: Visitor + ?Sized> Walk<'_, R, V> {
    pub(super) fn extended(
        &mut self,
        header: &Header,
        name: &str,
        extension: Extension,
        usual: bool,
    ) -> Result<(), ArchiveError> {
        if !self.acceptable(header, name) {
            return Ok(());
        }
        self.oddities(header, name);
        if !usual {
            self.unusual(header.kind, name);
        }
        let size = plain_size(header);
        // npm lets an earlier pax size stand in for this header's own when it decides whether
        // there is anything to read, and then reads this header's own number of bytes.
        let apparent = self.global_size.or(self.pending.size).unwrap_or(size);
        if apparent == 0 {
            self.malformed(name, "npm takes it for empty and its data for headers");
            return Ok(());
        }
        let limit = self
            .limits
            .extended_header_bytes
            .min(NPM_EXTENDED_HEADER_BYTES);
        if apparent > limit || size > limit {
            self.report.add(Rule::ExtendedHeaderTooBig, Some(name), || {
                format!("{size} bytes, more than the limit of {limit}")
            });
            return self.skip(name, size);
        }
        let data = self.window.peek(to_usize(size));
        let complete = data.len() as u64 == size;
        let content = match extension {
            Extension::Pax | Extension::Global => Said::Pax(Pax::parse(data)),
            Extension::LongName => Said::Name(Text::parse(data)),
            Extension::LongLink => Said::Link,
        };
        let taken = data.len();
        self.window.consume(taken);
        if !complete {
            return Err(self.ended_inside(name, size - taken as u64));
        }
        match content {
            Said::Pax(pax) if extension == Extension::Global => self.global(name, pax),
            Said::Pax(pax) => self.pax(name, pax),
            Said::Name(text) => self.long_name(name, text),
            Said::Link => self.link_target(name),
        }
        self.padding(name, size)
    }

    fn pax(&mut self, name: &str, pax: Pax) {
        self.pending.any = true;
        self.pax_oddities(name, &pax);
        if let Some(long) = pax.name {
            self.name_next(long);
        }
        if pax.size.is_some() {
            self.pending.size = pax.size;
        }
    }

    fn global(&mut self, name: &str, pax: Pax) {
        let weighty = pax.name.is_some()
            || pax.size.is_some()
            || pax.link
            || !pax.unknown.is_empty()
            || pax.malformed.is_some();
        self.report
            .judge(Rule::GlobalHeader, weighty, Some(name), || {
                if weighty {
                    "npm ignores a path for all entries and honours a size; others differ"
                } else {
                    "only times, owners or comments, as `git archive` writes"
                }
                .to_owned()
            });
        self.pax_oddities(name, &pax);
        self.global_size = pax.size.or(self.global_size);
    }

    fn pax_oddities(&mut self, name: &str, pax: &Pax) {
        if let Some(why) = pax.malformed {
            self.malformed(name, why);
        }
        if pax.link {
            self.link_target(name);
        }
        if !pax.unknown.is_empty() {
            self.report.add(Rule::PaxUnknownKey, Some(name), || {
                format!("keys: {}", pax.unknown.join(", "))
            });
        }
        if !pax.metadata.is_empty() {
            self.report.add_once(Rule::PaxMetadata, Some(name), || {
                format!("keys: {}", pax.metadata.join(", "))
            });
        }
    }

    fn long_name(&mut self, name: &str, text: Text) {
        self.pending.any = true;
        if text.after != After::Nothing {
            self.malformed(name, "more behind the end of a long name");
        }
        self.check_utf8(&text, name);
        self.name_next(text.text);
    }

    fn name_next(&mut self, long: String) {
        if self.pending.name.is_some() {
            self.report.add(Rule::TwoLongNames, Some(&long), || {
                "npm takes the last of several extended headers".to_owned()
            });
        }
        self.pending.name = Some(long);
    }

    fn link_target(&mut self, name: &str) {
        self.pending.any = true;
        self.report.add(Rule::PaxLink, Some(name), || {
            "a link target for the next entry; npm drops a file whose target leaves the package"
                .to_owned()
        });
    }

    fn malformed(&mut self, name: &str, why: &'static str) {
        self.report
            .add(Rule::MalformedExtendedHeader, Some(name), || why.to_owned());
    }
}
