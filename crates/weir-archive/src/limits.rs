//! What an archive may cost.

/// Bounds on one archive. Reading stops at the first breach with the error that names it, except
/// where a field says that the breach is a violation.
///
/// The figures for real packages come from CRATES section 4: 51 large and popular packages, 96,080
/// entries, 940 MB unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the tar stream after decompression, headers and padding included.
    pub unpacked_bytes: u64,
    /// Bytes of one entry's data. It also bounds what the reader keeps in memory when every file
    /// is wanted.
    pub entry_bytes: u64,
    /// Unpacked bytes per packed byte. Deflate cannot do better than about 1030.
    pub ratio: u64,
    /// The ratio is judged once this many bytes came out, so that a tiny archive of a few empty
    /// files, which is mostly zeros, passes.
    pub ratio_from_bytes: u64,
    /// Headers with a valid checksum, those of folders and extended headers included.
    pub entries: u64,
    /// Bytes of one extended header (pax, GNU long name). Longer ones are skipped unread, and are
    /// a violation.
    pub extended_header_bytes: u64,
    /// Bytes of a path inside the package. A longer one is a violation.
    pub path_bytes: usize,
    /// Components of a path inside the package. More of them are a violation.
    pub path_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // All of the measured packages together unpack to less.
            unpacked_bytes: 1 << 30,
            // Room for the largest prebuilt binaries, which callers need not want.
            entry_bytes: 512 << 20,
            // Real packages: median 4.9, maximum 27.3 (thousands of alike icon modules).
            ratio: 200,
            ratio_from_bytes: 8 << 20,
            // Real packages: at most 7,278.
            entries: 100_000,
            // npm's own limit; an extended header that npm honours has to be read here as well.
            extended_header_bytes: 1 << 20,
            // Windows clients give up at 260 unless told otherwise, Linux at 4096.
            path_bytes: 1024,
            // Bundled dependencies nest two components per level; npm itself gives up at 1024.
            path_depth: 64,
        }
    }
}
