//! Functions that are called as methods of what the file itself makes: `new Job().start()`,
//! `exports.start()`.

use oxc_ast::ast::{
    AssignmentTarget, BindingPattern, CallExpression, Class, ClassElement, Expression,
    MethodDefinitionKind, ObjectExpression, ObjectPropertyKind, VariableDeclarator,
};
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, Span};
use oxc_syntax::symbol::SymbolId;

use crate::ability::syntax::key_name;
use crate::hash::Map;

/// The object or class that has a method; nothing for what the file exports.
type Owner = Option<SymbolId>;

/// Methods and the calls of them.
#[derive(Default)]
pub(super) struct Methods {
    /// Functions that are not met yet, with the methods that they will be.
    expected: Map<Span, (Owner, String)>,
    known: Map<(Owner, String), Vec<usize>>,
    /// Variables that hold an instance, and of which class.
    instances: Map<SymbolId, SymbolId>,
    calls: Vec<(usize, Owner, String)>,
    /// The classes around the place.
    around: Vec<Option<SymbolId>>,
}

impl Methods {
    /// A function is met.
    pub(super) fn met(&mut self, span: Span, index: usize) {
        if let Some(method) = self.expected.remove(&span) {
            self.known.entry(method).or_default().push(index);
        }
    }

    pub(super) fn enter_class(&mut self, class: &Class<'_>) {
        let owner = class.id.as_ref().and_then(|id| id.symbol_id.get());
        self.around.push(owner);
        if owner.is_some() {
            self.of_class(owner, class);
        }
    }

    pub(super) fn leave_class(&mut self) {
        self.around.pop();
    }

    fn of_class(&mut self, owner: Owner, class: &Class<'_>) {
        for element in &class.body.body {
            if let ClassElement::MethodDefinition(method) = element
                && method.kind == MethodDefinitionKind::Method
            {
                let name = key_name(&method.key).to_owned();
                self.expected.insert(method.value.span, (owner, name));
            }
        }
    }

    fn of_object(&mut self, owner: Owner, object: &ObjectExpression<'_>) {
        for property in &object.properties {
            if let ObjectPropertyKind::ObjectProperty(property) = property
                && is_function(&property.value)
            {
                let name = key_name(&property.key).to_owned();
                self.expected.insert(property.value.span(), (owner, name));
            }
        }
    }

    /// `const job = { start() {} }`, `const job = new Job()`
    pub(super) fn declared(&mut self, it: &VariableDeclarator<'_>, scoping: &Scoping) {
        let (BindingPattern::BindingIdentifier(id), Some(init)) = (&it.id, &it.init) else {
            return;
        };
        let Some(name) = id.symbol_id.get() else {
            return;
        };
        match init {
            Expression::ObjectExpression(object) => self.of_object(Some(name), object),
            Expression::ClassExpression(class) => self.of_class(Some(name), class),
            Expression::NewExpression(new) => {
                if let Some(class) = symbol(&new.callee, scoping) {
                    self.instances.insert(name, class);
                }
            }
            _ => {}
        }
    }

    /// `exports.start = () => {}`, `module.exports = { start() {} }`
    pub(super) fn assigned(
        &mut self,
        to: &AssignmentTarget<'_>,
        value: &Expression<'_>,
        scoping: &Scoping,
    ) {
        let AssignmentTarget::StaticMemberExpression(member) = to else {
            return;
        };
        let name = member.property.name.as_str();
        if let Expression::ObjectExpression(object) = value
            && name == "exports"
        {
            self.of_object(None, object);
        } else if is_function(value)
            && let Some(owner) = self.owner(&member.object, scoping)
        {
            self.expected.insert(value.span(), (owner, name.to_owned()));
        }
    }

    /// A method is called in a function.
    pub(super) fn called(&mut self, it: &CallExpression<'_>, caller: usize, scoping: &Scoping) {
        if let Expression::StaticMemberExpression(member) = &it.callee
            && let Some(owner) = self.owner(&member.object, scoping)
        {
            let name = member.property.name.to_string();
            self.calls.push((caller, owner, name));
        }
    }

    fn owner(&self, it: &Expression<'_>, scoping: &Scoping) -> Option<Owner> {
        match it {
            Expression::Identifier(name) => match symbol(it, scoping) {
                None => (name.name == "exports").then_some(None),
                known => Some(known),
            },
            Expression::ThisExpression(_) => self.around.last().filter(|it| it.is_some()).copied(),
            Expression::NewExpression(new) => symbol(&new.callee, scoping).map(Some),
            Expression::StaticMemberExpression(member) => {
                (member.property.name == "exports").then_some(None)
            }
            _ => None,
        }
    }

    /// Each call with the functions that it means.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, &[usize])> {
        self.calls.iter().filter_map(|(caller, owner, name)| {
            let class = owner.and_then(|it| self.instances.get(&it).copied());
            let method = (class.or(*owner), name.clone());
            Some((*caller, self.known.get(&method)?.as_slice()))
        })
    }
}

/// What a name stands for in the file.
pub(super) fn symbol(it: &Expression<'_>, scoping: &Scoping) -> Option<SymbolId> {
    let Expression::Identifier(name) = it else {
        return None;
    };
    let reference = name.reference_id.get()?;
    scoping.get_reference(reference).symbol_id()
}

pub(super) fn is_function(it: &Expression<'_>) -> bool {
    matches!(
        it,
        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)
    )
}
