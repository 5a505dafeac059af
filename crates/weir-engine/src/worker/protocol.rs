//! What gateway and worker say to each other: frames of a four-byte little-endian length and that
//! many bytes. A job is a JSON frame, followed by a frame with the tarball where there is one; an
//! answer is one JSON frame.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use weir_model::Contents;

/// Longest frame accepted, in bytes. npm's largest tarballs are a few hundred megabytes; the policy's
/// own limit on tarballs is applied long before.
pub const FRAME_LIMIT: u32 = 1 << 30;

/// Longest answer accepted from a worker, in bytes: a worker is not trusted either.
pub const ANSWER_LIMIT: u32 = 32 << 20;

/// What a worker is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Job {
    /// Run the rules in the next frame over every file of all later jobs. Not answered.
    Rules,
    /// Look at the tarball in the next frame.
    Tarball,
    /// Look at the folder at this path, as `npm pack` would take it.
    Folder(std::path::PathBuf),
    /// Misbehave on purpose; answered only by workers started with [`MISBEHAVE_FLAG`].
    Misbehave(Misbehaviour),
}

/// Flag of the worker command that lets tests order a misbehaviour.
pub const MISBEHAVE_FLAG: &str = "--may-misbehave";

/// Ways in which a worker can go wrong.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Misbehaviour {
    /// Ends at once, without an answer.
    Crash,
    /// Never answers.
    Hang,
    /// Asks for memory until it gets no more.
    EatMemory,
    /// Overflows its stack.
    OverflowStack,
    /// Answers something that is not an answer.
    Babble,
}

/// What a worker answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Answer {
    /// The facts.
    Contents(Box<Contents>),
    /// It could not even begin: not an archive, an unreadable folder.
    Failed(String),
}

/// Writes one frame.
///
/// # Errors
/// When the frame is over [`FRAME_LIMIT`] or the other side is gone.
pub fn write_frame(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length <= FRAME_LIMIT);
    let length = length.ok_or_else(|| io::Error::other("frame too long"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

/// Reads one frame; `None` when the other side ended before a new one began.
///
/// # Errors
/// When the frame is over `limit` or cut short.
pub fn read_frame(from: &mut impl Read, limit: u32) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0_u8; 4];
    let mut filled = 0;
    while filled < length.len() {
        match from.read(length.get_mut(filled..).unwrap_or_default())? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    let length = u32::from_le_bytes(length);
    if length > limit {
        return Err(io::Error::other("frame too long"));
    }
    let mut bytes = Vec::new();
    let read = from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if u32::try_from(read).ok() != Some(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_the_trip_and_cuts_are_noticed() {
        let mut wire = Vec::new();
        write_frame(&mut wire, b"hello").unwrap();
        write_frame(&mut wire, b"").unwrap();
        let mut reader = wire.as_slice();
        assert_eq!(read_frame(&mut reader, 10).unwrap().unwrap(), b"hello");
        assert_eq!(read_frame(&mut reader, 10).unwrap().unwrap(), b"");
        assert!(read_frame(&mut reader, 10).unwrap().is_none());
        assert!(read_frame(&mut &wire[..6], 10).is_err());
        assert!(read_frame(&mut &wire[..2], 10).is_err());
        assert!(read_frame(&mut wire.as_slice(), 4).is_err());
    }
}
