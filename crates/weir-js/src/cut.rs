//! Taking parts out of the text of a large file, so that what is left parses in little time.
//!
//! A part that cannot take part in a flow is overwritten in place by a comment, behind the shortest
//! code that is valid there. All offsets stay true. Names that a part declares stay declared, without
//! a value, so that they do not turn into global ones.

use oxc_ast::ast::{
    BindingIdentifier, Declaration, Expression, ObjectProperty, PropertyKind, Statement,
    VariableDeclaration, VariableDeclarator,
};
use oxc_span::{GetSpan, Span};
use smallvec::SmallVec;

/// Smallest stretch that is worth it, in bytes.
const LEAST: u32 = 64;

/// One stretch of text and what takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    span: Span,
    stub: Stub,
}

/// What takes the place of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stub {
    /// A value of which nothing is known.
    Value,
    /// The same as the value of a method's name.
    Property,
    /// A statement that does nothing.
    Statement,
    /// A variable with the name that stands there.
    Variable(Span),
}

/// What takes one part out of the text: nearly always one cut.
pub(crate) type Cuts = SmallVec<[Cut; 1]>;

/// A node that may be a part.
pub(crate) trait Removable {
    /// The stretch that the part is.
    fn part(&self) -> Span;
    /// What to overwrite for it to be gone; nothing where that is not worth it.
    fn cuts(&self) -> Cuts;
}

fn cut(span: Span, stub: Stub) -> Option<Cut> {
    (span.size() >= LEAST).then_some(Cut { span, stub })
}

impl Removable for Expression<'_> {
    fn part(&self) -> Span {
        self.span()
    }

    fn cuts(&self) -> Cuts {
        cut(self.span(), Stub::Value).into_iter().collect()
    }
}

impl Removable for VariableDeclarator<'_> {
    fn part(&self) -> Span {
        self.span
    }

    fn cuts(&self) -> Cuts {
        let init = self.init.as_ref();
        init.and_then(|init| cut(init.span(), Stub::Value))
            .into_iter()
            .collect()
    }
}

impl Removable for ObjectProperty<'_> {
    fn part(&self) -> Span {
        self.value.span()
    }

    fn cuts(&self) -> Cuts {
        let is_plain_method = self.method
            && !self.computed
            && matches!(&self.value, Expression::FunctionExpression(it) if !it.r#async && !it.generator);
        let stub = match self.kind {
            PropertyKind::Init if is_plain_method => Stub::Property,
            PropertyKind::Init if !self.method && !self.shorthand => Stub::Value,
            _ => return Cuts::new(),
        };
        cut(self.value.span(), stub).into_iter().collect()
    }
}

impl Removable for Statement<'_> {
    fn part(&self) -> Span {
        self.span()
    }

    fn cuts(&self) -> Cuts {
        let span = self.span();
        let variable = |id: Option<&BindingIdentifier<'_>>| {
            cut(span, Stub::Variable(id?.span)).filter(|_| span.size() > 2 * LEAST)
        };
        if let Statement::VariableDeclaration(it) = self {
            return initial_values(it);
        }
        let one = match self {
            Statement::FunctionDeclaration(it) => {
                it.body.as_ref().and_then(|_| variable(it.id.as_ref()))
            }
            Statement::ClassDeclaration(it) => variable(it.id.as_ref()),
            Statement::ExpressionStatement(it) => cut(it.expression.span(), Stub::Value),
            // What is imported and exported costs little, and types do not run.
            it if it.is_module_declaration()
                || it
                    .as_declaration()
                    .is_some_and(Declaration::is_typescript_syntax) =>
            {
                None
            }
            _ => cut(span, Stub::Statement),
        };
        one.into_iter().collect()
    }
}

fn initial_values(it: &VariableDeclaration<'_>) -> Cuts {
    it.declarations.iter().flat_map(Removable::cuts).collect()
}

/// How the comment begins that covers the rest. Behind a letter the parser looks for no notes to tools, and
/// behind a line break it looks for nothing but the end.
const COMMENT: &[u8] = b"/*x\n";

/// The text without what `cuts` name, at the same offsets. Nothing where a cut does not fit, which
/// means that it belongs to another text.
pub(crate) fn without(text: &str, cuts: &[Cut]) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    for cut in cuts {
        let name;
        let stub: &[&[u8]] = match cut.stub {
            Stub::Value => &[b" 0", COMMENT],
            Stub::Property => &[b": 0", COMMENT],
            Stub::Statement => &[b";", COMMENT],
            Stub::Variable(id) => {
                name = text.get(id.start as usize..id.end as usize)?;
                &[b"var ", name.as_bytes(), b";", COMMENT]
            }
        };
        let place = bytes.get_mut(cut.span.start as usize..cut.span.end as usize)?;
        let stub = stub.concat();
        let end = place.len().checked_sub(2)?;
        place.fill(b' ');
        place
            .get_mut(..stub.len().min(end))
            .filter(|head| head.len() == stub.len())?
            .copy_from_slice(&stub);
        place.get_mut(end..)?.copy_from_slice(b"*/");
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
