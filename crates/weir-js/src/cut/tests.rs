use oxc_allocator::Allocator;
use oxc_ast::ast::{Expression, ObjectProperty, PropertyKind, Statement, VariableDeclarator};
use oxc_ast_visit::{Visit, walk};
use oxc_syntax::scope::ScopeFlags;

use super::{Cut, Removable, without};
use crate::parse::{self, Kind};

/// Collects what could be cut, outermost first, below the outermost `skip` candidates.
struct Candidates {
    skip: usize,
    cuts: Vec<Cut>,
}

impl Candidates {
    fn of(text: &str, skip: usize) -> Option<Vec<Cut>> {
        let mut all = Self {
            skip,
            cuts: Vec::new(),
        };
        let mut allocator = Allocator::default();
        parse::with_checked(&mut allocator, "a.js", text, Kind { module: false }, |it| {
            all.visit_program(it);
        })
        .ok()?;
        Some(all.cuts)
    }

    fn takes(&mut self, node: &impl Removable) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let cuts = node.cuts();
        let takes = !cuts.is_empty();
        self.cuts.extend(cuts);
        takes
    }
}

impl<'a> Visit<'a> for Candidates {
    fn visit_expression(&mut self, it: &Expression<'a>) {
        if !self.takes(it) {
            walk::walk_expression(self, it);
        }
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        if !self.takes(it) {
            walk::walk_statement(self, it);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if !self.takes(it) {
            walk::walk_variable_declarator(self, it);
        }
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if self.takes(it) {
            return;
        }
        match &it.value {
            // The value of a method is no part by itself: the property is, with the same text.
            Expression::FunctionExpression(function)
                if it.method || it.kind != PropertyKind::Init =>
            {
                walk::walk_function(self, function, ScopeFlags::Function);
            }
            _ => walk::walk_object_property(self, it),
        }
    }
}

/// A text that is long enough to be cut.
const LONG: &str = "'0123456789012345678901234567890123456789012345678901234567890123456789'";

#[test]
fn what_is_left_parses_wherever_a_part_is_taken_out() {
    let shapes = [
        "var a = L, b = L;\nfoo(a)\nL\n",
        "function f(x) { return L + L } f(L);",
        "async function* f(x) { yield L; return await L } f(L);",
        "class A extends B { m() { return L } static { L } x = L }",
        "if (a) { b(L) } else c(L); do { d(L) } while (L)",
        "if (a) b(L); else { c(L) }",
        "switch (L) { case'x' + L: return L; default: throw L }",
        "x = { a: L, b() { return L }, get c() { return L }, async d() { return L }, ['e' + L]: L, *f() { yield L } }",
        "for (const x of [L]) { y(L) } for (var i = L; ; ) break",
        "a = b ? function () { return L } : () => ({ z: L });",
        "(function () { return L })(), !function () { return L }()",
        "label: for (;;) { a(L) } try { b(L) } catch (e) { c(L) } finally { d(L) }",
        "a?.b?.[L]?.(L); new (class { constructor() { L } })(L); `x${L}y`; tag`x${L}`",
        "export const a = L; export default function () { return L }; export function f() { return L }",
        "export default L;",
        "let { a = L, ...b } = { c: L }, [d = L] = [L];",
        "return[L].concat(L);",
        "typeof[L], void'x'.concat(L), delete a[L];",
        "f = async x => await L; g = x => y => L",
        "with (a) { b(L) } var c = d\n;[L].map(e)",
    ];
    let mut tried = 0;
    for shape in shapes {
        let text = shape.replace('L', LONG);
        for skip in 0..12 {
            let cuts = Candidates::of(&text, skip).expect("the shape parses");
            let Some(rest) = without(&text, &cuts).filter(|_| !cuts.is_empty()) else {
                continue;
            };
            assert_eq!(rest.len(), text.len());
            tried += 1;
            assert!(
                Candidates::of(&rest, 0).is_some(),
                "{skip}: {shape}\n{rest}"
            );
        }
    }
    assert!(tried > 100, "only {tried} cuts were tried");
}

#[test]
fn names_stay_declared_and_offsets_true() {
    let text = format!("function helper(a) {{ return a + {LONG} + {LONG} }}\nhelper(1)");
    let cuts = Candidates::of(&text, 0).expect("parses");
    let rest = without(&text, &cuts).expect("fits");
    assert!(rest.starts_with("var helper;/*"), "{rest}");
    assert_eq!(rest.find("helper(1)"), text.find("helper(1)"));
}

#[test]
fn a_cut_of_another_text_does_not_fit() {
    let text = format!("var a = {LONG}");
    let cuts = Candidates::of(&text, 1).expect("parses");
    assert!(!cuts.is_empty());
    assert_eq!(without("var a = 1", &cuts), None);
}
