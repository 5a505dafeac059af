mod certificates;
mod guarded;
mod settings;
mod tarballs;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weir_npm::name::PackageName;
use weir_npm::npmrc::Npmrc;

use super::*;

/// A server that gives prepared bytes for each request, and keeps the requests.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::listen("http", answer, |socket| async { Some(socket) }).await
    }

    /// `opened` makes of a socket what is read from, or nothing.
    async fn listen<S, F>(
        scheme: &str,
        answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static,
        opened: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
        F: Future<Output = Option<S>> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{scheme}://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        let opened = Arc::new(opened);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                let opened = Arc::clone(&opened);
                tokio::spawn(async move {
                    if let Some(socket) = opened(socket).await {
                        converse(socket, &seen, &*answer).await;
                    }
                });
            }
        });
        Self { address, requests }
    }

    fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// `//127.0.0.1:port/`, as credentials are keyed.
    fn key(&self) -> &str {
        self.address.split_once(':').unwrap().1
    }

    /// Its registry, with a token of its own.
    fn upstreams(&self) -> Upstreams {
        self.upstreams_with("", Limits::default())
    }

    fn upstreams_with(&self, more: &str, limits: Limits) -> Upstreams {
        let text = format!(
            "registry={}\n{}:_authToken=s3cret\n{more}\n",
            self.address,
            self.key()
        );
        let options = Options {
            timeouts: Timeouts {
                idle: Duration::from_secs(2),
                ..Timeouts::default()
            },
            limits,
            ..Options::default()
        };
        Upstreams::from_npmrc(&Npmrc::parse(&text, &BTreeMap::new()), &options).unwrap()
    }
}

/// Reads one request, and answers it.
async fn converse(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<String>>,
    answer: &(impl Fn(&str, usize) -> Vec<u8> + ?Sized),
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1];
        if socket.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len()
    };
    let _ = socket.write_all(&answer(&request, number)).await;
    let _ = socket.shutdown().await;
}

