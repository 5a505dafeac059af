//! Batch files as the shell text that does the same.

/// Longest line, in bytes; longer ones are data.
const LINE: usize = 64 << 10;

/// Rewrites a batch file line by line: comments, `@`, carets and `set` are what differs.
pub(super) fn as_shell(text: &str) -> String {
    let joined = text.replace("^\r\n", " ").replace("^\n", " ");
    let mut out = String::with_capacity(joined.len());
    let mut names: Vec<String> = Vec::new();
    for line in joined.lines().filter(|line| line.len() <= LINE) {
        let line = line.trim().trim_start_matches('@').trim_start();
        let first = line.split_whitespace().next().unwrap_or_default();
        if line.starts_with("::") || line.starts_with(':') || first.eq_ignore_ascii_case("rem") {
            out.push('\n');
            continue;
        }
        // A caret takes the meaning of what follows; mostly it breaks up words (`c^url`).
        let plain: String = line.chars().filter(|c| *c != '^').collect();
        let plain = unwrapped(&plain);
        match assignment(plain) {
            Some((name, value)) => {
                out.push_str(&format!("{name}='{}'", value.replace('\'', "")));
                names.push(name.to_owned());
            }
            None => out.push_str(&expanded(plain, &names)),
        }
        out.push('\n');
    }
    out
}

/// `call x`, `cmd` and conditions in front of a command are left out: `if exist y x`.
fn unwrapped(line: &str) -> &str {
    let mut line = line;
    for _ in 0..4 {
        let Some((first, rest)) = line.split_once(char::is_whitespace) else {
            break;
        };
        let rest = rest.trim_start();
        match first.to_ascii_lowercase().as_str() {
            "call" => line = rest,
            "start" => {
                // A title in quotes, then options.
                let rest = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                    Some((_, after)) => after.trim_start(),
                    None => rest,
                };
                let skip = rest
                    .split_whitespace()
                    .take_while(|word| word.starts_with('/'))
                    .map(|word| word.len() + 1)
                    .sum::<usize>();
                line = rest.get(skip.min(rest.len())..).unwrap_or_default();
            }
            _ => break,
        }
    }
    line
}

/// `set NAME=value`, `set "NAME=value"`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (first, rest) = line.split_once(char::is_whitespace)?;
    if !first.eq_ignore_ascii_case("set") {
        return None;
    }
    let rest = rest.trim().trim_start_matches('"').trim_end_matches('"');
    let (name, value) = rest.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some((name, value))
}

/// `%NAME%` of variables that the file sets, as shells write them.
fn expanded(line: &str, names: &[String]) -> String {
    let mut line = line.to_owned();
    for name in names.iter().take(64) {
        line = line.replace(&format!("%{name}%"), &format!("${{{name}}}"));
    }
    line
}
