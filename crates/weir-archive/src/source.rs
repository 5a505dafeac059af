//! From the caller's reader to unpacked bytes in one growing window.

mod gzip;
mod input;

use std::io::Read;

use crate::{ArchiveError, Limits};

use gzip::Gunzip;
pub(crate) use gzip::Note;

/// The window is filled in whole blocks, so that what it holds ends where a block ends. Sums over
/// data that spans two fillings rely on it.
const BLOCK: usize = 512;

/// First size of the window. Large enough that most files lie in it whole and are handed to the
/// caller without a copy, small enough to stay in a core's cache.
const WINDOW_BYTES: usize = 256 << 10;

/// Unpacked bytes, of which a stretch can be asked for in one piece.
///
/// It never fails: on an error the stream ends where the error is, and [`Window::fault`] says so
/// once everything before it has been read.
#[derive(Debug)]
pub(crate) struct Window<R> {
    gunzip: Gunzip<R>,
    limits: Limits,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    fault: Option<ArchiveError>,
    unpacked: u64,
    position: u64,
}

impl<R: Read> Window<R> {
    pub(crate) fn open(reader: R, limits: &Limits) -> Result<Self, ArchiveError> {
        Ok(Self {
            gunzip: Gunzip::open(reader)?,
            limits: *limits,
            buffer: vec![0; WINDOW_BYTES],
            start: 0,
            end: 0,
            ended: false,
            fault: None,
            unpacked: 0,
            position: 0,
        })
    }

    /// Up to `wanted` bytes; fewer only where the stream ends. Memory grows with the bytes that
    /// are really there, whatever was declared.
    pub(crate) fn peek(&mut self, wanted: usize) -> &[u8] {
        if self.end - self.start < wanted && !self.ended {
            self.fill(wanted);
        }
        let here = self.here();
        here.get(..wanted).unwrap_or(here)
    }

    /// What is in the window already, at least one byte unless the stream is at its end.
    pub(crate) fn peek_some(&mut self) -> &[u8] {
        self.peek(1);
        self.here()
    }

    /// Moves on. Bytes that are not in the window cannot be consumed.
    pub(crate) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.end - self.start);
        self.start += bytes;
        self.position += bytes as u64;
    }

    /// Bytes consumed so far: the position in the tar stream.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// What ended the stream early, if anything did.
    pub(crate) fn fault(&mut self) -> Option<ArchiveError> {
        self.fault.take()
    }

    /// Packed bytes read and unpacked bytes produced.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.gunzip.packed(), self.unpacked)
    }

    /// A guess at what the stream is, from its first bytes.
    pub(crate) fn looks_like(&self) -> &'static str {
        self.gunzip.looks_like()
    }

    /// What the gzip layer noticed since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        self.gunzip.take_notes()
    }

    fn here(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn fill(&mut self, wanted: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let target = wanted
            .checked_next_multiple_of(BLOCK)
            .unwrap_or(usize::MAX)
            .max(WINDOW_BYTES);
        while self.end < target {
            if self.end == self.buffer.len() {
                let larger = self.buffer.len().saturating_mul(2).min(target);
                self.buffer.resize(larger, 0);
            }
            let end = target.min(self.buffer.len());
            let room = self.buffer.get_mut(self.end..end).unwrap_or_default();
            match self.gunzip.read(room) {
                Ok(0) => {
                    self.ended = true;
                    return;
                }
                Ok(read) => {
                    self.end += read;
                    self.unpacked += read as u64;
                    self.fault = self.breach();
                }
                Err(error) => self.fault = Some(error.after(self.unpacked)),
            }
            if self.fault.is_some() {
                self.ended = true;
                return;
            }
        }
    }

    fn breach(&self) -> Option<ArchiveError> {
        let packed = self.gunzip.packed();
        if self.unpacked > self.limits.unpacked_bytes {
            return Some(ArchiveError::TooLarge {
                limit: self.limits.unpacked_bytes,
                entry: None,
            });
        }
        let allowed = packed.saturating_mul(self.limits.ratio);
        (self.unpacked > self.limits.ratio_from_bytes && self.unpacked > allowed).then_some(
            ArchiveError::RatioTooHigh {
                packed,
                unpacked: self.unpacked,
                limit: self.limits.ratio,
                entry: None,
            },
        )
    }
}
