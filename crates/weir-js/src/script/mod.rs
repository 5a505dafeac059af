//! Scripts in other languages that hooks and code start: Python, PowerShell, batch files.
//!
//! Not a parser of these languages, and none is needed: a script is read as a list of statements, each
//! with its names and texts, and values follow the names of variables. What a script fetches and runs,
//! which secrets it reads and where it sends them shows that way. Whether a statement runs depends on
//! others; that it can run is what counts.

mod batch;
mod flow;
mod kept;
mod lex;
mod said;

use crate::command::Reading;

/// Longest script that is read, in bytes. Longer ones are cut there, which their reading says.
pub(crate) const TEXT: usize = 1 << 20;

/// A language whose scripts are told apart from JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// POSIX shells.
    Shell,
    /// `.bat` and `.cmd`.
    Batch,
    /// `.ps1` and `powershell -Command`.
    PowerShell,
    /// `.py` and `python -c`.
    Python,
    /// One that is not read, by its name.
    Other(&'static str),
}

/// The language of a file, by its ending or its first line. Nothing where it may be JavaScript.
pub(crate) fn language(path: &str, bytes: &[u8]) -> Option<Language> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let by_name = match extension.to_ascii_lowercase().as_str() {
        "sh" | "bash" | "zsh" | "ksh" => Some(Language::Shell),
        "bat" | "cmd" => Some(Language::Batch),
        "ps1" | "psm1" => Some(Language::PowerShell),
        "py" | "pyw" => Some(Language::Python),
        "rb" => Some(Language::Other("Ruby")),
        "pl" => Some(Language::Other("Perl")),
        "php" => Some(Language::Other("PHP")),
        "lua" => Some(Language::Other("Lua")),
        "vbs" | "wsf" | "hta" => Some(Language::Other("a script of Windows Script Host")),
        "fish" => Some(Language::Other("fish")),
        _ => None,
    };
    by_name.or_else(|| by_first_line(bytes))
}

fn by_first_line(bytes: &[u8]) -> Option<Language> {
    let rest = bytes.strip_prefix(b"#!")?;
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len());
    let line = String::from_utf8_lossy(rest.get(..end.min(256))?).into_owned();
    line.split_whitespace()
        .filter(|word| !word.starts_with('-') && !word.contains('='))
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .find(|word| *word != "env")
        .and_then(of_program)
}

/// The language that a program runs, by its name without folders. Nothing for Node and for what is no
/// interpreter.
pub(crate) fn of_program(name: &str) -> Option<Language> {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match bare {
        "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh" => Some(Language::Shell),
        "powershell" | "pwsh" => Some(Language::PowerShell),
        "python" | "pythonw" | "py" | "pypy" => Some(Language::Python),
        "ruby" => Some(Language::Other("Ruby")),
        "perl" => Some(Language::Other("Perl")),
        "php" => Some(Language::Other("PHP")),
        "lua" | "luajit" => Some(Language::Other("Lua")),
        "cscript" | "wscript" | "mshta" => Some(Language::Other("a script of Windows Script Host")),
        "osascript" => Some(Language::Other("AppleScript")),
        "fish" => Some(Language::Other("fish")),
        _ => None,
    }
}

/// What a script does, as far as it is read; nothing where its language is not.
pub(crate) fn read(text: &str, language: Language) -> Option<Reading> {
    let none = std::collections::BTreeMap::new();
    match language {
        Language::Shell => Some(crate::command::read(text, &none)),
        Language::Batch => Some(crate::command::read(&batch::as_shell(text), &none)),
        Language::Python => Some(flow::read(text, flow::PYTHON)),
        // Commands and their options read like those of other shells, values do not.
        Language::PowerShell => {
            let mut reading = crate::command::read(text, &none);
            reading.join(flow::read(text, flow::POWERSHELL));
            Some(reading)
        }
        Language::Other(_) => None,
    }
}

#[cfg(test)]
mod tests;
