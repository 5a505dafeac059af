use super::{expansions, read};

#[test]
fn expansions_are_found() {
    let text = "{'targets': [{'include_dirs': [\"<!(node -e \\\"require('nan')\\\")\", '<!@(node -p \"(1)\")']}]}";
    assert_eq!(
        read(text).commands,
        ["node -e \"require('nan')\"", "node -p \"(1)\""]
    );
    // Escaped for Python and for the shell.
    let twice = r#"{"v": "<!(node -p \"a.split(\\\".\\\")[0]\")"}"#;
    assert_eq!(read(twice).commands, [r#"node -p "a.split(\".\")[0]""#]);
    assert!(
        read("{'x': '<(module_path)', 'y!': ['a']}")
            .commands
            .is_empty()
    );
    assert_eq!(expansions("<!(").len(), 1);
    assert_eq!(read("'>!(a b)', '^!@(c)'").commands, ["a b", "c"]);
    assert_eq!(expansions("<!pymod_do_main(p x)"), ["python p.py"]);
    assert_eq!(expansions("<!([\"sh\", '-c', 'a b'])"), ["sh -c 'a b'"]);
    assert_eq!(expansions("-L$(shell a b) `c d`"), ["a b", "c d"]);
}

#[test]
fn lists_of_words_are_read() {
    let gyp = read(
        "{ # 'action': ['not', 'this']\n 'includes': ['./c.gypi', \"d.gypi\"], 'targets': [{\
         'dependencies': ['deps/x.gyp:x', 'own', 'deps/y.gyp:y#host'],\
         'actions': [{'action_name': 'a', 'action': ['sh', '-c', 'it\\'s ' 'one',],}],\
         'rules': [{'action': ['node', '<(module_root_dir)/i.js', '<(RULE_INPUT_PATH)']}]}]}",
    );
    assert_eq!(
        gyp.commands,
        ["sh -c 'it'\\''s one'", "node i.js '<(RULE_INPUT_PATH)'"]
    );
    assert_eq!(gyp.includes, ["./c.gypi", "d.gypi"]);
    assert_eq!(gyp.dependencies, ["deps/x.gyp", "deps/y.gyp"]);
    assert!(!gyp.in_part);
}

#[test]
fn texts_are_joined_unescaped_and_filled_in() {
    for text in [
        "{'v':'<' '!(a b)'}",
        "{'v':'<\\x21(a b)'}",
        "{'\\x61ction':['a','b']}",
        "{'act' 'ion':['a','b']}",
        "{'variables':{'c':'a b'},'v':'<!(<(c))'}",
        "{'variables':{'c%':['a','b']},'action':['<@(c)']}",
        "{'variables':{'c':'a'},'action':['<(c)','b']}",
        "{'variables':{'c':'x'},'action':['<(c)'],'d':{'variables':{'c':'a b'}},'v':'<!(<(c))'}",
        "{'make_global_settings':[['CC','a b']]}",
        "{'cflags':['`a b`']}",
    ] {
        let commands = read(text).commands;
        assert!(
            commands.iter().any(|one| one == "a b"),
            "{text}: {commands:?}"
        );
    }
    let gyp = read("{'variables':{'d':'deps'},'dependencies':['<(d)/x.gyp:x']}");
    assert_eq!(gyp.dependencies, ["deps/x.gyp"]);
    let gyp = read("{'make_global_settings':[['CC','/usr/bin/clang']],'cflags':['-O2']}");
    assert!(gyp.commands.is_empty(), "{gyp:?}");
}

#[test]
fn what_is_left_out_is_told() {
    let many: String = (0..600).map(|at| format!("<!(echo {at})")).collect();
    assert!(read(&format!("{{'v':'{many}'}}")).in_part);
    let long = "x".repeat(70 << 10);
    assert!(read(&format!("{{'v':'{long}'}}")).in_part);
    let same = "<!(echo a)".repeat(600);
    let gyp = read(&format!("{{'v':'{same}<!(b)'}}"));
    assert!(gyp.in_part || gyp.commands.iter().any(|one| one == "b"));
    let empty = "'dependencies':[],".repeat(300);
    let gyp = read(&format!("{{{empty}'action':['node','i.js']}}"));
    assert_eq!(gyp.commands, ["node i.js"]);
}

#[test]
fn what_is_no_gyp_file_ends() {
    for text in [
        "'",
        "[[[[",
        "'action':[",
        "]]]",
        "'action':['a",
        "<!pymod_do_main",
        "'\\",
        "'<(",
    ] {
        read(text);
    }
}
