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
        ("lodashs", "lodash", AddedCharacter),
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
        (
            "eslint-plugin-imports",
            "eslint-plugin-import",
            AddedCharacter,
        ),
        ("claude-code", "@anthropic-ai/claude-code", DroppedScope),
    ] {
        let found = index.candidates(name);
        let hit = found.iter().find(|candidate| {
            candidate.target == target && candidate.transformation == transformation
        });
        assert!(hit.is_some(), "{name} -> {target}: {found:?}");
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
        // Real squats that only an added word gives away: a rule for affixes would flag every
        // plugin, so these are left to other signals (DETECTION section 5, measured).
        "http-proxy.js",
        "nodemailer-js",
        "node-fabric",
        "ethers-provider2",
    ] {
        assert_eq!(index.candidates(name), [], "{name}");
    }
}

#[test]
fn own_names_and_scopes_are_worth_impersonating() {
    let index = index()
        .with_own(
            &["@acme/design-system".to_owned(), "acmebuild".to_owned()],
            &["acme-labs".to_owned()],
        )
        .unwrap();
    for (name, target) in [
        ("acme-design-system", "@acme/design-system"),
        ("design-system", "@acme/design-system"),
        ("acme-build", "acmebuild"),
        ("acmebiuld", "acmebuild"),
        ("@acmelabs/anything", "@acme-labs"),
        ("@acme-lab/anything", "@acme-labs"),
    ] {
        let found = index.candidates(name);
        assert!(
            found
                .iter()
                .any(|it| it.target == target && it.rank.is_none()),
            "{name}: {found:?}"
        );
    }
    for name in ["@acme/other", "@acme-labs/lodahs", "acmebuild"] {
        assert_eq!(index.candidates(name), [], "{name}");
    }
}

#[test]
fn a_damaged_index_is_refused() {
    for block in [
        &b""[..],
        b"weir-names-1\n",
        b"weir-names-1\n\xff\xff\xff\xff",
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
        .filter(|name| !index.candidates(name).is_empty())
        .collect();
    assert!(
        alike.len() * 100 < rarer.len() * 3,
        "{} of {}: {alike:?}",
        alike.len(),
        rarer.len()
    );
}
