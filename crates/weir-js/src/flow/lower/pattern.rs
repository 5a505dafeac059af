//! What is written to: assignments and bindings.

use oxc_ast::ast::*;
use oxc_span::GetSpan;
use oxc_syntax::operator::AssignmentOperator;

use super::Lower;
use crate::flow::graph::{Key, NONE, Node};

impl Lower<'_, '_, '_> {
    pub(super) fn assignment(&mut self, assignment: &AssignmentExpression<'_>) -> Node {
        let right = self.expression(&assignment.right);
        let value = match assignment.operator {
            AssignmentOperator::Assign
            | AssignmentOperator::LogicalAnd
            | AssignmentOperator::LogicalOr
            | AssignmentOperator::LogicalNullish => right,
            AssignmentOperator::Addition | AssignmentOperator::BitwiseXOR => {
                let left = assignment
                    .left
                    .as_simple_assignment_target()
                    .map_or(NONE, |target| self.read_target(target));
                self.concat(assignment.span, vec![left, right])
            }
            _ => NONE,
        };
        self.assign(&assignment.left, value);
        value
    }

    pub(super) fn read_target(&mut self, target: &SimpleAssignmentTarget<'_>) -> Node {
        match target {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => self.identifier(name),
            SimpleAssignmentTarget::StaticMemberExpression(member) => self.static_member(member),
            SimpleAssignmentTarget::ComputedMemberExpression(member) => self.computed(member),
            SimpleAssignmentTarget::PrivateFieldExpression(member) => self.private(member),
            _ => NONE,
        }
    }

    pub(super) fn assign(&mut self, target: &AssignmentTarget<'_>, value: Node) {
        self.table_of_chunk(target, value);
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(name) => self.assign_name(name, value),
            AssignmentTarget::StaticMemberExpression(member) => {
                let object = self.expression(&member.object);
                let key = self.name_key(member.property.name.as_str());
                if let Key::Name(name) = key {
                    self.key_function(name, value);
                }
                self.store(object, key, value);
            }
            AssignmentTarget::ComputedMemberExpression(member) => {
                let object = self.expression(&member.object);
                let key = Key::Node(self.expression(&member.expression));
                self.store(object, key, value);
            }
            AssignmentTarget::PrivateFieldExpression(member) => {
                let object = self.expression(&member.object);
                let name = format!("#{}", member.field.name);
                let key = self.name_key(&name);
                self.store(object, key, value);
            }
            AssignmentTarget::ArrayAssignmentTarget(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let key = self.name_key(&index.to_string());
                        let part = self.member(array.span, value, key);
                        self.assign_maybe(element, part);
                    }
                }
                if let Some(rest) = &array.rest {
                    self.assign(&rest.target, value);
                }
            }
            AssignmentTarget::ObjectAssignmentTarget(object) => {
                for property in &object.properties {
                    match property {
                        AssignmentTargetProperty::AssignmentTargetPropertyIdentifier(property) => {
                            let key = self.name_key(property.binding.name.as_str());
                            let part = self.member(property.span, value, key);
                            self.assign_name(&property.binding, part);
                            if let Some(init) = &property.init {
                                let init = self.expression(init);
                                self.assign_name(&property.binding, init);
                            }
                        }
                        AssignmentTargetProperty::AssignmentTargetPropertyProperty(property) => {
                            if let Some(key) = self.key(&property.name) {
                                let part = self.member(property.span, value, key);
                                self.assign_maybe(&property.binding, part);
                            }
                        }
                    }
                }
                if let Some(rest) = &object.rest {
                    self.assign(&rest.target, value);
                }
            }
            _ => {}
        }
    }

    pub(super) fn assign_maybe(&mut self, target: &AssignmentTargetMaybeDefault<'_>, value: Node) {
        match target {
            AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(inner) => {
                let init = self.expression(&inner.init);
                let value = self.union(inner.span, &[value, init]);
                self.assign(&inner.binding, value);
            }
            other => {
                if let Some(target) = other.as_assignment_target() {
                    self.assign(target, value);
                }
            }
        }
    }

    pub(super) fn assign_name(&mut self, name: &IdentifierReference<'_>, value: Node) {
        if value == NONE {
            return;
        }
        match self.declared(name) {
            Some(node) => self.graph.copy(value, node),
            None if name.name == "exports" => {}
            None => {
                let field = self.graph.intern(name.name.as_str());
                let field = self.graph.field(self.graph.globals, field);
                self.graph.copy(value, field);
            }
        }
    }

    pub(super) fn bind(&mut self, pattern: &BindingPattern<'_>, value: Node) {
        match pattern {
            BindingPattern::BindingIdentifier(name) => {
                let node = self.binding(name);
                self.graph.copy(value, node);
            }
            BindingPattern::AssignmentPattern(inner) => {
                let init = self.expression(&inner.right);
                let value = self.union(inner.span, &[value, init]);
                self.bind(&inner.left, value);
            }
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    if let Some(key) = self.key(&property.key) {
                        let part = self.member(property.span, value, key);
                        self.bind(&property.value, part);
                    }
                }
                if let Some(rest) = &object.rest {
                    self.bind(&rest.argument, value);
                }
            }
            BindingPattern::ArrayPattern(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let key = self.name_key(&index.to_string());
                        let part = self.member(element.span(), value, key);
                        self.bind(element, part);
                    }
                }
                if let Some(rest) = &array.rest {
                    self.bind(&rest.argument, value);
                }
            }
        }
    }

    /// The left side of `for (x in y)` and `for (x of y)`.
    pub(super) fn bind_loop(&mut self, left: &ForStatementLeft<'_>, value: Node) {
        match left {
            ForStatementLeft::VariableDeclaration(declaration) => {
                for declarator in &declaration.declarations {
                    self.bind(&declarator.id, value);
                }
            }
            other => {
                if let Some(target) = other.as_assignment_target() {
                    self.assign(target, value);
                }
            }
        }
    }
}
