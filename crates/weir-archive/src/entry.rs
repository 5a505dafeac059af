//! What the caller is given: one [`Entry`] per regular file, through a [`Visitor`].

/// How much of a file is shown when its data was not wanted: enough for every magic number that
/// tells file formats apart.
pub const HEAD_BYTES: usize = 64;

/// What is known of a file before its data is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Path inside the package: relative, `/` between components, the archive's top folder left
    /// out as npm leaves it out, and never with an empty, `.` or `..` component. Not UTF-8 in the
    /// archive: the offending bytes are replaced by U+FFFD, and there is a violation.
    pub path: &'a str,
    /// Bytes of data that the archive declares.
    pub size: u64,
    /// Whether any of the three execute bits is set.
    pub executable: bool,
}

/// A file's data, or its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// All of it; less than declared only when the archive ends inside the file.
    Whole(&'a [u8]),
    /// The caller did not want the data: its first [`HEAD_BYTES`] bytes, or all of a shorter file.
    Head(&'a [u8]),
}

/// One regular file of the archive. A path that occurs several times is delivered several times, in
/// the archive's order: for npm the last one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Path, size and mode.
    pub file: File<'a>,
    /// The data, or its beginning.
    pub content: Content<'a>,
    /// False when the archive ended before the file's data did.
    pub complete: bool,
}

impl<'a> Entry<'a> {
    /// Path inside the package.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.file.path
    }

    /// The data, if it was wanted.
    #[must_use]
    pub fn data(&self) -> Option<&'a [u8]> {
        match self.content {
            Content::Whole(data) => Some(data),
            Content::Head(_) => None,
        }
    }

    /// Up to [`HEAD_BYTES`] bytes from the beginning, wanted or not.
    #[must_use]
    pub fn head(&self) -> &'a [u8] {
        match self.content {
            Content::Whole(data) | Content::Head(data) => data.get(..HEAD_BYTES).unwrap_or(data),
        }
    }
}

/// Receives files while an archive is read. A closure that takes an [`Entry`] is a visitor that
/// wants everything.
pub trait Visitor {
    /// Whether this file's data shall be kept in memory and handed over whole. Otherwise
    /// [`Visitor::entry`] is given its head only.
    fn wants(&mut self, file: &File<'_>) -> bool {
        let _ = file;
        true
    }

    /// The next bytes of a file whose data was not wanted, before its [`Visitor::entry`]. The first
    /// piece is all of a small file and else at least 4 KiB, and together they are the whole file:
    /// so a digest needs no memory.
    fn piece(&mut self, piece: &[u8]) {
        let _ = piece;
    }

    /// One file, in the archive's order.
    fn entry(&mut self, entry: Entry<'_>);
}

impl<F: FnMut(Entry<'_>)> Visitor for F {
    fn entry(&mut self, entry: Entry<'_>) {
        self(entry);
    }
}
