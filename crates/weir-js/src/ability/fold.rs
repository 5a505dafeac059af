//! Folding of paths and texts within one file: enough for `path.join(os.homedir(), '.bashrc')`.

use oxc_ast::ast::{
    Argument, ArrayExpression, BinaryExpression, CallExpression, Expression, TemplateLiteral,
};
use oxc_syntax::operator::{BinaryOperator, LogicalOperator};

use super::Seen;
use crate::flow::UNKNOWN;

/// Deepest expression that is folded.
const DEPTH: usize = 12;
/// Longest text that is folded, in bytes.
const LENGTH: usize = 2048;
/// Most elements of a list that is joined to text.
const ELEMENTS: usize = 32;
/// The folder of the file itself. No path component begins like this by accident.
pub(crate) const OWN: &str = "\u{f8fe}";
/// Stands before a text that PowerShell is given encoded and that is plain in the file.
pub(crate) const ENCODED: char = '\u{f8fb}';
/// Longest text that is kept behind it, in bytes.
const SCRIPT: usize = 512;

impl Seen {
    /// The text of an expression, unknown pieces marked; nothing where all of it is unknown.
    pub(super) fn fold(&self, it: &Expression<'_>) -> Option<String> {
        let text = self.folded(it, 0)?;
        (text.len() <= LENGTH && text.chars().any(|c| c != UNKNOWN)).then_some(text)
    }

    fn folded(&self, it: &Expression<'_>, depth: usize) -> Option<String> {
        if depth > DEPTH {
            return None;
        }
        match it {
            Expression::StringLiteral(text) => Some(text.value.to_string()),
            Expression::NumericLiteral(number) => Some(number.value.to_string()),
            Expression::TemplateLiteral(template) => self.template(template, depth),
            Expression::BinaryExpression(sum) => self.sum(sum, depth),
            Expression::ParenthesizedExpression(inner) => self.folded(&inner.expression, depth + 1),
            Expression::AwaitExpression(inner) => self.folded(&inner.argument, depth + 1),
            Expression::LogicalExpression(choice) if choice.operator != LogicalOperator::And => {
                // `process.env.HOME || os.homedir()`
                self.folded(&choice.left, depth + 1)
                    .or_else(|| self.folded(&choice.right, depth + 1))
            }
            Expression::ConditionalExpression(choice) => self
                .folded(&choice.consequent, depth + 1)
                .or_else(|| self.folded(&choice.alternate, depth + 1)),
            Expression::Identifier(name) => match name.name.as_str() {
                "__dirname" => Some(OWN.to_owned()),
                "__filename" => Some(format!("{OWN}/\u{f8fd}")),
                name => self.constant(name).map(str::to_owned),
            },
            Expression::StaticMemberExpression(member) => {
                let property = member.property.name.as_str();
                let is_environment = matches!(&member.object,
                    Expression::StaticMemberExpression(inner) if inner.property.name == "env");
                if is_environment {
                    if property == "npm_node_execpath" {
                        return Some("node".to_owned());
                    }
                    return crate::flow::folder_variable(property).map(str::to_owned);
                }
                match (&member.object, property) {
                    (Expression::Identifier(name), "resourcesPath") if name.name == "process" => {
                        Some(crate::tables::writes::RESOURCES.to_owned())
                    }
                    (Expression::ImportMeta(_), "dirname") => Some(OWN.to_owned()),
                    (Expression::ImportMeta(_), "url" | "filename") => {
                        Some(format!("{OWN}/\u{f8fd}"))
                    }
                    (Expression::Identifier(name), "sep") if name.name == "path" => {
                        Some("/".to_owned())
                    }
                    _ => None,
                }
            }
            Expression::CallExpression(call) => self.called(call, depth),
            Expression::NewExpression(new) => {
                // `new URL('../x', import.meta.url)`
                let first = new.arguments.first()?.as_expression()?;
                let base = new.arguments.get(1)?.as_expression()?;
                let relative = self.folded(first, depth + 1)?;
                let base = self.folded(base, depth + 1)?;
                base.starts_with(OWN).then(|| join([OWN, &relative]))
            }
            _ => None,
        }
    }