fn http(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

const JSON: &str = "content-type: application/json";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn name(text: &str) -> PackageName {
    PackageName::parse(text).unwrap()
}

async fn fetch(upstreams: &Upstreams, package: &str) -> Result<PackumentResponse, UpstreamError> {
    let name = name(package);
    upstreams
        .upstream_for(&name)
        .packument(&name, &Conditional::default())
        .await
}

fn raw(response: PackumentResponse) -> Vec<u8> {
    match response {
        PackumentResponse::Fresh { raw, .. } => raw.to_vec(),
        PackumentResponse::NotModified => panic!("not modified"),
    }
}

#[tokio::test]
async fn a_packument_is_asked_for_as_npm_does_and_decoded() {
    let server = Server::start(|_, _| {
        http(
            "200 OK",
            &[
                JSON,
                "content-encoding: gzip",
                "etag: \"1\"",
                "last-modified: then",
            ],
            &gzip(b" {\"name\":\"@s/n\"}"),
        )
    })
    .await;
    let response = fetch(&server.upstreams(), "@s/n").await.unwrap();
    let PackumentResponse::Fresh {
        raw,
        etag,
        last_modified,
        ..
    } = response
    else {
        panic!()
    };
    assert_eq!(&raw[..], b" {\"name\":\"@s/n\"}");
    assert_eq!(
        (etag.as_deref(), last_modified.as_deref()),
        (Some("\"1\""), Some("then"))
    );
    let seen = server.seen();
    assert!(
        seen[0].starts_with("GET /@s%2fn HTTP/1.1\r\n"),
        "{}",
        seen[0]
    );
    for line in [
        "accept: application/json\r\n",
        "accept-encoding: gzip\r\n",
        "authorization: Bearer s3cret\r\n",
        "user-agent: weir/",
    ] {
        assert!(seen[0].contains(line), "{line} in {}", seen[0]);
    }
}

#[tokio::test]
async fn what_is_known_is_asked_about() {
    let server = Server::start(|_, _| http("304 Not Modified", &[], b"")).await;
    let upstreams = server.upstreams();
    let known = Conditional {
        etag: Some("\"1\"".into()),
        last_modified: Some("then".into()),
    };
    let response = upstreams
        .default_upstream()
        .packument(&name("a"), &known)
        .await
        .unwrap();
    assert_eq!(response, PackumentResponse::NotModified);
    let seen = server.seen();
    assert!(
        seen[0].contains("if-none-match: \"1\"\r\n")
            && seen[0].contains("if-modified-since: then\r\n")
    );
    // A 304 that nobody asked for is no answer.
    let error = fetch(&upstreams, "a").await.unwrap_err();
    assert!(
        matches!(error, UpstreamError::Status { status: 304, .. }),
        "{error}"
    );
    assert_eq!(error.final_status(), Some(UNUSABLE));
    let url = upstreams.default_upstream().base().join("a/-/a-1.0.0.tgz");
    let tarball = upstreams.default_upstream().tarball(&url.unwrap()).await;
    let error = tarball.unwrap_err();
    assert!(
        matches!(error, UpstreamError::Status { status: 304, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_page_is_refused_by_address_kind_and_beginning() {
    let page = "<html><title>Sign in</title>\u{1b}[2J".to_owned() + &"x".repeat(100);
    let server = Server::start(move |request, _| {
        let kind = if request.contains("/plain") {
            "text/plain"
        } else {
            "text/html"
        };
        http(
            "200 OK",
            &[&format!("content-type: {kind}")],
            page.as_bytes(),
        )
    })
    .await;
    for package in ["html", "plain"] {
        let error = fetch(&server.upstreams(), package).await.unwrap_err();
        let text = error.to_string();
        let UpstreamError::Unexpected { url, start, .. } = &error else {
            panic!("{text}")
        };
        assert_eq!(url, &format!("{}{package}", server.address));
        assert!(
            start.starts_with("<html><title>Sign in</title>\\u{1b}"),
            "{start}"
        );
        assert!(text.contains("text/") && !text.contains('\u{1b}'), "{text}");
        assert!(!error.is_temporary());
        assert_eq!(error.fault(), Fault::Upstream);
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn trouble_that_passes_is_waited_for() {
    for trouble in ["500 Oops", "503 Busy", "429 Slow down"] {
        let server = Server::start(move |_, number| match number {
            1 => http(trouble, &[], b"no"),
            _ => http("200 OK", &[JSON], b"{}"),
        })
        .await;
        assert_eq!(raw(fetch(&server.upstreams(), "a").await.unwrap()), b"{}");
        assert_eq!(server.seen().len(), 2);
    }
    let server = Server::start(|_, _| http("500 Oops", &[], b"no")).await;
    let error = fetch(&server.upstreams(), "a").await.unwrap_err();
    assert!(matches!(error, UpstreamError::Status { status: 500, .. }) && error.is_temporary());
    assert_eq!(server.seen().len(), 3);
    // Somebody who wants us to wait for a minute gets asked no more.
    let server = Server::start(|_, _| http("429 Slow down", &["retry-after: 60"], b"no")).await;
    fetch(&server.upstreams(), "a").await.unwrap_err();
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn answers_that_settle_it_are_not_asked_for_twice() {
    for (status, check) in [
        (
            "404 Not Found",
            (|error| error.is_not_found()) as fn(&UpstreamError) -> bool,
        ),
        ("410 Gone", |error| error.is_not_found()),
        ("401 No", |error| {
            matches!(
                error,
                UpstreamError::Denied {
                    status: 401,
                    with_credentials: true,
                    ..
                }
            )
        }),
        ("403 No", |error| {
            matches!(error, UpstreamError::Denied { status: 403, .. })
        }),
        ("418 Teapot", |error| {
            matches!(error, UpstreamError::Status { status: 418, .. })
        }),
    ] {
        let server = Server::start(move |_, _| http(status, &[], b"{}")).await;
        let error = fetch(&server.upstreams(), "a").await.unwrap_err();
        assert!(check(&error) && !error.is_temporary(), "{error}");
        assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_again_and_never_taken_for_whole() {
    let whole = http("200 OK", &[JSON], b"{\"name\":\"a\",\"versions\":{}}");
    let compressed = http(
        "200 OK",
        &[JSON, "content-encoding: gzip"],
        &gzip(b"{\"name\":\"a\"}"),
    );
    // A gzip stream that ends early inside an answer that is long enough.
    let stream = gzip(b"{\"name\":\"a\"}");
    let inner = http(
        "200 OK",
        &[JSON, "content-encoding: gzip"],
        &stream[..stream.len() - 6],
    );
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 7].to_vec();
    for (broken, good) in [
        (cut(&whole), whole.clone()),
        (cut(&compressed), compressed.clone()),
        (inner, compressed),
    ] {
        let server = Server::start(move |_, number| {
            if number == 1 {
                broken.clone()
            } else {
                good.clone()
            }
        })
        .await;
        assert!(
            raw(fetch(&server.upstreams(), "a").await.unwrap()).starts_with(b"{\"name\":\"a\"")
        );
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn floods_and_bombs_stop_at_the_limit() {
    let flood = vec![b' '; 100_000];
    let bomb = gzip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 1_000_000);
    let server = Server::start(move |request, _| {
        if request.contains("/bomb") {
            http("200 OK", &[JSON, "content-encoding: gzip"], &bomb)
        } else {
            http("200 OK", &[JSON], &flood)
        }
    })
    .await;
    let upstreams = server.upstreams_with(
        "",
        Limits {
            packument: 99_999,
            ..Limits::default()
        },
    );
    for package in ["bomb", "flood"] {
        let error = fetch(&upstreams, package).await.unwrap_err();
        assert!(
            matches!(error, UpstreamError::TooLarge { limit: 99_999, .. }),
            "{error}"
        );
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn other_encodings_are_refused_by_name() {
    let server = Server::start(|_, _| http("200 OK", &[JSON, "content-encoding: br"], b"{}")).await;
    let error = fetch(&server.upstreams(), "a").await.unwrap_err();
    assert!(error.to_string().contains("\"br\""), "{error}");
    // It would come like that again.
    assert_eq!(error.final_status(), Some(UNUSABLE), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let other = Server::start(|_, _| http("200 OK", &[JSON], b"{}")).await;
    let target = other.address.clone();
    let server = Server::start(move |request, _| {
        if request.starts_with("GET /here") {
            http("302 Found", &["location: /there"], b"")
        } else if request.starts_with("GET /there") {
            http("200 OK", &[JSON], b"{}")
        } else {
            http("302 Found", &[&format!("location: {target}a")], b"")
        }
    })
    .await;
    // Even credentials of the other host's own stay here: the redirect is not ours to sign.
    let upstreams = server.upstreams_with(
        &format!("{}:_authToken=0ther", other.key()),
        Limits::default(),
    );
    fetch(&upstreams, "a").await.unwrap();
    assert!(server.seen()[0].contains("authorization: Bearer s3cret"));
    assert!(
        !other.seen()[0].to_lowercase().contains("authorization"),
        "{}",
        other.seen()[0]
    );
    // On the same host they stay.
    fetch(&upstreams, "here").await.unwrap();
    assert!(server.seen()[2].starts_with("GET /there") && server.seen()[2].contains("s3cret"));
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(|request, _| {
        let target = if request.contains("/file") {
            "file:///etc/hostname"
        } else {
            "/again"
        };
        http("302 Found", &[&format!("location: {target}")], b"")
    })
    .await;
    for package in ["loop", "file"] {
        let error = fetch(&server.upstreams(), package).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Redirect { .. }), "{error}");
    }
}

/// Names of the outside are had through a proxy, which stands in for all of them.
#[tokio::test]
async fn a_redirect_does_not_lead_from_outside_into_a_private_network() {
    let inside = Server::start(|_, _| http("200 OK", &[JSON], b"{\"in\":\"side\"}")).await;
    let target = format!("location: {}secret", inside.address);
    let proxy = Server::start(move |request, _| {
        let location = match request.split(' ').nth(1).unwrap_or_default() {
            it if it.contains("/inside") => target.as_str(),
            it if it.contains("/name") => "location: http://vault.internal/secret",
            it if it.contains("/further") => "location: http://cdn.example/inside",
            it if it.contains("/outside") => "location: http://cdn.example/there",
            it if it.ends_with("/there") => return http("200 OK", &[JSON], b"{\"out\":\"side\"}"),
            other => panic!("{other}"),
        };
        http("302 Found", &[location], b"")
    })
    .await;
    let set = |registry: &str, more: &str| {
        let text = format!(
            "registry={registry}\nproxy={}\nnoproxy=127.0.0.1\n{more}",
            proxy.address
        );
        let npmrc = Npmrc::parse(&text, &BTreeMap::new());
        Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap()
    };
    let outside = set("http://registry.example/", "");
    assert_eq!(
        raw(fetch(&outside, "outside").await.unwrap()),
        b"{\"out\":\"side\"}"
    );
    let cdn = Url::parse("http://cdn.example/inside.tgz").unwrap();
    let tarball = outside.default_upstream().tarball(&cdn).await.map(drop);
    for refused in [
        fetch(&outside, "inside").await.map(drop),
        fetch(&outside, "further").await.map(drop),
        fetch(&outside, "name").await.map(drop),
        tarball,
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, UpstreamError::Redirect { .. }), "{error}");
        assert!(error.to_string().contains("private network"), "{error}");
    }
    assert!(inside.seen().is_empty(), "{:?}", inside.seen());
    // Near misses: a registry that lies inside itself, and a host that npm's settings name.
    let private = set("http://registry.internal/", "");
    let named = format!("{}:_authToken=1nside", inside.key());
    let scoped = format!("@in:registry={}npm/", inside.address);
    for upstreams in [
        private,
        set("http://registry.example/", &named),
        set("http://registry.example/", &scoped),
    ] {
        let found = fetch(&upstreams, "inside").await.unwrap();
        assert_eq!(raw(found), b"{\"in\":\"side\"}");
    }
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!(
        "http://user:pa55@{}/?q=t0ken",
        listener.local_addr().unwrap()
    );
    drop(listener);
    let npmrc = Npmrc::parse(&format!("registry={address}"), &BTreeMap::new());
    let error = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap_err();
    assert!(matches!(error, UpstreamError::Address { .. }), "{error}");
    assert!(
        !error.to_string().contains("pa55") && !error.to_string().contains("t0ken"),
        "{error}"
    );

    let npmrc = Npmrc::parse(
        &format!("registry={}", address.replace("user:pa55@", "")),
        &BTreeMap::new(),
    );
    let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
    let error = fetch(&upstreams, "a").await.unwrap_err();
    assert!(
        matches!(error, UpstreamError::Connect { .. }) && error.is_temporary(),
        "{error}"
    );
    assert_eq!(error.fault(), Fault::Network);
}

#[tokio::test]
async fn a_silent_upstream_does_not_hold_us() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_millis(1500));
        Vec::new()
    })
    .await;
    let text = format!("registry={}", server.address);
    let timeouts = Timeouts {
        document: Duration::from_millis(200),
        ..Timeouts::default()
    };
    let options = Options {
        timeouts,
        ..Options::default()
    };
    let upstreams =
        Upstreams::from_npmrc(&Npmrc::parse(&text, &BTreeMap::new()), &options).unwrap();
    let error = fetch(&upstreams, "a").await.unwrap_err();
    assert!(matches!(error, UpstreamError::Timeout { .. }), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn scopes_go_to_their_own_registry() {
    let scoped = Server::start(|_, _| http("200 OK", &[JSON], b"{\"scoped\":1}")).await;
    let server = Server::start(|_, _| http("200 OK", &[JSON], b"{}")).await;
    let upstreams = server.upstreams_with(
        &format!("@s:registry={}", scoped.address),
        Limits::default(),
    );
    assert_eq!(
        raw(fetch(&upstreams, "@s/n").await.unwrap()),
        b"{\"scoped\":1}"
    );
    assert_eq!(raw(fetch(&upstreams, "@t/n").await.unwrap()), b"{}");
    assert!(!scoped.seen()[0].to_lowercase().contains("authorization"));
    assert_eq!(
        upstreams
            .scopes()
            .map(|(scope, _)| scope)
            .collect::<Vec<_>>(),
        ["s"]
    );
    assert!(matches!(
        Upstreams::from_npmrc(&Npmrc::default(), &Options::default()).unwrap_err(),
        UpstreamError::NoRegistry
    ));
}

#[tokio::test]
async fn small_documents_are_handed_on_with_their_status() {
    let server = Server::start(|request, _| {
        if request.starts_with("GET /-/npm/v1/keys ") {
            http(
                "200 OK",
                &[JSON, "set-cookie: a=b", "etag: \"k\""],
                b"{\"keys\":[]}",
            )
        } else {
            http("404 Not Found", &[JSON], b"{}")
        }
    })
    .await;
    let upstreams = server.upstreams();
    let upstream = upstreams.default_upstream();
    let keys = upstream.document("/-/npm/v1/keys", None).await.unwrap();
    assert_eq!(
        (keys.status.as_u16(), &keys.body[..]),
        (200, &b"{\"keys\":[]}"[..])
    );
    assert!(keys.headers.contains_key("etag") && !keys.headers.contains_key("set-cookie"));
    assert_eq!(upstream.ping().await.unwrap().as_u16(), 404);
    let audit = upstream
        .audit("-/npm/v1/keys", "{}".into())
        .await
        .unwrap_err();
    assert!(matches!(audit, UpstreamError::Path { .. }), "{audit}");
    for path in [
        "secret",
        "/-/../secret",
        "-/%2e%2e/secret",
        "-/..%2fsecret",
        "-\\x",
        "//other.example.invalid/-/x",
        "-/a\\..\\b",
    ] {
        let error = upstream.document(path, None).await.unwrap_err();
        assert!(
            matches!(error, UpstreamError::Path { .. }),
            "{path}: {error}"
        );
    }
    assert_eq!(server.seen().len(), 2);
}
