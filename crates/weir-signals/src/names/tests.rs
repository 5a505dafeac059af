use proptest::prelude::*;

use super::*;

fn index() -> NameIndex {
    NameIndex::embedded().unwrap()
}

/// The names in the committed list.
fn listed() -> Vec<String> {
    include_str!("../../data/popular.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_committed_index_is_what_the_list_compiles_to() {
    assert!(
        build(&listed()).unwrap() == POPULAR,
        "run `cargo dev popular` and commit data/popular.idx"
    );
}

#[test]
fn names_keep_their_rank() {
    let index = index();
    for (rank, name) in listed().iter().enumerate() {
        assert_eq!(index.rank(name), u32::try_from(rank).ok(), "{name}");
        assert_eq!(
            index.popular.name(u32::try_from(rank).unwrap()),
            Some(name.as_str())
        );
    }
    assert_eq!(index.rank("no-such-name-here"), None);
    assert!(index.is_popular("lodash", 1_000));
    assert!(!index.is_popular("lodash", 1));
}

/// Lookalikes from public write-ups, and of the kinds those describe.
#[test]
fn known_lookalikes_are_found() {
    use Transformation::*;
    let index = index();
    for (name, target, transformation) in [
        ("crossenv", "cross-env", Delimiter),
        ("cross_env", "cross-env", Delimiter),
        ("mongose", "mongoose", RepeatedCharacter),
        ("expresss", "express", RepeatedCharacter),
        ("expres", "express", RepeatedCharacter),
        ("exress", "express", OmittedCharacter),
        ("lodahs", "lodash", SwappedCharacters),
        ("lodashs", "lodash", Plural),
        ("loadash", "lodash", AddedCharacter),
        ("l0dash", "lodash", Homoglyph),
        ("1odash", "lodash", Homoglyph),
        ("rnongoose", "mongoose", Homoglyph),
        ("vvebpack", "webpack", Homoglyph),
        ("webpakc", "webpack", SwappedCharacters),
        ("babelcli", "@babel/cli", Flattened),
        ("gruntcli", "grunt-cli", Delimiter),
        ("@tan-stack/react-query", "@tanstack/react-query", NearScope),
        ("@tanstak/react-query", "@tanstack/react-query", NearScope),
        (
            "@tanstack-sdk/react-query",
            "@tanstack/react-query",
            AffixedScope,
        ),
        ("tanstack-react-query", "@tanstack/react-query", Flattened),
        ("tanstackreact-query", "@tanstack/react-query", Flattened),
        ("types-node", "@types/node", Flattened),
        ("core-tracing", "@azure/core-tracing", DroppedScope),
        ("@azzure/core-tracing", "@azure/core-tracing", NearScope),
        ("@bable/core", "@babel/core", NearScope),
        ("@type/node", "@types/node", NearScope),
        ("@typs/node", "@types/node", NearScope),
        ("axlos", "axios", Homoglyph),
        ("ax1os", "axios", Homoglyph),
        (
            "@typescript_eslint/parser",
            "@typescript-eslint/parser",
            NearScope,
        ),
        ("env-cross", "cross-env", Reordered),
        ("dom-react", "react-dom", Reordered),
        ("axois", "axios", SwappedCharacters),
        ("electorn", "electron", SwappedCharacters),
        ("discordjs", "discord.js", Delimiter),
        ("discord-js", "discord.js", Delimiter),
        ("hardhta", "hardhat", SwappedCharacters),
        ("puppeter", "puppeteer", RepeatedCharacter),
        ("typescirpt", "typescript", SwappedCharacters),
        ("eslint-plugin-imports", "eslint-plugin-import", Plural),
        ("webpacks", "webpack", Plural),
        ("typesctipt", "typescript", NeighbouringKey),
        ("puppeteee", "puppeteer", NeighbouringKey),
        ("commandar", "commander", ChangedCharacter),
        ("kommandder", "commander", Sound),
        ("expres\u{455}", "express", Homoglyph),
        ("l\u{43e}dash", "lodash", Homoglyph),
        ("http-proxy.js", "http-proxy", Affix),
        ("nodemailer-js", "nodemailer", Affix),
        ("node-fabric", "fabric", Affix),
        ("mathjs-min", "mathjs", Affix),
        ("d3.js", "d3", Affix),
        ("ethesjs", "ethers", Affix),
        ("claud-code", "@anthropic-ai/claude-code", DroppedScope),
        ("jquery.js", "jquery", Affix),
        ("@tanstack/reactquery", "@tanstack/react-query", Sibling),
        ("@babel/c0re", "@babel/core", SiblingHomoglyph),
        ("@babel/coer", "@babel/core", SiblingSlip),
        ("@babel/corre", "@babel/core", SiblingSlip),
        ("@babel/parsser", "@babel/parser", SiblingSlip),
        (
            "@tanstack/react-querry",
            "@tanstack/react-query",
            SiblingSlip,
        ),
        ("@angular/comon", "@angular/common", SiblingSlip),
        ("@babel/preset-envv", "@babel/preset-env", SiblingSlip),
        ("@aws-sdk/client-s33", "@aws-sdk/client-s3", SiblingSlip),
        ("@vue/compiler-sfcc", "@vue/compiler-sfc", SiblingSlip),
        ("@babel/Core", "@babel/core", SiblingCase),
        ("@babel/Parser", "@babel/parser", SiblingCase),
        ("LODASH", "lodash", Case),
        ("Express", "express", Case),
        ("Cross-Env", "cross-env", Case),
        ("@tanstack-official/anything", "@tanstack", AffixedScope),
        ("--legacy-peer-deps", "--legacy-peer-deps", Command),
        ("save-dev", "--save-dev", Command),
        ("--hiljson", "--hiljson", Command),
        ("childprocess", "node:child_process", Builtin),
        ("child_proces", "node:child_process", Builtin),
        ("claude-code", "@anthropic-ai/claude-code", DroppedScope),
        ("@someone/lodash", "lodash", AddedScope),
        ("@lodash/lodash", "lodash", BrandScope),
        ("@lodash-js/lodash", "lodash", BrandScope),
        ("@lodash-official/anything", "lodash", BrandScope),
        ("@someone/core-tracing", "@azure/core-tracing", SwappedScope),
        (
            "@someone/claude-code",
            "@anthropic-ai/claude-code",
            SwappedScope,
        ),
    ] {
        let found = index.candidates(name);
        let hit = found.iter().find(|candidate| {
            candidate.target == target && candidate.transformation == transformation
        });
        assert!(hit.is_some(), "{name} -> {target}: {found:?}");
    }
}

#[test]
fn names_that_differ_in_case_alone_are_said_to() {
    let own = index()
        .with_own(&["acme-core".to_owned()], &[], |_| false)
        .unwrap();
    for (name, transformation) in [
        ("ACME-CORE", Transformation::Case),
        ("ACME_CORE", Transformation::Delimiter),
        ("AcmeCore", Transformation::Delimiter),
    ] {
        let found = own.candidates(name);
        let first = found
            .first()
            .map(|it| (it.target.as_str(), it.transformation));
        assert_eq!(first, Some(("acme-core", transformation)), "{name}");
    }
}

/// What projects that moved into a scope left behind, against scopes that nothing is named after.
#[test]
fn a_scope_written_into_a_name_weighs_little_where_a_family_is_named_like_that() {
    let listed = [
        "@mill/core",
        "mill-one",
        "mill-two",
        "mill-three",
        "@pond/core",
        "pond-one",
    ];
    let index = NameIndex::from_names(&listed.map(str::to_owned)).unwrap();
    for (name, strength) in [
        ("mill-core", Strength::Weak),
        ("millcore", Strength::Strong),
        ("pond-core", Strength::Strong),
    ] {
        let found = index.candidates(name);
        let flattened = found
            .iter()
            .find(|it| it.transformation == Transformation::Flattened);
        assert_eq!(flattened.map(|it| it.strength), Some(strength), "{name}");
    }
    let own = NameIndex::from_names(&[]).unwrap();
    let own = own
        .with_own(&listed.map(str::to_owned), &[], |_| false)
        .unwrap();
    assert_eq!(
        own.candidates("mill-core").first().unwrap().strength,
        Strength::Strong
    );
}

#[test]
fn a_word_that_says_nothing_beside_a_name_that_all_mean_is_a_claim() {
    let index = index();
    for (name, is) in [
        ("jquery.js", true),
        ("plain-crypto-js", true),
        ("mathjs-min", false),
        ("select2-new", false),
        ("jquery2", false),
        ("jquerys", false),
    ] {
        let claims = index.candidates(name).iter().any(Lookalike::is_claim);
        assert_eq!(claims, is, "{name}");
    }
}

#[test]
fn honest_names_are_not_lookalikes() {
    let index = index();
    for name in [
        "lodash", // itself popular
        "preact", // popular, one edit from another
        "@babel/a-new-plugin",
        "@tanstack/something-new",
        "@types/crossenv",
        "@someone/lodash", // a fork in a user scope
        "@someone/core",
        "eslint-plugin-vux",
        "d3-tile",
        "lodash.gut",
        "my-company-design-system",
        "wz",
        "vie",
        "left-lib",
        "es5-promise",
        "react-native-mmkv",
        "rollup-plugin-glsl",
        "weir",
        // Real squats whose added words say something: a rule for those would flag every plugin, so
        // they are left to other signals (DETECTION section 5, measured).
        "react-event-dependency",
        "axios-client",
        "ethers-provider2",
    ] {
        assert_eq!(telling(&index, name), [], "{name}");
    }
}

#[test]
fn siblings_that_differ_as_families_do_are_not_alike() {
    let index = index();
    for name in [
        "@types/nodes", // mirrors other names
        "@types/lodahs",
        "@babel/plugin-transform-classes", // listed
        "@babel/cora",
        "@babel/cores",
        "@babel/cor",
        "@aws-sdk/client-sms", // a short word in a family of such
        "@aws-sdk/client-s4",
    ] {
        assert_eq!(index.candidates(name), [], "{name}");
    }
    for name in ["@babel/coer", "@babel/c0re", "@tanstack/reactquery"] {
        let found = index.candidates(name);
        assert!(
            found
                .iter()
                .all(|it| it.is_sibling() && it.strength == Strength::Weak),
            "{name}: {found:?}"
        );
    }
}

/// A slip in a sibling is found in a list that is compiled as in one that is sorted.
#[test]
fn siblings_are_found_as_by_comparing_with_every_name() {
    let names = listed();
    let sorted = NameIndex::from_names(&names).unwrap();
    for name in ["@babel/coer", "@babel/trverse", "@angular/comon"] {
        let scope = format!("@{}/", forms::split(name).0.unwrap());
        let in_scope = names.iter().filter(|known| known.starts_with(&scope));
        let mut slow: Vec<&str> = in_scope
            .filter(|known| near::is_one_slip(known, name))
            .map(String::as_str)
            .collect();
        slow.sort_unstable();
        assert!(!slow.is_empty(), "{name}");
        for index in [&index(), &sorted] {
            let mut fast: Vec<&str> = index.popular.siblings_one_slip_from(name).collect();
            fast.sort_unstable();
            assert_eq!(fast, slow, "{name}");
        }
    }
}

/// What a name could be mistaken for, without what is only ever mentioned.
fn telling(index: &NameIndex, name: &str) -> Vec<Lookalike> {
    let mut found = index.candidates(name);
    found.retain(|candidate| !candidate.is_mention());
    found
}

/// An operator's own names are sorted at start, the popular ones compiled: both find the same.
#[test]
fn sorted_names_answer_like_compiled_ones() {
    let names = listed();
    let compiled = index();
    let sorted = NameIndex::from_names(&names).unwrap();
    assert_eq!(sorted.len(), compiled.len());
    let mut found = 0;
    for (number, name) in names.iter().enumerate() {
        assert_eq!(sorted.rank(name), compiled.rank(name), "{name}");
        if number % 29 != 0 {
            continue;
        }
        let other = names.get(number / 2).unwrap();
        let mixed = format!(
            "{}-{}",
            name.trim_start_matches('@').replace('/', "-"),
            number % 3
        );
        let slip: String = name.chars().filter(|letter| *letter != 'e').collect();
        let moved = format!("@someone/{}", other.rsplit('/').next().unwrap());
        for question in [mixed, slip, moved, name.to_uppercase()] {
            let candidates = compiled.candidates(&question);
            found += candidates.len();
            assert_eq!(sorted.candidates(&question), candidates, "{question}");
        }
    }
    assert!(found > 100, "{found}");
    for (prefix, count) in [
        ("eslint-plugin-", 3),
        ("zzzz", 1),
        ("", 100),
        ("lodash.", 5_000),
    ] {
        assert_eq!(
            sorted.popular.has_family(prefix, count),
            compiled.popular.has_family(prefix, count),
            "{prefix}"
        );
    }
}

/// The table of forms finds what comparing with every name would.
#[test]
fn slips_are_found_as_by_comparing_with_every_name() {
    let names = listed();
    let index = index();
    for name in [
        "expres",
        "lodahs",
        "raect",
        "webpakc",
        "chalks",
        "yargss",
        "vue-ruoter",
    ] {
        let mut fast: Vec<&str> = index.popular.one_slip_from(name).collect();
        fast.retain(|known| !known.starts_with('@'));
        let unscoped = names.iter().filter(|known| !known.starts_with('@'));
        let mut slow: Vec<&str> = unscoped
            .filter(|known| near::is_one_slip(known, name))
            .map(String::as_str)
            .collect();
        fast.sort_unstable();
        slow.sort_unstable();
        assert!(!slow.is_empty(), "{name}");
        assert_eq!(fast, slow, "{name}");
    }
}

#[test]
fn one_slip_is_one_character() {
    for (one, other, is) in [
        ("abc", "abc", false),
        ("abc", "ab", true),
        ("abc", "abcd", true),
        ("abc", "axc", true),
        ("abc", "acb", true),
        ("abc", "cba", false),
        ("abc", "abcde", false),
        ("", "a", true),
        ("\u{e9}t", "et", true),
    ] {
        assert_eq!(near::is_one_slip(one, other), is, "{one} {other}");
        assert_eq!(near::is_one_slip(other, one), is, "{other} {one}");
    }
    for (one, other, is) in [
        ('a', 's', true),
        ('q', 'a', true),
        ('a', 'z', true),
        ('s', 'z', true),
        ('a', 'd', false),
        ('q', 'p', false),
        ('\u{e9}', 'e', false),
    ] {
        assert_eq!(near::are_neighbours(one, other), is, "{one} {other}");
        assert_eq!(near::are_neighbours(other, one), is, "{other} {one}");
    }
}

#[test]
fn own_names_and_scopes_are_worth_impersonating() {
    let index = index()
        .with_own(
            &["@acme/design-system".to_owned(), "acmebuild".to_owned()],
            &["acme-labs".to_owned()],
            |_| false,
        )
        .unwrap();
    for (name, target) in [
        ("acme-design-system", "@acme/design-system"),
        ("design-system", "@acme/design-system"),
        ("acme-build", "acmebuild"),
        ("acmebiuld", "acmebuild"),
        ("ACMEBUILD", "acmebuild"),
        ("@acmelabs/anything", "@acme-labs"),
        ("@acme-lab/anything", "@acme-labs"),
    ] {
        let found = index.candidates(name);
        assert!(
            found
                .iter()
                .any(|it| it.target == target && it.trusted == Trusted::Own),
            "{name}: {found:?}"
        );
    }
    for name in ["@acme/other", "@acme-labs/lodahs", "acmebuild"] {
        assert_eq!(index.candidates(name), [], "{name}");
    }
}

#[test]
fn names_that_a_pattern_makes_ones_own_are_lookalikes_of_nothing() {
    let colleagues = ["l0dash-acme", "lodahs", "@acme/lodahs", "--acme-tools"];
    for name in ["lodahs", "--acme-tools"] {
        assert_ne!(index().candidates(name), [], "{name}");
    }
    let index = index()
        .with_own(&[], &["acme-labs".to_owned()], move |name| {
            colleagues.contains(&name)
        })
        .unwrap();
    for name in colleagues {
        assert!(index.is_own(name), "{name}");
        assert_eq!(index.candidates(name), [], "{name}");
    }
    for name in ["mongose", "@acme-lab/anything"] {
        assert!(!index.is_own(name), "{name}");
        assert_ne!(index.candidates(name), [], "{name}");
    }
}

#[test]
fn a_damaged_index_is_refused() {
    for block in [
        &b""[..],
        b"weir-names-2\n",
        b"weir-names-2\n\xff\xff\xff\xff",
        b"else",
    ] {
        assert!(compact::Compact::embedded(Box::leak(block.to_vec().into_boxed_slice())).is_err());
    }
}

proptest! {
    #[test]
    fn any_text_may_be_asked_for(name in "\\PC{0,64}") {
        let _ = index().candidates(&name);
    }
}
/// How often honest names are taken for lookalikes by name alone, before age and history are asked:
/// the rarer names of the list against the more popular ones. Fewer than three in a hundred, many of
/// them real pairs (`babel-cli` and `@babel/cli`); their age then clears them.
#[test]
fn few_honest_names_look_alike() {
    let all = listed();
    let (popular, rarer) = all.split_at(all.len() * 2 / 3);
    let index = NameIndex::from_names(popular).unwrap();
    let alike: Vec<&String> = rarer
        .iter()
        .filter(|name| !telling(&index, name).is_empty())
        .collect();
    assert!(
        alike.len() * 100 < rarer.len() * 3,
        "{} of {}: {alike:?}",
        alike.len(),
        rarer.len()
    );
}
