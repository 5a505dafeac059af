//! Tarballs: where they may be, and how they come.

use super::*;

#[tokio::test]
async fn a_tarball_streams_as_it_is() {
    let body = gzip(&vec![b'x'; 300_000]);
    let expected = body.clone();
    let server = Server::start(move |_, number| match number {
        1 => http("502 Bad Gateway", &[], b""),
        _ => http(
            "200 OK",
            &[
                "content-type: application/octet-stream",
                "content-encoding: gzip",
            ],
            &body,
        ),
    })
    .await;
    let upstreams = server.upstreams();
    let upstream = upstreams.default_upstream();
    let dist = format!("{}a/-/a-1.0.0.tgz", server.address);
    let tarball = upstream
        .tarball_of(&name("a"), "1.0.0", &dist)
        .await
        .unwrap();
    assert_eq!(tarball.content_length, Some(expected.len() as u64));
    let chunks: Vec<_> = tarball.stream.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), expected);
    assert!(server.seen()[1].contains("accept-encoding: identity\r\n"));
}

#[tokio::test]
async fn a_tarball_that_breaks_off_ends_with_an_error() {
    let server = Server::start(|request, _| {
        if request.contains("page") {
            return http(
                "200 OK",
                &["content-type: text/html; charset=utf-8"],
                b"<html>",
            );
        }
        let mut whole = http("200 OK", &[], &[b'x'; 5000]);
        whole.truncate(3000);
        whole
    })
    .await;
    let upstreams = server.upstreams();
    let upstream = upstreams.default_upstream();
    let url = |path: &str| upstream.base().join(path).unwrap();
    let tarball = upstream.tarball(&url("a/-/a-1.0.0.tgz")).await.unwrap();
    let chunks: Vec<_> = tarball.stream.collect().await;
    assert!(
        matches!(chunks.last(), Some(Err(UpstreamError::Body { .. }))),
        "{:?}",
        chunks.last()
    );
    let error = upstream
        .tarball(&url("page/-/page-1.0.0.tgz"))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            UpstreamError::Unexpected {
                expected: "a tarball",
                ..
            }
        ),
        "{error}"
    );
    let little = server.upstreams_with(
        "",
        Limits {
            tarball: 4000,
            ..Limits::default()
        },
    );
    let error = little
        .default_upstream()
        .tarball(&url("a/-/a-1.0.0.tgz"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, UpstreamError::TooLarge { limit: 4000, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_mirrors_tarball_is_looked_for_at_home_first() {
    let public = Server::start(|_, _| http("200 OK", &[], b"public")).await;
    let server = Server::start(|request, _| {
        if request.starts_with("GET /a/-/a-1.0.0.tgz") {
            http("200 OK", &[], b"home")
        } else {
            http("404 Not Found", &[], b"")
        }
    })
    .await;
    let upstreams = server.upstreams_with(
        &format!("{}:_authToken=0ther", public.key()),
        Limits::default(),
    );
    let upstream = upstreams.default_upstream();
    for (version, expected) in [("1.0.0", &b"home"[..]), ("2.0.0", b"public")] {
        let dist = format!("{}a/-/a-{version}.tgz", public.address);
        let tarball = upstream
            .tarball_of(&name("a"), version, &dist)
            .await
            .unwrap();
        let chunks: Vec<_> = tarball.stream.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), expected);
    }
    assert!(!public.seen()[0].to_lowercase().contains("authorization"));
}

/// A registry that keeps its tarballs on another host, and does not say "not found" of its own path.
#[tokio::test]
async fn a_refusal_at_home_does_not_hide_the_address_that_is_named() {
    let files = Server::start(|_, _| http("200 OK", &[], b"tarball")).await;
    for (home, page) in [
        ("400 Bad Request", false),
        ("401 Unauthorized", false),
        ("403 Forbidden", false),
        ("405 Method Not Allowed", false),
        ("304 Not Modified", false),
        ("200 OK", true),
    ] {
        let server = Server::start(move |_, _| {
            let kind: &[&str] = if page {
                &["content-type: text/html"]
            } else {
                &[]
            };
            http(home, kind, if page { b"<html>" } else { b"" })
        })
        .await;
        let dist = format!("{}a/-/a-1.0.0.tgz", files.address);
        let settings = format!("{}:_authToken=0urs", server.key());
        let upstreams = server.upstreams_with(&settings, Limits::default());
        let upstream = upstreams.default_upstream();
        let found = upstream.tarball_of(&name("a"), "1.0.0", &dist).await;
        let chunks: Vec<_> = found.unwrap().stream.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), b"tarball", "{home}");
        assert!(server.seen()[0].contains("authorization: Bearer 0urs\r\n"));
        let there = files.seen().pop().unwrap().to_lowercase();
        assert!(!there.contains("authorization"), "{there}");
        // Nor does what is wrong there hide the refusal.
        let gone = Server::start(|_, _| http("404 Not Found", &[], b"")).await;
        let dist = format!("{}a/-/a-1.0.0.tgz", gone.address);
        let error = upstream.tarball_of(&name("a"), "1.0.0", &dist).await;
        let error = error.unwrap_err();
        assert!(error.to_string().contains(&server.address), "{error}");
        assert!(!error.is_not_found(), "{error}");
    }
}

