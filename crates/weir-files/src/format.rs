//! What a file is by its first bytes, and what its name says instead.

use weir_model::contents::BinaryFormat;

/// First bytes that decide: a tar archive shows itself at byte 257, a program for Windows where its
/// DOS stub ends, which linkers put within the first kilobyte.
pub const HEAD_BYTES: usize = 1024;

/// A file that is not text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// What it is.
    pub format: BinaryFormat,
    /// What its name says it is instead.
    pub disguise: Option<String>,
    /// Whether it lies where prebuilt addons are kept.
    pub usual_place: bool,
}

/// Looks at a file's first bytes (at least [`HEAD_BYTES`] of them, or all there are). Nothing for
/// text, pictures, fonts and whatever else no machine runs and no tool unpacks.
#[must_use]
pub fn recognise(path: &str, head: &[u8]) -> Option<Recognised> {
    let own = format_of(head);
    if own.is_none()
        && let Some((format, before)) = behind_others(head)
    {
        return Some(Recognised {
            format,
            disguise: Some(format!("data, by the {before} bytes in front of it,")),
            usual_place: is_usual_place(path),
        });
    }
    let format = match own {
        Some(format) => format,
        None if is_code_name(path) && !looks_like_text(head) => BinaryFormat::NotText,
        None => return None,
    };
    Some(Recognised {
        format,
        disguise: disguise(path, format),
        usual_place: is_usual_place(path),
    })
}

/// Formats told by fixed bytes at the beginning.
const MAGIC: &[(&[u8], BinaryFormat)] = &[
    (b"\x7fELF", BinaryFormat::Elf),
    (b"\xfe\xed\xfa\xce", BinaryFormat::MachO),
    (b"\xfe\xed\xfa\xcf", BinaryFormat::MachO),
    (b"\xce\xfa\xed\xfe", BinaryFormat::MachO),
    (b"\xcf\xfa\xed\xfe", BinaryFormat::MachO),
    (b"\xca\xfe\xba\xbf", BinaryFormat::MachO),
    (b"\0asm", BinaryFormat::Wasm),
    (b"PK\x03\x04", BinaryFormat::Archive),
    (b"PK\x05\x06", BinaryFormat::Archive),
    (b"\x1f\x8b\x08", BinaryFormat::Archive),
    (b"\xfd7zXZ\0", BinaryFormat::Archive),
    (b"7z\xbc\xaf\x27\x1c", BinaryFormat::Archive),
    (b"Rar!\x1a\x07", BinaryFormat::Archive),
    (b"\x28\xb5\x2f\xfd", BinaryFormat::Archive),
    (b"MSCF\0\0\0\0", BinaryFormat::Archive),
    (b"!<arch>\n", BinaryFormat::Archive),
];

fn format_of(head: &[u8]) -> Option<BinaryFormat> {
    let fixed = MAGIC
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, format)| *format);
    fixed
        .or_else(|| cafebabe(head))
        .or_else(|| is_windows_program(head).then_some(BinaryFormat::Pe))
        .or_else(|| is_python_bytecode(head).then_some(BinaryFormat::PythonBytecode))
        .or_else(|| is_other_archive(head).then_some(BinaryFormat::Archive))
}

/// Most bytes in front of a program that are looked behind. Formats that hold programs have longer headers.
const IN_FRONT: usize = 64;

/// A program behind a few other bytes, which whoever starts it cuts off: what it is, and how many. The
/// beginning alone is not enough there, so that fields behind it have to have the values that exist.
fn behind_others(head: &[u8]) -> Option<(BinaryFormat, usize)> {
    let front = head.get(..head.len().min(IN_FRONT + 4))?;
    let elf = memchr::memmem::find(front, b"\x7fELF").filter(|at| {
        let header = array_at(head, at + 4);
        header.is_some_and(|[class, order, version, system]: [u8; 4]| {
            matches!(class, 1 | 2) && matches!(order, 1 | 2) && version == 1 && system <= 18
        })
    });
    let windows = || {
        let at = memchr::memmem::find(front, b"MZ")?;
        is_windows_program(head.get(at..)?).then_some((BinaryFormat::Pe, at))
    };
    let found = elf.map(|at| (BinaryFormat::Elf, at)).or_else(windows)?;
    // Text has no zeros, and programs begin with many.
    memchr::memchr(0, head).map(|_| found)
}

/// Compiled Java and fat Mach-O begin alike. What follows is a version there (45 and up) and a
/// number of architectures here.
fn cafebabe(head: &[u8]) -> Option<BinaryFormat> {
    /// The first version of compiled Java.
    const FIRST_JAVA: u32 = 45;
    if !head.starts_with(b"\xca\xfe\xba\xbe") {
        return None;
    }
    let number = u32::from_be_bytes(array_at(head, 4)?);
    Some(if (1..FIRST_JAVA).contains(&number) {
        BinaryFormat::MachO
    } else {
        BinaryFormat::JavaClass
    })
}

/// `MZ` are also two letters: the header that the DOS stub points at has to be there.
fn is_windows_program(head: &[u8]) -> bool {
    head.starts_with(b"MZ")
        && array_at(head, 0x3c)
            .map(u32::from_le_bytes)
            .and_then(|at| head.get(usize::try_from(at).ok()?..))
            .is_some_and(|rest| rest.starts_with(b"PE\0\0"))
}

