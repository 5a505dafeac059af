//! Hard limits of a worker process, set by itself before it reads anything.

/// Virtual memory set aside for the analyser's thread stack, in bytes: JavaScript nests deeply and a
/// stack overflow cannot be caught (CRATES section 1). Only touched pages cost memory, but the
/// kernel counts all of it against the data limit, so it is added to the limit.
pub const ANALYSER_STACK: u64 = 256 << 20;

/// Limits of one worker process.
#[derive(Debug, Clone, Copy)]
pub struct WorkerLimits {
    /// Memory the worker may hold, in bytes.
    pub memory: u64,
    /// Whether it steps back behind the client's own work (a higher nice value).
    pub background: bool,
}

/// Has the C library keep what was freed for the next file instead of giving it back: a worker lives for one burst of
/// packages, each of which needs as much again, and fresh pages have to be cleared. Sizes in bytes; the first is the
/// largest that glibc takes on machines of 64 bits.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt has no safe form")]
pub fn keep_freed_memory() {
    // SAFETY: plain integers, before any other thread runs.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 30);
    }
}

/// Nothing: only glibc needs to be told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed_memory() {}

/// Applies the limits to this process.
///
/// # Errors
/// When the operating system refuses one.
#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "setrlimit and setpriority have no safe form in std"
)]
pub fn apply(limits: WorkerLimits) -> std::io::Result<()> {
    let set = |resource, value: u64| -> std::io::Result<()> {
        let limit = libc::rlimit {
            rlim_cur: value as libc::rlim_t,
            rlim_max: value as libc::rlim_t,
        };
        // SAFETY: `limit` is a valid rlimit for the length of the call.
        match unsafe { libc::setrlimit(resource, &raw const limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // RLIMIT_AS would also count what V8-like reservations take; data is what is really ours.
    set(
        libc::RLIMIT_DATA,
        limits.memory.saturating_add(ANALYSER_STACK),
    )?;
    set(libc::RLIMIT_CORE, 0)?;
    // Nothing to write anywhere: a file of this process would be a mistake or an attack.
    set(libc::RLIMIT_FSIZE, 0)?;
    set(libc::RLIMIT_NOFILE, 64)?;
    if limits.background {
        // SAFETY: plain integers; a refusal leaves the priority as it was, which is harmless.
        let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
    }
    Ok(())
}

/// Applies the limits to this process.
///
/// # Errors
/// Never; this platform has none of them and relies on the deadline alone.
#[cfg(not(unix))]
pub fn apply(_limits: WorkerLimits) -> std::io::Result<()> {
    Ok(())
}
