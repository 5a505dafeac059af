//! Standard output, for everything that commands print there.
//!
//! Where it cannot be written (a full disk), that is said once, what follows is left out, and the program fails
//! at its end: what was begun is written down and closed first. A reader that went away wanted no more, which
//! is no failure.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit;

static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a text.
macro_rules! print {
    ($($text:tt)*) => {
        $crate::out::write(format_args!($($text)*))
    };
}

/// Prints a line.
macro_rules! println {
    ($($text:tt)*) => {
        $crate::out::write(format_args!("{}\n", format_args!($($text)*)))
    };
}

pub(crate) use {print, println};

/// Writes to standard output, without styles where these are not wanted.
pub(crate) fn write(text: Arguments<'_>) {
    if !FAILED.load(Ordering::Relaxed) {
        note(anstream::stdout().lock().write_fmt(text));
    }
}

/// The exit code of a command that ended with this one, once all of its output is out.
pub(crate) fn ended(code: ExitCode) -> ExitCode {
    if !FAILED.load(Ordering::Relaxed) {
        note(std::io::stdout().flush());
    }
    if FAILED.load(Ordering::Relaxed) {
        return ExitCode::from(exit::FAILED);
    }
    code
}

fn note(written: std::io::Result<()>) {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            FAILED.store(true, Ordering::Relaxed);
            anstream::eprintln!("weir: writing to standard output: {error}");
        }
        _ => {}
    }
}
