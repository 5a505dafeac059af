//! What is an error, and what the error says.

use super::{Problem, read, refusal};

#[test]
fn errors_name_file_line_and_key() {
    let cases = [
        (
            "package-lock.json",
            "{\n\"lockfileVersion\": 3,\n\"packages\": {\n\"a\": {},\n\"a\": {}}}",
            5,
            "\"a\": this key is there twice",
        ),
        (
            "package-lock.json",
            "{\n\"lockfileVersion\": 4, \"packages\": {}}",
            2,
            "version \"4\"",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3}",
            1,
            "packages is missing",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, \"packages\": null, \"dependencies\": {}}",
            1,
            "packages is missing",
        ),
        (
            "package-lock.json",
            "{\n\"lockfileVersion\": null, \"packages\": {}}",
            2,
            "\"lockfileVersion\": this is not a number",
        ),
        (
            "package-lock.json",
            "{\n\"lockfileVersion\": \"3\", \"packages\": {}}",
            2,
            "\"lockfileVersion\": this is not a number",
        ),
        (
            "package-lock.json",
            "{\n\"lockfileVersion\": 1.0, \"packages\": {}}",
            2,
            "version \"1.0\"",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 1,\n\"packages\": [], \"dependencies\": {}}",
            2,
            "\"packages\": this is not an object",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, \"packages\":\u{a0}{}}",
            1,
            "white space that JSON does not have",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": {\"link\": 1, \"resolved\": \"x\"}}}",
            2,
            "\"link\": this is not true or false",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": {\"link\": true}}}",
            2,
            "where the link leads is missing",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": {\"link\": true, \"resolved\": \"https://evil.example/a.tgz\"}}}",
            2,
            "this is not a link to a folder by a relative path",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": {\"link\": true, \"resolved\": \"/x\"}}}",
            2,
            "this is not a link to a folder by a relative path",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, \"packages\": {\n\"packages/a\": {\"link\": true, \"resolved\": \"x\"}}}",
            2,
            "this is not a place for a link",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3,\n\"packages\": {\"a\":\n{\"version\": []}}}",
            3,
            "\"version\": this is not text",
        ),
        ("package-lock.json", "{\n\n", 1, "not JSON"),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 3, // why\n\"packages\": {}}",
            1,
            "not JSON",
        ),
        ("package-lock.json", "", 1, "the file is empty"),
        (
            "package-lock.json",
            "{\n<<<<<<< HEAD\n\"a\": 1\n",
            2,
            "`<<<<<<<`: a merge conflict",
        ),
        // As a tool that aligns what it writes leaves them.
        (
            "package-lock.json",
            "{\n  \"a\": {\n    <<<<<<<\n\"b\": 1\n",
            3,
            "a merge conflict",
        ),
        // In a text it is none.
        (
            "bun.lock",
            "{\n\"a\": \"<<<<<<< HEAD\",\n\"packages\": {}}",
            1,
            "lockfileVersion is missing",
        ),
        (
            "bun.lock",
            "{\n\"packages\": {}}",
            1,
            "lockfileVersion is missing",
        ),
        (
            "bun.lock",
            "{\n\"lockfileVersion\": 4, \"packages\": {}}",
            2,
            "\"lockfileVersion\": version \"4\"",
        ),
        (
            "bun.lock",
            "{\n\"lockfileVersion\": \"1\", \"packages\": {}}",
            2,
            "\"lockfileVersion\": this is not a number",
        ),
        (
            "bun.lock",
            "{\"lockfileVersion\": 3,\n\"overrides\": {\n\"a\": [\"1\"]}}",
            3,
            "\"a\": this is not text or an object",
        ),
        (
            "bun.lock",
            "{\"lockfileVersion\": 3,\n\"overrides\": {\n\"a\": {\n\"b\": {\"c\": \"1\"}}}}",
            4,
            "\"b\": this is not text",
        ),
        (
            "bun.lock",
            "{\"lockfileVersion\": 1,\n\"packages\": {\n\"a\": [],}}",
            3,
            "\"a\": what it resolves to is missing",
        ),
        (
            "bun.lock",
            "{\"lockfileVersion\": 1,\n\"packages\": {\n\"a\": [\"a\"],}}",
            3,
            "\"a\": this is not a resolution",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n  a@1: {resolution: {}}\n  a@1: {resolution: {}}\n",
            4,
            "\"a@1\": this key is there twice",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nx: &x [1]\ny: *x\n",
            2,
            "anchors",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nx: !!binary aaaa\n",
            2,
            "tags",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: 7.0\n",
            1,
            "version \"7.0\"",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n  a@1: {}\n",
            3,
            "resolution is missing",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nsnapshots:\n  a@1: {}\n",
            3,
            "the entry in packages is missing",
        ),
        ("pnpm-lock.yaml", "a: b: c\n", 1, "not YAML"),
        ("pnpm-lock.yaml", "", 1, "empty"),
        ("pnpm-lock.yaml", "a: 1\n---\nb: 1\n", 3, "more than one"),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1.0.0\n",
            3,
            "resolution is missing",
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: x\n",
            2,
            "version \"x\"",
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\"a@npm:1\": {resolution: \"a@npm:1\"}\n\"b@npm:1, a@npm:1\": {resolution: \"b@npm:1\"}\n",
            4,
            "there twice",
        ),
        (
            "yarn.lock",
            "a@1:\n  version \"1\"\n  version \"2\"\n",
            3,
            "\"version\": this key is there twice",
        ),
        (
            "yarn.lock",
            "a@1:\n  version \"1\"\na@1:\n",
            3,
            "there twice",
        ),
        ("yarn.lock", "a@1:\n   version \"1\"\n", 2, "indented"),
        ("yarn.lock", "a@1:\n  version \"1\n", 2, "open quote"),
        ("yarn.lock", "  version \"1\"\n", 1, "without an entry"),
        ("yarn.lock", "a@1\n", 1, "without a colon"),
        ("yarn.lock", "a@1:\n\tversion \"1\"\n", 2, "a tab"),
        ("Cargo.lock", "", 1, "not the name"),
        ("bun.lockb", "#!/usr/bin/env bun", 1, "not the name"),
    ];
    for (file, text, line, words) in cases {
        let error = refusal(file, text);
        let said = error.to_string();
        assert!(said.contains(words), "{said}: {text}");
        assert!(
            said.starts_with(&format!("{file}:{line}: ")),
            "{said}: {text}"
        );
    }
}

