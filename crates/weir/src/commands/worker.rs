//! `weir worker`: reads package contents for a gateway, behind limits.

use std::process::ExitCode;

use weir_engine::worker::child::{self, WorkerOptions};
use weir_engine::worker::limits::{self, WorkerLimits};

use crate::cli::Worker;
use crate::exit;

/// Serves jobs until the gateway hangs up.
pub(crate) fn run(options: &Worker) -> ExitCode {
    limits::keep_freed_memory();
    let limits = WorkerLimits {
        memory: options.memory,
        background: options.background,
    };
    let options = WorkerOptions {
        limits,
        unpacked_bytes: options.unpacked,
        files: options.files,
        may_misbehave: options.may_misbehave,
    };
    match child::run(options) {
        Ok(()) => ExitCode::from(exit::FINE),
        Err(_) => ExitCode::from(exit::FAILED),
    }
}
