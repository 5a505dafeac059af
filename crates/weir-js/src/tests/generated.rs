//! Generated code of many megabytes: more parts than are kept, and trees in arenas of one piece.

use oxc_allocator::Allocator;
use weir_model::contents::Surface;

use super::run;
use crate::parse::{self, Kind};
use crate::slice::MOST_PARTS;

/// A function that is one large switch, as generated parsers are, with `more` in front.
fn parser(more: &str) -> String {
    let case = "case 1: a = 2; b(a); break;\n";
    let cases = case.repeat(MOST_PARTS / 3);
    format!("{more}\nfunction parse(s) {{ switch (s) {{\n{cases} }} }}")
}

fn unread_of(code: &str) -> Vec<(String, bool)> {
    let facts = run(
        &[("index.js", code)],
        &[],
        &[(Surface::Import, "./index.js")],
    );
    let of_file = facts.unread.into_iter().filter(|it| it.path == "index.js");
    of_file.map(|it| (it.why, it.suspicious)).collect()
}

#[test]
fn more_parts_than_are_kept_are_told_where_the_file_hides_something() {
    let hides = "module[process.env.A](x => global[x]); const f = global[name]; f['con' + x]('y')(); eval(name);";
    let told = unread_of(&parser(hides));
    assert!(
        matches!(told.as_slice(), [(why, true)] if why.starts_with("hides what it does")),
        "{told:?}"
    );
    assert_eq!(unread_of(&parser("module.exports = parse;")), []);
}

#[test]
fn the_arena_of_a_large_file_is_one_piece_and_is_given_back() {
    let code = "some.property = called(argument, 1);\n".repeat(100_000);
    let mut allocator = Allocator::new();
    let kind = Kind { module: false };
    let parsed = parse::with_program(&mut allocator, "index.js", &code, kind, 512, |program| {
        program.body.len()
    });
    assert_eq!(parsed, Ok(100_000));
    let times = |allocator: &Allocator| allocator.capacity() / code.len();
    assert_eq!(times(&allocator), 20);
    parse::give_back(&mut allocator);
    assert_eq!(times(&allocator), 20, "this is not so large");
    let code = code.repeat(2);
    let parsed = parse::with_program(&mut allocator, "index.js", &code, kind, 512, |_| ());
    assert_eq!(parsed, Ok(()));
    parse::give_back(&mut allocator);
    assert_eq!(allocator.capacity(), 0);
}