    fn template(&self, template: &TemplateLiteral<'_>, depth: usize) -> Option<String> {
        let mut text = String::new();
        for (index, quasi) in template.quasis.iter().enumerate() {
            text.push_str(quasi.value.cooked.as_ref()?.as_str());
            if let Some(inner) = template.expressions.get(index) {
                match self.folded(inner, depth + 1) {
                    Some(inner) => text.push_str(&inner),
                    None => text.push(UNKNOWN),
                }
            }
            if text.len() > LENGTH {
                return None;
            }
        }
        Some(text)
    }

    fn sum(&self, sum: &BinaryExpression<'_>, depth: usize) -> Option<String> {
        if sum.operator != BinaryOperator::Addition {
            return None;
        }
        let mut parts = vec![&sum.right];
        let mut left = &sum.left;
        // Long sums lean to the left; they are walked, not recursed into.
        while let Expression::BinaryExpression(inner) = left {
            if inner.operator != BinaryOperator::Addition || parts.len() > 64 {
                return None;
            }
            parts.push(&inner.right);
            left = &inner.left;
        }
        parts.push(left);
        let mut text = String::new();
        for part in parts.into_iter().rev() {
            match self.folded(part, depth + 1) {
                Some(part) => text.push_str(&part),
                None => text.push(UNKNOWN),
            }
            if text.len() > LENGTH {
                return None;
            }
        }
        Some(text)
    }

    fn called(&self, call: &CallExpression<'_>, depth: usize) -> Option<String> {
        let name = super::syntax::last_name(&call.callee);
        match name {
            "atob" | "String" => {
                let text = self.folded(call.arguments.first()?.as_expression()?, depth + 1)?;
                match name {
                    "atob" => decoded(&text, "base64"),
                    _ => Some(text),
                }
            }
            "from" => self.bytes(call, depth),
            // `Buffer.from(text, 'base64').toString()`
            "toString" => match &call.callee {
                Expression::StaticMemberExpression(member) => match &member.object {
                    Expression::CallExpression(inner) => self
                        .bytes(inner, depth)
                        .or_else(|| self.encoded(call, depth)),
                    _ => None,
                },
                _ => None,
            },
            "homedir" => Some("~".to_owned()),
            "tmpdir" => Some("/tmp".to_owned()),
            "cwd" if call.arguments.is_empty() => Some(".".to_owned()),
            "resolve" if is_require(&call.callee) => {
                // `require.resolve('other/lib/x.js')`
                let path = self.folded(call.arguments.first()?.as_expression()?, depth + 1)?;
                if path.starts_with('.') {
                    Some(join([OWN, &path]))
                } else {
                    (!path.starts_with('/')).then(|| format!("node_modules/{path}"))
                }
            }
            "join" | "resolve" | "normalize" | "dirname" | "fileURLToPath" | "untildify"
            | "expandHome" => {
                // `[a, b].join('/')` is text of what the list holds.
                if let Expression::StaticMemberExpression(member) = &call.callee
                    && let Expression::ArrayExpression(list) = &member.object
                {
                    return self.listed_text(list, call, depth);
                }
                // `list.join('')` is text of what a list holds that is not known.
                if name == "join" && call.arguments.len() < 2 && !self.is_path(&call.callee) {
                    return None;
                }
                let parts: Vec<String> = call
                    .arguments
                    .iter()
                    .take(16)
                    .map(|argument| {
                        argument
                            .as_expression()
                            .and_then(|argument| self.folded(argument, depth + 1))
                            .unwrap_or_else(|| UNKNOWN.to_string())
                    })
                    .collect();
                let joined = join(parts.iter().map(String::as_str));
                if name == "dirname" {
                    return joined.rsplit_once('/').map(|(folder, _)| folder.to_owned());
                }
                Some(joined)
            }
            _ => None,
        }
    }

    /// Whether a callee belongs to the module of paths.
    fn is_path(&self, callee: &Expression<'_>) -> bool {
        match callee {
            Expression::StaticMemberExpression(member) => {
                matches!(&member.object, Expression::Identifier(name) if name.name == "path")
                    || self
                        .path(callee)
                        .is_some_and(|(module, _)| module == "path")
            }
            _ => true,
        }
    }