/// A version number, carriage return and line feed, and after four to twelve more bytes a code
/// object. Numbers of Python 2.7 and of 3.x (CPython, `importlib/_bootstrap_external.py`).
fn is_python_bytecode(head: &[u8]) -> bool {
    let Some([low, high, b'\r', b'\n']) = array_at(head, 0) else {
        return false;
    };
    let number = u16::from_le_bytes([low, high]);
    (number == 62_211 || (3_000..4_000).contains(&number))
        && [8, 12, 16]
            .iter()
            .any(|at| matches!(head.get(*at), Some(0x63 | 0xe3)))
}

fn is_other_archive(head: &[u8]) -> bool {
    let at = |from: usize, what: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(what));
    let tar = at(257, b"ustar\0") || at(257, b"ustar  \0");
    let bzip2 = at(0, b"BZh") && at(4, b"\x31\x41\x59\x26\x53\x59");
    // An Electron archive: two lengths and a directory in JSON.
    let asar = at(0, &[4, 0, 0, 0]) && at(16, b"{\"files\"");
    tar || bzip2 || asar
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Of so many bytes of a text at most one is a zero, and one more of all.
const ZEROS: usize = 100;

/// Not so where there are more zeros than that, or more than one byte in ten is a control character or no
/// UTF-8. Comments in old encodings stay below that, and what would be printed whole in Latin-1 is text in it.
fn looks_like_text(head: &[u8]) -> bool {
    /// What is beyond says nothing new about what the file is.
    const LOOKED_AT: usize = 4 << 10;
    let head = head.get(..LOOKED_AT).unwrap_or(head);
    // Text in UTF-16 is text to PowerShell and TypeScript.
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    // One in a comment makes no program of a file: those have many.
    let zeros = memchr::memchr_iter(0, head).count();
    if zeros > head.len() / ZEROS + 1 {
        return false;
    }
    // Without a branch, and in sums that fit a byte, so that many bytes are looked at together. Sums that
    // cannot overflow are not checked for it: the check would keep vector instructions away.
    let is_control = |byte: &u8| {
        u8::from(*byte < 32) & u8::from(!matches!(byte, 9..=13 | 27)) | u8::from(*byte == 127)
    };
    let controls = |chunk: &[u8]| chunk.iter().map(is_control).fold(0_u8, u8::wrapping_add);
    let control: usize = head
        .chunks(128)
        .map(|chunk| usize::from(controls(chunk)))
        .sum();
    // A character may be cut at the end, which is one more at most.
    let broken: usize = match head.is_ascii() {
        true => 0,
        false => head.utf8_chunks().map(|chunk| chunk.invalid().len()).sum(),
    };
    (control + broken) * 10 <= head.len() + 10 || control == 0 && !head.iter().any(is_upper_control)
}

/// The other control characters of ISO 8859, of which no text of one byte per character has any. Of bytes taken by
/// chance, every eighth is one.
fn is_upper_control(byte: &u8) -> bool {
    matches!(byte, 0x80..=0x9f)
}

/// Extensions of files that Node, a shell or an interpreter takes for code.
const CODE: &[&str] = &[
    "js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "sh", "bash", "py", "rb", "pl", "ps1",
    "bat", "cmd", "jsc",
];

/// Extensions of text that is no code, of pictures, fonts and media.
const OTHER: &[&str] = &[
    "json", "json5", "jsonc", "map", "md", "markdown", "txt", "html", "htm", "css", "scss", "less",
    "yml", "yaml", "toml", "xml", "svg", "lock", "csv", "log", "flow", "vue", "svelte", "snap",
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "avif", "woff", "woff2", "ttf", "otf",
    "eot", "mp3", "mp4", "wav", "ogg", "webm", "pdf",
];

/// Names without an extension that promise text.
const BARE: &[&str] = &[
    "license",
    "licence",
    "readme",
    "changelog",
    "changes",
    "history",
    "notice",
    "authors",
    "contributors",
    "makefile",
    "dockerfile",
    "copying",
];

fn extension(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty()).then(|| extension.to_ascii_lowercase())
}

fn is_code_name(path: &str) -> bool {
    extension(path).is_some_and(|extension| CODE.contains(&extension.as_str()))
}

/// What the name promises, where that is not what the file is.
fn disguise(path: &str, format: BinaryFormat) -> Option<String> {
    match extension(path) {
        // Compiled JavaScript says so.
        Some(extension) if extension == "jsc" && format == BinaryFormat::NotText => None,
        Some(extension) => (CODE.contains(&extension.as_str())
            || OTHER.contains(&extension.as_str()))
        .then(|| format!(".{extension}")),
        None => {
            let name = path.rsplit('/').next().unwrap_or(path);
            BARE.contains(&name.to_ascii_lowercase().as_str())
                .then(|| name.to_owned())
        }
    }
}

/// Extensions that say openly what they are.
const OPEN: &[&str] = &["node", "wasm"];

/// Whether tools for native addons put what they build or fetch there (node-gyp, prebuildify,
/// node-pre-gyp), or packages for one platform their program.
fn is_usual_place(path: &str) -> bool {
    if extension(path).is_some_and(|extension| OPEN.contains(&extension.as_str())) {
        return true;
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    let has = |wanted: &str| parts.contains(&wanted);
    has("prebuilds")
        || has("prebuild")
        || has("prebuilt")
        || parts
            .windows(2)
            .any(|pair| matches!(pair, ["build", "Release" | "Debug"] | ["lib", "binding"]))
        || parts.first() == Some(&"bin")
}

#[cfg(test)]
mod tests;