#[test]
fn depth_and_size_have_limits() {
    let nested = |open: &str, close: &str, count: usize| {
        format!("{{\"x\": {}1{}}}", open.repeat(count), close.repeat(count))
    };
    for count in [300, 5_000, 500_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = nested(open, close, count);
            let error = refusal("package-lock.json", &text);
            let deep = matches!(error.problem, Problem::TooDeep | Problem::Syntax(_));
            assert!(deep && error.line == 1, "{error}");
            refusal("bun.lock", &text);
        }
        refusal(
            "pnpm-lock.yaml",
            &format!("{}1{}", "[".repeat(count), "]".repeat(count)),
        );
    }
    let indented: String = (0..3_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    refusal("pnpm-lock.yaml", &indented);
    let large = vec![b' '; super::super::MAX_SIZE + 1];
    let error = super::Lockfile::parse("bun.lock", &large).unwrap_err();
    assert_eq!(error.problem, Problem::TooLarge);
    let error = super::Lockfile::parse("bun.lock", b"{\n\xff").unwrap_err();
    assert_eq!((error.problem, error.line), (Problem::NotUtf8, 2));
    let long = format!(
        "{{\"lockfileVersion\": 3, \"packages\": {{\"{}\": {{}}}}}}",
        "a/".repeat(200)
    );
    assert_eq!(
        refusal("package-lock.json", &long).problem,
        Problem::KeyTooLong
    );
}

#[test]
fn an_alias_bomb_is_refused_where_it_starts() {
    let mut bomb = "lockfileVersion: '9.0'\na0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        bomb.push_str(&format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1));
    }
    let error = refusal("pnpm-lock.yaml", &bomb);
    assert_eq!((error.problem, error.line), (Problem::Alias, 2));
}

#[test]
fn marks_of_byte_order_and_other_line_ends_are_fine() {
    for text in super::formats::SAMPLES {
        let file = match text.chars().next() {
            Some('{') if text.contains("\"packages\": {\n    \"@s/b\": [") => "bun.lock",
            Some('{') => "package-lock.json",
            Some('l') => "pnpm-lock.yaml",
            _ => "yarn.lock",
        };
        let plain = read(file, text);
        let marked = read(file, &format!("\u{feff}{}", text.replace('\n', "\r\n")));
        assert_eq!(marked, plain);
        assert!(!plain.nodes.is_empty());
    }
}

#[test]
fn circles_are_no_trouble() {
    let text = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "1"}},
        "node_modules/b": {"version": "1.0.0", "dependencies": {"a": "1", "b": "1"}}}}"#;
    let lock = read("package-lock.json", text);
    assert_eq!(super::why(&lock, "node_modules/b"), ["a", "b"]);
}
