//! What TypeScript adds to the language that is there at run time: namespaces, enumerations, and imports
//! and exports of whole modules.

use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_span::Span;

use super::Lower;
use crate::flow::graph::{Atom, Key, NONE, Node};

impl Lower<'_, '_, '_> {
    /// `namespace X { export const y = z }`: an object. Blocks of one name make one each, and the name
    /// stands for all of them.
    pub(super) fn namespace(&mut self, it: &TSNamespaceDeclaration<'_>) {
        if it.declare {
            return;
        }
        let (_, node) = self.named_object(it.span, &it.id);
        // What is exported in there is a field of it, and none of the file.
        let around = std::mem::replace(&mut self.exports_node, node);
        match &it.body {
            TSNamespaceDeclarationBody::TSModuleBlock(block) => {
                for statement in &block.body {
                    self.visit_statement(statement);
                }
            }
            // `namespace A.B {}`
            TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => {
                self.namespace(inner);
                let value = self.binding(&inner.id);
                self.export(inner.id.name.as_str(), value);
            }
        }
        self.exports_node = around;
    }

    /// A new object under a name, and the node that holds it.
    fn named_object(&mut self, at: Span, name: &BindingIdentifier<'_>) -> (u32, Node) {
        let object = self.graph.object();
        let node = self.holding(at, Atom::Object(object));
        let binding = self.binding(name);
        self.graph.copy(node, binding);
        (object, node)
    }

    /// `enum X { Y = z }`: an object with the values by name.
    pub(super) fn enumeration(&mut self, it: &TSEnumDeclaration<'_>) {
        if it.declare {
            return;
        }
        let (object, _) = self.named_object(it.span, &it.id);
        for member in &it.body.members {
            let Some(initializer) = &member.initializer else {
                continue;
            };
            let value = self.expression(initializer);
            let name = match &member.id {
                TSEnumMemberName::Identifier(name) => name.name.as_str(),
                TSEnumMemberName::String(text) | TSEnumMemberName::ComputedString(text) => {
                    text.value.as_str()
                }
                TSEnumMemberName::ComputedTemplateString(_) => continue,
            };
            let name = self.graph.intern(name);
            self.put(object, Some(Key::Name(name)), value);
        }
    }

    /// `import x = require('y')`, `import x = A.b`.
    pub(super) fn import_equals(&mut self, it: &TSImportEqualsDeclaration<'_>) {
        let value = match &it.module_reference {
            TSModuleReference::ExternalModuleReference(module) => {
                self.import(it.span, module.expression.value.as_str())
            }
            TSModuleReference::IdentifierReference(name) => self.identifier(name),
            TSModuleReference::QualifiedName(name) => self.qualified(name),
        };
        let binding = self.binding(&it.id);
        self.graph.copy(value, binding);
    }

    fn qualified(&mut self, name: &TSQualifiedName<'_>) -> Node {
        let mut names = vec![name.right.name.as_str()];
        let mut left = &name.left;
        while let TSTypeName::QualifiedName(inner) = left {
            names.push(inner.right.name.as_str());
            left = &inner.left;
        }
        let TSTypeName::IdentifierReference(first) = left else {
            return NONE;
        };
        let mut object = self.identifier(first);
        for part in names.into_iter().rev() {
            let key = self.name_key(part);
            object = self.member(name.span, object, key);
        }
        object
    }

    /// `export = x`
    pub(super) fn export_whole(&mut self, it: &TSExportAssignment<'_>) {
        let value = self.expression(&it.expression);
        let key = self.name_key("exports");
        self.store(self.module_node, key, value);
    }
}
