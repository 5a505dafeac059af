//! Commands that `binding.gyp` runs while it is read: `<!(...)` and `<!@(...)`.

/// Most expansions that are looked at.
const EXPANSIONS: usize = 64;

/// The commands of a gyp file, in order. Works on the text: gyp files are Python literals with
/// comments, and an expansion may stand in any string.
pub(crate) fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("<!") {
        rest = rest.get(at + 2..).unwrap_or_default();
        let body = rest.strip_prefix('@').unwrap_or(rest);
        let Some(body) = body.strip_prefix('(') else {
            continue;
        };
        let mut depth = 1_usize;
        let end = body
            .char_indices()
            .take(64 * 1024)
            .find(|(_, c)| {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                depth == 0
            })
            .map_or(body.len().min(1024), |(index, _)| index);
        if let Some(command) = body.get(..end) {
            found.push(unescape(command));
        }
        rest = body.get(end..).unwrap_or_default();
        if found.len() >= EXPANSIONS {
            break;
        }
    }
    found
}

/// Takes the escapes of a Python string literal away, once: a shell's own are left for the shell.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\'
            && let Some(escaped) = characters.next_if(|c| matches!(c, '\\' | '"' | '\''))
        {
            out.push(escaped);
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn expansions_are_found() {
        let text = "{'targets': [{'include_dirs': [\"<!(node -e \\\"require('nan')\\\")\", '<!@(node -p \"(1)\")']}]}";
        assert_eq!(
            commands(text),
            ["node -e \"require('nan')\"", "node -p \"(1)\""]
        );
        // Escaped for Python and for the shell.
        let twice = r#"{"v": "<!(node -p \"a.split(\\\".\\\")[0]\")"}"#;
        assert_eq!(commands(twice), [r#"node -p "a.split(\".\")[0]""#]);
        assert!(commands("{'x': '<(module_path)'}").is_empty());
        assert_eq!(commands("<!(").len(), 1);
    }
}
