//! Edits of a document at byte positions.

use std::ops::Range as ByteRange;

use super::super::Packument;
use super::super::index::Span;

/// Replacements in a document, each a span and its new bytes.
#[derive(Default)]
pub(super) struct Edits {
    spans: Vec<(Span, ByteRange<usize>)>,
    texts: Vec<u8>,
}

impl Edits {
    pub(super) fn replace(&mut self, span: Span, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.texts.len();
        write(&mut self.texts);
        self.spans.push((span, start..self.texts.len()));
    }

    fn cut(&mut self, span: Span) {
        self.replace(span, |_| ());
    }

    /// Cuts members of an object together with the comma that separated them. Members are given in
    /// document order, as key, value and whether to keep them.
    pub(super) fn cut_members<'m>(
        &mut self,
        members: impl Iterator<Item = (&'m Span, &'m Span, bool)>,
    ) {
        let mut any_kept = false;
        // The end of the previous member, and the start of one that was dropped before any was kept.
        let (mut previous_end, mut dropped_from) = (0, None);
        for (key, value, keep) in members {
            if let Some(start) = dropped_from.take() {
                // Up to this key, and so with the comma in between.
                self.cut(start..key.start);
            }
            if keep {
                any_kept = true;
            } else if any_kept {
                self.cut(previous_end..value.end);
            } else {
                dropped_from = Some(key.start);
            }
            previous_end = value.end;
        }
        if let Some(start) = dropped_from {
            self.cut(start..previous_end);
        }
    }

    /// Writes a part of the document with the edits inside it.
    pub(super) fn apply(mut self, packument: &Packument, within: &Span, out: &mut Vec<u8>) {
        self.spans.sort_by_key(|(span, _)| (span.start, span.end));
        let mut copied = within.start;
        for (span, text) in self.spans {
            out.extend_from_slice(packument.bytes(&(copied..span.start)));
            out.extend_from_slice(self.texts.get(text).unwrap_or_default());
            copied = span.end;
        }
        out.extend_from_slice(packument.bytes(&(copied..within.end)));
    }

    /// Bytes that will be written in place of others.
    pub(super) fn written(&self) -> usize {
        self.texts.len()
    }
}