/// Near misses: npm asks nobody else for what its own registry has, and a registry that fails may have it in a moment.
#[tokio::test]
async fn a_refusal_counts_for_what_is_on_npms_own_registry() {
    let public = Server::start(|_, _| http("200 OK", &[], b"public")).await;
    let server = Server::start(|request, _| {
        if request.contains("/a-1.0.0.tgz") {
            http("403 Forbidden", &[], b"quarantined")
        } else if request.contains("/a-2.0.0.tgz") {
            http("503 Service Unavailable", &[], b"")
        } else {
            http("404 Not Found", &[], b"")
        }
    })
    .await;
    let npmrc = Npmrc::parse(&format!("registry={}", server.address), &BTreeMap::new());
    let own = Url::parse(&public.address).unwrap();
    let options = Options {
        own_registry: OwnRegistry::by(move || Some(own.clone())),
        ..Options::default()
    };
    let upstreams = Upstreams::from_npmrc(&npmrc, &options).unwrap();
    let upstream = upstreams.default_upstream();
    for (version, refused) in [("1.0.0", Some(401)), ("2.0.0", None)] {
        let dist = format!("{}a/-/a-{version}.tgz", public.address);
        let error = upstream.tarball_of(&name("a"), version, &dist).await;
        assert_eq!(error.unwrap_err().final_status(), refused, "{version}");
    }
    assert!(public.seen().is_empty());
    let dist = format!("{}a/-/a-3.0.0.tgz", public.address);
    upstream
        .tarball_of(&name("a"), "3.0.0", &dist)
        .await
        .unwrap();
}