    /// The text that bytes are which were written in another form: `Buffer.from(text, 'base64')`.
    fn bytes(&self, call: &CallExpression<'_>, depth: usize) -> Option<String> {
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return None;
        };
        let is_buffer = member.property.name == "from"
            && matches!(&member.object, Expression::Identifier(name) if name.name == "Buffer");
        if !is_buffer {
            return None;
        }
        let text = self.folded(call.arguments.first()?.as_expression()?, depth + 1)?;
        let encoding = call.arguments.get(1)?.as_expression();
        decoded(&text, super::syntax::text(encoding?)?)
    }

    /// `Buffer.from('plain text', 'utf16le').toString('base64')`
    fn encoded(&self, call: &CallExpression<'_>, depth: usize) -> Option<String> {
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return None;
        };
        let Expression::CallExpression(made) = &member.object else {
            return None;
        };
        let is_literal = |call: &CallExpression<'_>, at: usize, wanted: &[&str]| {
            let given = call.arguments.get(at).and_then(Argument::as_expression);
            matches!(given, Some(Expression::StringLiteral(text))
                if wanted.contains(&text.value.to_ascii_lowercase().as_str()))
        };
        let encodings = ["utf16le", "utf-16le", "ucs2", "ucs-2"];
        let is_encoded = is_literal(call, 0, &["base64"])
            && super::syntax::last_name(&made.callee) == "from"
            && is_literal(made, 1, &encodings);
        let text = made.arguments.first().filter(|_| is_encoded)?;
        let text = text.as_expression()?;
        let is_plain = matches!(text, Expression::Identifier(name)
            if self.plain.iter().any(|known| known == name.name.as_str()));
        let folded = self.folded(text, depth + 1);
        let kept = folded.as_deref().filter(|text| text.len() <= SCRIPT);
        (is_plain || folded.is_some()).then(|| format!("{ENCODED}{}", kept.unwrap_or_default()))
    }

    /// The elements of a list with a separator between them.
    fn listed_text(
        &self,
        list: &ArrayExpression<'_>,
        call: &CallExpression<'_>,
        depth: usize,
    ) -> Option<String> {
        let between = match call.arguments.first() {
            Some(given) => self.folded(given.as_expression()?, depth + 1)?,
            None => ",".to_owned(),
        };
        let parts: Vec<String> = list
            .elements
            .iter()
            .take(ELEMENTS)
            .map(|element| {
                let text = element.as_expression();
                text.and_then(|it| self.folded(it, depth + 1))
                    .unwrap_or_else(|| UNKNOWN.to_string())
            })
            .collect();
        (list.elements.len() <= ELEMENTS).then(|| parts.join(&between))
    }

    fn constant(&self, name: &str) -> Option<&str> {
        self.constants
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A short text out of an encoding.
fn decoded(text: &str, encoding: &str) -> Option<String> {
    let is_whole = text.len() <= 2 * LENGTH && !text.contains(UNKNOWN);
    let is_known = matches!(encoding, "base64" | "base64url" | "hex");
    (is_whole && is_known).then(|| crate::flow::text::decode(text, encoding))?
}

/// `require`, as in `require.resolve`.
fn is_require(callee: &Expression<'_>) -> bool {
    matches!(callee, Expression::StaticMemberExpression(member)
        if matches!(&member.object, Expression::Identifier(name) if name.name == "require"))
}

/// Parts of a path joined, `.` and `..` taken away where they can be.
pub(crate) fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut is_absolute = false;
    for part in parts {
        if part.starts_with('/') || part.starts_with('~') || part.starts_with(OWN) {
            out.clear();
            is_absolute = part.starts_with('/');
        }
        for component in part.split(['/', '\\']) {
            match component {
                "" | "." => {}
                ".." => match out.last() {
                    Some(&last) if last != ".." && last != OWN && last != "~" => {
                        out.pop();
                    }
                    _ => out.push(".."),
                },
                other => out.push(other),
            }
        }
    }
    let joined = out.join("/");
    if is_absolute {
        format!("/{joined}")
    } else if joined.is_empty() {
        ".".to_owned()
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_join_as_node_joins_them() {
        for (parts, joined) in [
            (vec!["~", ".config", "../.bashrc"], "~/.bashrc"),
            (vec!["a", "/etc", "hosts"], "/etc/hosts"),
            (vec!["a", "..", "..", "b"], "../b"),
            (vec!["."], "."),
            (vec!["~", ".."], "~/.."),
            (vec!["a\\b", "c"], "a/b/c"),
        ] {
            assert_eq!(join(parts.iter().copied()), joined, "{parts:?}");
        }
    }
}
