//! What npm's settings say about registries, certificates and proxies.

use super::*;

#[test]
fn settings_are_layered_as_npm_layers_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |inner: &str| folder.path().join(inner);
    for inner in ["home", "project/src", "prefix/etc"] {
        std::fs::create_dir_all(path(inner)).unwrap();
    }
    std::fs::write(path("project/package.json"), "{}").unwrap();
    let set = |file: &str, text: &str| std::fs::write(path(file), text).unwrap();
    set(
        "prefix/etc/npmrc",
        "registry=https://global.example.invalid/\n@g:registry=https://g.example.invalid/\n",
    );
    set(
        "home/.npmrc",
        "registry=https://user.example.invalid/\n@u:registry=https://u.example.invalid/\n",
    );
    set(
        "project/.npmrc",
        "registry=https://project.example.invalid/\n",
    );
    let environment = |more: &[(&str, &str)]| -> Environment {
        let home = path("home").display().to_string();
        let prefix = path("prefix").display().to_string();
        let all = [
            ("HOME", home.as_str()),
            ("USERPROFILE", home.as_str()),
            ("PREFIX", prefix.as_str()),
        ];
        all.iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let load = |inner: &str, more: &[(&str, &str)]| {
        load_npmrc(&path(inner), &environment(more), Npmrc::default()).unwrap()
    };
    let registry = |npmrc: &Npmrc| npmrc.registry().unwrap();

    let inside = load("project/src", &[]);
    assert_eq!(registry(&inside), "https://project.example.invalid/");
    assert_eq!(
        inside.scope_registry("u").unwrap(),
        "https://u.example.invalid/"
    );
    assert_eq!(
        inside.scope_registry("g").unwrap(),
        "https://g.example.invalid/"
    );
    let env = load(
        "project",
        &[("npm_config_registry", "https://env.example.invalid/")],
    );
    assert_eq!(registry(&env), "https://env.example.invalid/");
    let line = Npmrc::parse("registry=https://line.example.invalid/", &BTreeMap::new());
    let more = [("npm_config_registry", "https://env.example.invalid/")];
    let over = load_npmrc(&path("project"), &environment(&more), line).unwrap();
    assert_eq!(registry(&over), "https://line.example.invalid/");

    assert_eq!(
        registry(&load("prefix", &[])),
        "https://user.example.invalid/"
    );
    // Where an npm installs to for everybody may come with it (Homebrew).
    std::fs::create_dir_all(path("npm/bin")).unwrap();
    std::fs::create_dir_all(path("brew/etc")).unwrap();
    set("npm/bin/npm-cli.js", "");
    let prefix = format!("prefix={}\n", path("brew").display());
    set("npm/npmrc", &prefix);
    set("brew/etc/npmrc", "@b:registry=https://b.example.invalid/\n");
    std::fs::create_dir(path("bin")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(path("npm/bin/npm-cli.js"), path("bin/npm")).unwrap();
        let bin = path("bin").display().to_string();
        let brewed = load("project", &[("PATH", &bin)]);
        assert_eq!(
            brewed.scope_registry("b").unwrap(),
            "https://b.example.invalid/"
        );
        assert_eq!(brewed.scope_registry("g"), None);
    }
    // For the whole machine, npm reads no project's.
    for (more, expected) in [
        (("npm_config_global", "true"), "user"),
        (("npm_config_location", "global"), "user"),
        (("npm_config_global", "false"), "project"),
    ] {
        let found = registry(&load("project", &[more]));
        assert_eq!(
            found,
            format!("https://{expected}.example.invalid/"),
            "{more:?}"
        );
    }

    let elsewhere = path("none").display().to_string();
    let no_user = load("prefix", &[("npm_config_userconfig", &elsewhere)]);
    assert_eq!(registry(&no_user), "https://global.example.invalid/");
}

#[test]
fn certificate_settings_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "not a certificate").unwrap();
    let base = "registry=https://registry.example.invalid/\n";
    let text = format!("{base}cafile={}", file.display());
    let prepared = |text: &str, options: &Options| {
        let upstreams = Upstreams::from_npmrc(&Npmrc::parse(text, &BTreeMap::new()), options);
        upstreams.unwrap().prepare()
    };
    let error = prepared(&text, &Options::default()).unwrap_err();
    assert!(
        error.to_string().contains("cafile") && error.fault() == Fault::Configuration,
        "{error}"
    );
    // A file that is not there is passed over, as npm does.
    let gone = folder.path().join("gone.pem");
    let text = format!("{base}cafile={}", gone.display());
    prepared(&text, &Options::default()).unwrap();
    // What only adds authorities is passed over whatever is wrong with it, as Node does.
    let broken = folder.path().join("broken.pem");
    let head = "-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n";
    std::fs::write(&broken, head).unwrap();
    for extra in [&file, &broken, &gone, &folder.path().to_owned()] {
        let variable = (
            "NODE_EXTRA_CA_CERTS".to_owned(),
            extra.display().to_string(),
        );
        let options = Options {
            environment: [variable].into_iter().collect(),
            ..Options::default()
        };
        prepared(base, &options).unwrap();
    }
}

#[tokio::test]
async fn authorities_are_read_with_the_first_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "not a certificate").unwrap();
    let server = Server::start(|_, _| http("200 OK", &[JSON], b"{}")).await;
    let upstreams = server.upstreams_with(&format!("cafile={}", file.display()), Limits::default());
    // What needs no request is known in spite of it.
    assert_eq!(upstreams.default_upstream().id(), server.address);
    for _ in 0..2 {
        let error = fetch(&upstreams, "a").await.unwrap_err();
        assert!(
            matches!(error, UpstreamError::Certificates { .. }) && !error.is_temporary(),
            "{error}"
        );
    }
    assert!(server.seen().is_empty());
    // Mended, it is read.
    std::fs::remove_file(&file).unwrap();
    assert_eq!(raw(fetch(&upstreams, "a").await.unwrap()), b"{}");
}