/// As registries have it that keep files under another path than packuments, with a token for the latter.
#[tokio::test]
async fn a_scopes_token_goes_along_to_its_tarballs_on_another_path() {
    let server = Server::start(|request, _| {
        let signed = request.contains("authorization: Bearer acme\r\n");
        match request.split(' ').nth(1).unwrap_or_default() {
            "/projects/7/lib-2.0.0.tgz" => {
                http("302 Found", &["location: /blobs/lib-2.0.0.tgz"], b"")
            }
            _ if signed => http("200 OK", &[], b"tarball"),
            _ => http("401 Unauthorized", &[], b""),
        }
    })
    .await;
    let settings = format!(
        "registry={0}everyone/\n{1}everyone/:_authToken=everyone\n\
         @acme:registry={0}packages/npm/\n{1}packages/npm/:_authToken=acme\n\
         @bare:registry={0}bare/npm/\n",
        server.address,
        server.key()
    );
    let npmrc = Npmrc::parse(&settings, &BTreeMap::new());
    let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
    let lib = name("@acme/lib");
    let acme = upstreams.upstream_for(&lib);
    for version in ["1.0.0", "2.0.0"] {
        let dist = format!("{}projects/7/lib-{version}.tgz", server.address);
        let tarball = acme.tarball_of(&lib, version, &dist).await.unwrap();
        let chunks: Vec<_> = tarball.stream.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), b"tarball", "{version}");
    }
    // Neither the default registry nor a scope without a token of its own gets another one's.
    let dist = format!("{}projects/7/lib-1.0.0.tgz", server.address);
    for (package, token) in [("lib", Some("everyone")), ("@bare/lib", None)] {
        let package = name(package);
        let upstream = upstreams.upstream_for(&package);
        let refused = upstream.tarball_of(&package, "1.0.0", &dist).await;
        assert!(refused.unwrap_err().is_denied());
        let last = server.seen().pop().unwrap();
        match token {
            Some(token) => assert!(last.contains(&format!("authorization: Bearer {token}\r\n"))),
            None => assert!(!last.to_lowercase().contains("authorization"), "{last}"),
        }
    }
}

fn addresses(settings: &str, package: &str, dist: &str) -> Vec<String> {
    let npmrc = Npmrc::parse(settings, &BTreeMap::new());
    let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
    let urls = upstreams
        .default_upstream()
        .tarball_urls(&name(package), "1.0.0", dist);
    urls.into_iter().map(String::from).collect()
}

#[test]
fn where_a_tarball_may_be() {
    let mirror = "registry=https://mirror.example.invalid/npm";
    let home = |path: &str| format!("https://mirror.example.invalid/npm/{path}");
    let same = home("files/a-1.0.0.tgz");
    assert_eq!(addresses(mirror, "a", &same), [same.as_str()]);
    // A relative address, none, and one that nobody should follow.
    assert_eq!(
        addresses(mirror, "a", "a/-/a-1.0.0.tgz"),
        [home("a/-/a-1.0.0.tgz")]
    );
    assert_eq!(
        addresses(mirror, "@s/n", "file:///etc/passwd"),
        [home("@s/n/-/n-1.0.0.tgz")]
    );
    // The public host: home first, then verbatim.
    let public = "https://public.example.invalid/@s%2fn/-/n-1.0.0.tgz?x=1";
    assert_eq!(
        addresses(mirror, "@s/n", public),
        [home("@s%2fn/-/n-1.0.0.tgz?x=1"), public.to_owned()]
    );
    // No familiar path: the conventional one.
    let odd = "https://cdn.example.invalid/blobs/123";
    assert_eq!(
        addresses(mirror, "a", odd),
        [home("a/-/a-1.0.0.tgz"), odd.to_owned()]
    );
    // Never down to http, never from outside into a private network.
    for hostile in [
        "http://public.example.invalid/a/-/a-1.0.0.tgz",
        "https://127.0.0.1/a/-/a-1.0.0.tgz",
        "https://[::ffff:10.0.0.1]/a/-/a-1.0.0.tgz",
        "https://169.254.169.254/a/-/a-1.0.0.tgz",
        "https://intranet/a/-/a-1.0.0.tgz",
    ] {
        assert_eq!(
            addresses(mirror, "a", hostile),
            [home("a/-/a-1.0.0.tgz")],
            "{hostile}"
        );
    }
    // npm's own setting decides.
    let always = format!("{mirror}\nreplace-registry-host=always");
    assert_eq!(
        addresses(&always, "@s/n", public),
        [home("@s%2fn/-/n-1.0.0.tgz?x=1")]
    );
    let never = format!("{mirror}\nreplace-registry-host=never");
    assert_eq!(addresses(&never, "@s/n", public), [public]);
    // From a private upstream, the way out is open.
    let inside = "registry=http://127.0.0.1:4873/";
    let found = addresses(inside, "@s/n", public);
    assert_eq!(found[1], public);
}
