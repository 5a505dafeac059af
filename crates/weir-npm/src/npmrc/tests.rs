use super::*;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn parse(text: &str) -> Npmrc {
    Npmrc::parse(
        text,
        &env(&[("TOKEN", "t0ken"), ("EMPTY", ""), ("HOME", "/home/user")]),
    )
}

#[test]
fn lines_as_npm_reads_them() {
    for (text, key, want) in [
        (
            "registry=https://r.example/",
            "registry",
            Some("https://r.example/"),
        ),
        (
            "  registry  =  https://r.example/  ",
            "registry",
            Some("https://r.example/"),
        ),
        ("; registry=x", "registry", None),
        ("  # registry=x", "registry", None),
        ("a=1\r\nb=2", "b", Some("2")),
        ("a=1 ; comment", "a", Some("1")),
        ("a=1 # comment", "a", Some("1")),
        (r"a=1\#2\;3\\4\5", "a", Some(r"1#2;3\4\5")),
        (r"a=1\", "a", Some("1\\")),
        ("a=\"x # y\"", "a", Some("x # y")),
        ("a='x # y'", "a", Some("x # y")),
        ("a='\"x\"'", "a", Some("x")),
        ("a=\"broken", "a", Some("\"broken")),
        ("a=\"bro\"ken\"", "a", Some("\"bro\"ken\"")),
        ("a=\"", "a", Some("\"")),
        ("a=x=y", "a", Some("x=y")),
        ("a=", "a", Some("")),
        ("a", "a", Some("true")),
        ("=x", "", None),
        ("a=null", "a", None),
        ("a=false", "a", Some("false")),
        ("a=1\na=2", "a", Some("2")),
        ("a[]=1\na[]=2", "a", Some("2")),
        ("[section]\na=1", "a", None),
        ("\"quoted key\"=1", "quoted key", Some("1")),
        ("a=${TOKEN}", "a", Some("t0ken")),
        ("a=x${TOKEN}y${TOKEN}z", "a", Some("xt0kenyt0kenz")),
        ("a=${MISSING}", "a", Some("${MISSING}")),
        ("a=${MISSING?}", "a", Some("")),
        ("a=${EMPTY}", "a", Some("")),
        (r"a=\${TOKEN}", "a", Some("${TOKEN}")),
        (r"a=\\\\${TOKEN}", "a", Some(r"\t0ken")),
        ("a=${}${TOKEN", "a", Some("${}${TOKEN")),
        ("a=${A${TOKEN}}", "a", Some("${At0ken}")),
        ("${TOKEN}=1", "t0ken", Some("1")),
    ] {
        assert_eq!(parse(text).get(key), want, "{text}");
    }
}

#[test]
fn broken_text_is_not_fatal() {
    for text in [
        "\0",
        "[",
        "[x",
        "]",
        "====",
        "[]=1",
        "a[]",
        "\u{feff}a=1",
        "a=${",
        "'",
        "=",
        "\\",
    ] {
        let _ = parse(text);
    }
    assert_eq!(parse("\u{feff}a=1").get("a"), Some("1"));
}

#[test]
fn layers_shadow_each_other() {
    let variables = env(&[
        ("NPM_CONFIG_REGISTRY", "https://upper.example"),
        ("npm_config_registry", "https://env.example"),
        ("npm_config_//r.example/:_authToken", "env-token"),
        ("npm_config_@scope:registry", "https://scope.example"),
        ("npm_config_https_proxy", "http://p.example:8080"),
        ("npm_config__auth", "ignored"),
        ("npm_config_strict_ssl", ""),
        ("REGISTRY", "x"),
    ]);
    let merged = Npmrc::merge(
        parse("registry=https://project.example\nproxy=null\nstrict-ssl=false\na=project"),
        parse("registry=https://user.example\nproxy=http://user.example\na=user\nb=user"),
        parse("b=global\nc=global"),
        Npmrc::from_env(&variables),
    );
    assert_eq!(merged.registry().as_deref(), Some("https://env.example/"));
    assert_eq!(
        merged.scope_registry("scope").as_deref(),
        Some("https://scope.example/")
    );
    assert_eq!(
        merged.scope_registries().collect::<Vec<_>>(),
        [("scope", "https://scope.example/".to_owned())]
    );
    assert_eq!(merged.https_proxy(), Some("http://p.example:8080"));
    assert_eq!(merged.proxy(), None);
    assert!(!merged.strict_ssl());
    assert_eq!(
        (merged.get("a"), merged.get("b"), merged.get("c")),
        (Some("project"), Some("user"), Some("global"))
    );
    assert_eq!(merged.get("_auth"), Some("ignored"));
    let header = merged
        .access_for("https://r.example/x")
        .credentials
        .map(|it| it.authorization_header());
    assert_eq!(header.as_deref(), Some("Bearer env-token"));
}

#[test]
fn credentials_belong_to_the_longest_address() {
    let npmrc = parse(concat!(
        "registry=https://r.example/npm/\n",
        "//r.example/npm/:_authToken=${TOKEN}\n",
        "//r.example/npm/private/:_auth=dTpw\n",
        "//s.example:_authToken=no-slash\n",
        "//t.example:8443/:username=user\n",
        "//t.example:8443/:_password=cDpw\n",
        "//v.example/:username=user\n",
        "//w.example/:_authToken=\n",
        "_authToken=bare\n",
    ));
    let header = |url| {
        let found = npmrc.access_for(url).credentials;
        found.map(|it| it.authorization_header())
    };
    for (url, want) in [
        ("https://r.example/npm/react", Some("Bearer t0ken")),
        ("https://r.example/npm/", Some("Bearer t0ken")),
        ("https://r.example/npm/private/x", Some("Basic dTpw")),
        ("https://r.example/npm/private", Some("Bearer t0ken")),
        // On the registry's host, but elsewhere: the registry's own credentials.
        ("https://r.example/files/x.tgz", Some("Bearer t0ken")),
        ("https://R.EXAMPLE:443/npm/x?y#z", Some("Bearer t0ken")),
        ("https://r.example:8443/npm/x", None),
        ("https://r.example.evil/npm/x", None),
        ("https://evil.example/r.example/npm/x", None),
        ("https://s.example/a/b/c", Some("Bearer no-slash")),
        ("https://t.example:8443/x", Some("Basic dXNlcjpwOnA=")),
        ("https://t.example/x", None),
        ("https://v.example/x", None),
        ("https://w.example/x", None),
        ("ftp://s.example/", None),
        ("not a url", None),
    ] {
        assert_eq!(header(url).as_deref(), want, "{url}");
    }
}

/// A registry whose tarballs lie on another path gets its own token there; nobody else gets it.
#[test]
fn credentials_go_along_to_where_their_registry_points_on_its_host() {
    let npmrc = parse(concat!(
        "registry=https://forge.example/everyone/npm/\n",
        "@acme:registry=https://forge.example/acme/npm/\n",
        "@bare:registry=https://forge.example/bare/npm/\n",
        "//forge.example/everyone/npm/:_authToken=everyone\n",
        "//forge.example/acme/npm/:_authToken=acme\n",
        "//forge.example/files/own/:_authToken=own\n",
    ));
    let header = |registry: &str, url| {
        let found = npmrc.access_named_by(&npmrc.scope_registry(registry).unwrap(), url);
        found.credentials.map(|it| it.authorization_header())
    };
    let file = "https://forge.example/files/42/lib-1.0.0.tgz";
    assert_eq!(header("acme", file).as_deref(), Some("Bearer acme"));
    // The default registry's is not its own.
    assert_eq!(header("bare", file), None);
    // What is tied to the address itself comes first, as ever.
    let own = "https://forge.example/files/own/lib-1.0.0.tgz";
    assert_eq!(header("acme", own).as_deref(), Some("Bearer own"));
    for elsewhere in [
        "https://forge.example:8443/files/lib.tgz",
        "https://evil.example/acme/npm/lib.tgz",
    ] {
        assert_eq!(header("acme", elsewhere), None, "{elsewhere}");
    }
    let default = npmrc.access_for(file).credentials;
    let default = default.map(|it| it.authorization_header());
    assert_eq!(default.as_deref(), Some("Bearer everyone"));
}

/// As npm-registry-fetch has it: a pair of files is something to stop at like a token, and what is tied to
/// shorter addresses does not join in.
#[test]
fn client_certificates_belong_to_the_longest_address() {
    let npmrc = parse(concat!(
        "registry=https://r.example/npm/\n",
        "//r.example/:_authToken=t0ken\n",
        "//r.example/:certfile=/c/root.pem\n",
        "//r.example/:keyfile=/k/root.pem\n",
        "//r.example/npm/own/:certfile=/c/own.pem\n",
        "//r.example/npm/own/:keyfile=/k/own.pem\n",
        "//r.example/npm/token/:_authToken=other\n",
        "//s.example/:certfile=/c/s.pem\n",
        "//s.example/:keyfile=\n",
    ));
    let found = |url| {
        let access = npmrc.access_for(url);
        let header = access.credentials.map(|it| it.authorization_header());
        let files = access
            .certificate
            .map(|it| format!("{} {}", it.chain, it.key));
        (header.unwrap_or_default(), files.unwrap_or_default())
    };
    let root = "`//r.example/:certfile` (/c/root.pem) `//r.example/:keyfile` (/k/root.pem)";
    let own =
        "`//r.example/npm/own/:certfile` (/c/own.pem) `//r.example/npm/own/:keyfile` (/k/own.pem)";
    for (url, header, files) in [
        ("https://r.example/npm/react", "Bearer t0ken", root),
        ("https://r.example/npm/own/react", "", own),
        ("https://r.example/npm/token/react", "Bearer other", ""),
        ("https://r.example:8443/npm/react", "", ""),
        ("https://s.example/react", "", ""),
    ] {
        assert_eq!(found(url), (header.to_owned(), files.to_owned()), "{url}");
    }
    let halves: Vec<_> = npmrc.half_certificates().collect();
    assert_eq!(
        halves,
        [("//s.example/:certfile", "//s.example/:keyfile".to_owned())]
    );
}

#[test]
fn cert_and_key_go_to_the_registries_that_are_configured() {
    let npmrc = parse(concat!(
        "registry=https://r.example/npm/\n",
        "@own:registry=https://o.example/\n",
        "cert=\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\"\n",
        "key=-----BEGIN PRIVATE KEY-----\\ns3cret\\n-----END PRIVATE KEY-----\n",
        "//o.example/:certfile=/c/own.pem\n",
        "//o.example/:keyfile=/k/own.pem\n",
    ));
    let registry = |scope| npmrc.scope_registry(scope).unwrap();
    let found = npmrc
        .access_for("https://r.example/files/x.tgz")
        .certificate;
    let found = found.unwrap();
    let text = |pem: &Pem| match pem.source() {
        PemSource::Text(text) => text.clone(),
        PemSource::File(path) => panic!("a file: {path}"),
    };
    assert_eq!(
        text(&found.chain),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    );
    assert_eq!(
        text(&found.key),
        "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----"
    );
    assert_eq!(format!("{found:?}").matches("s3cret").count(), 0);
    // What is set for an address comes first.
    let own = npmrc.access_named_by(&registry("own"), "https://o.example/x");
    assert_eq!(
        own.certificate.unwrap().key.to_string(),
        "`//o.example/:keyfile` (/k/own.pem)"
    );
    for elsewhere in [
        "https://files.example/x.tgz",
        "https://r.example:8443/npm/x",
        "http://r.example/npm/x",
    ] {
        assert_eq!(
            npmrc.access_for(elsewhere),
            Access::default(),
            "{elsewhere}"
        );
    }
    assert_eq!(npmrc.half_certificates().count(), 0);
    let halves = parse("key=s3cret\ncert=null");
    assert_eq!(halves.access_for("https://r.example/"), Access::default());
    let halves: Vec<_> = halves.half_certificates().collect();
    assert_eq!(halves, [("key", "cert".to_owned())]);
}

#[test]
fn secrets_do_not_show() {
    let npmrc = parse("//r.example/:_authToken=s3cret\n//q.example/:_auth=s3cret");
    let shown = format!(
        "{npmrc:?} {:?} {:?}",
        npmrc.access_for("https://r.example/"),
        npmrc.access_for("https://q.example/")
    );
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(
        shown.contains("Bearer(redacted)") && shown.contains("Basic(redacted)"),
        "{shown}"
    );
}

#[test]
fn trust_and_proxies() {
    let npmrc = parse(concat!(
        "cafile=~/ca.pem\n",
        "ca[]=\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\"\n",
        "ca[]=-----BEGIN CERTIFICATE-----\\nBBBB\\n-----END CERTIFICATE-----\n",
        "noproxy=a.example, .b.example,,\n",
        "proxy=false\n",
        "replace-registry-host=always\n",
    ));
    assert_eq!(npmrc.cafile(), Some("/home/user/ca.pem"));
    assert_eq!(
        npmrc.ca(),
        ["A", "B"].map(|it| {
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----",
                it.repeat(4)
            )
        })
    );
    assert_eq!(npmrc.noproxy(), ["a.example", ".b.example"]);
    assert_eq!(
        (npmrc.proxy(), npmrc.replace_registry_host()),
        (None, Some("always"))
    );
    assert!(npmrc.strict_ssl());
    assert_eq!(parse("strict-ssl").get("strict-ssl"), Some("true"));
}

#[test]
fn settings_are_known_by_their_place_and_by_what_was_not_set() {
    let file = |text: &str, place: &str| parse(text).found_in(place);
    let env = Npmrc::from_env(&env(&[("npm_config_cafile", "/c")]));
    let merged = Npmrc::merge(
        file(
            "registry=https://${NOPE}/${TOKEN}/${a b}/\ncafile=/p",
            "project",
        ),
        file("registry=https://r.example/\n@s:registry=${S}", "user"),
        Npmrc::default(),
        env,
    );
    let place = |key| merged.place_of(key);
    assert_eq!(place("registry"), Some("project"));
    assert_eq!(place("@s:registry"), Some("user"));
    assert_eq!(place("cafile"), Some("npm_config_cafile"));
    assert_eq!(place("proxy"), None);
    assert_eq!(merged.unset_in("registry"), ["NOPE"]);
    assert_eq!(merged.unset_in("@s:registry"), ["S"]);
    assert!(merged.unset_in("cafile").is_empty());
    // What hides a setting hides its place too.
    let over = parse("registry=https://o.example/").over(merged);
    assert_eq!(over.place_of("registry"), None);
}