#[tokio::test]
async fn a_proxy_is_used_except_where_it_must_not_be() {
    let proxy = Server::start(|_, _| http("200 OK", &[JSON], b"{\"via\":\"proxy\"}")).await;
    let server = Server::start(|_, _| http("200 OK", &[JSON], b"{}")).await;
    let set = |text: &str| server.upstreams_with(text, Limits::default());
    let configured = format!("https-proxy={}", proxy.address);
    assert_eq!(
        raw(fetch(&set(&configured), "a").await.unwrap()),
        b"{\"via\":\"proxy\"}"
    );
    assert!(proxy.seen()[0].starts_with(&format!("GET {}a HTTP/1.1", server.address)));
    let excepted = format!("{configured}\nnoproxy=127.0.0.1");
    assert_eq!(raw(fetch(&set(&excepted), "a").await.unwrap()), b"{}");

    let variables = [("HTTP_PROXY", proxy.address.as_str()), ("no_proxy", "")];
    let environment: Environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let npmrc = Npmrc::parse(&format!("registry={}", server.address), &BTreeMap::new());
    let options = Options {
        environment,
        ..Options::default()
    };
    let upstreams = Upstreams::from_npmrc(&npmrc, &options).unwrap();
    assert_eq!(
        raw(fetch(&upstreams, "a").await.unwrap()),
        b"{\"via\":\"proxy\"}"
    );
}

/// Nothing else tells whether the registry is out of reach or the proxy, and who named that.
#[tokio::test]
async fn a_proxy_that_leads_nowhere_is_named_with_its_setting() {
    let proxy = Server::start(|_, _| http("403 Forbidden", &[], b"")).await;
    let with_password = proxy.address.replace("//", "//user:s3cret@");
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = free.local_addr().unwrap();
    drop(free);
    let tls = "https://registry.example.invalid/";
    let plain = "http://registry.example.invalid/";
    for (registry, setting, named) in [
        (
            tls,
            format!("https-proxy={with_password}"),
            proxy.address.clone(),
        ),
        (tls, format!("proxy={with_password}"), proxy.address.clone()),
        (
            tls,
            format!("https-proxy=http://{nobody}"),
            format!("http://{nobody}/"),
        ),
        (
            tls,
            format!("https-proxy=socks5://{nobody}"),
            format!("socks5://{nobody}"),
        ),
        (
            plain,
            format!("proxy=http://{nobody}"),
            format!("http://{nobody}/"),
        ),
        (
            plain,
            format!("proxy=user:s3cret@{nobody}"),
            "no scheme".to_owned(),
        ),
    ] {
        let text = format!("registry={registry}\nstrict-ssl=false\n{setting}\n");
        let npmrc = Npmrc::parse(&text, &BTreeMap::new()).found_in("a.npmrc");
        let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
        let error = fetch(&upstreams, "a").await.unwrap_err().to_string();
        let key = setting.split('=').next().unwrap();
        assert!(error.contains(&named), "{setting}: {error}");
        assert!(error.contains(&format!("({key} in a.npmrc)")), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    // No proxy has to do with it.
    let text = format!("registry=http://{nobody}/");
    let npmrc = Npmrc::parse(&text, &BTreeMap::new());
    let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
    let error = fetch(&upstreams, "a").await.unwrap_err().to_string();
    assert!(!error.contains("proxy"), "{error}");
}

#[test]
fn a_registry_that_cannot_be_used_is_told_by_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".npmrc");
    std::fs::write(folder.path().join("package.json"), "{}").unwrap();
    for (text, variable, told) in [
        ("registry=${NOPE}", None, "NOPE is not set"),
        ("registry=https://${NOPE}/npm/", None, "NOPE is not set"),
        ("registry=s3cret", None, "relative URL"),
        ("", Some("s3cret"), "relative URL"),
    ] {
        std::fs::write(&file, text).unwrap();
        let place = variable.map_or(file.display().to_string(), |_| {
            "npm_config_registry".to_owned()
        });
        let set = variable.map(|it| ("npm_config_registry".to_owned(), it.to_owned()));
        let environment: Environment = set.into_iter().collect();
        let npmrc = load_npmrc(folder.path(), &environment, Npmrc::default()).unwrap();
        let error = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(&format!("of registry ({place})")), "{error}");
        assert!(error.contains(told) && !error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_scope_without_a_usable_registry_fails_alone() {
    let server = Server::start(|_, _| http("200 OK", &[JSON], b"{}")).await;
    let upstreams = server.upstreams_with("@priv:registry=${NOPE}", Limits::default());
    upstreams.prepare().unwrap();
    assert_eq!(raw(fetch(&upstreams, "a").await.unwrap()), b"{}");
    let seen = server.seen().len();
    let error = fetch(&upstreams, "@priv/a").await.unwrap_err().to_string();
    assert!(error.contains("of @priv:registry"), "{error}");
    assert!(error.contains("NOPE is not set"), "{error}");
    let own = upstreams.upstream_for(&name("@priv/a"));
    assert_ne!(own.id(), upstreams.default_upstream().id());
    own.document("-/npm/v1/keys", None).await.unwrap_err();
    assert_eq!(server.seen().len(), seen, "nobody else is asked instead");
}
