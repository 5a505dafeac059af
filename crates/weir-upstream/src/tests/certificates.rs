//! Client certificates, shown to servers that ask for them.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use weir_testing::{TlsAuthority, TlsIdentity};

use super::*;

/// An authority, files of what it gave out, and a server that asks everybody for a certificate of it.
struct World {
    authority: TlsAuthority,
    folder: tempfile::TempDir,
    /// Of each connection to any of the servers that was let in: whether it showed a certificate.
    shown: Arc<Mutex<Vec<bool>>>,
}

fn chain(identity: &TlsIdentity) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()
}

fn key(identity: &TlsIdentity) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap()
}

/// What a server does with clients that show no certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Refused,
    LetIn,
}

impl World {
    fn new() -> Self {
        let world = Self {
            authority: TlsAuthority::generate("authority"),
            folder: tempfile::tempdir().unwrap(),
            shown: Arc::default(),
        };
        world.write("ca.pem", &world.authority.pem());
        world.write_identity("client", &world.authority.client("client"));
        world
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn write_identity(&self, name: &str, identity: &TlsIdentity) {
        self.write(&format!("{name}.pem"), &identity.certificate);
        self.write(&format!("{name}.key"), &identity.key);
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    async fn server(
        &self,
        others: Others,
        answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Server {
        let acceptor = TlsAcceptor::from(Arc::new(self.config(others)));
        let shown = Arc::clone(&self.shown);
        let opened = move |socket: TcpStream| {
            let (acceptor, shown) = (acceptor.clone(), Arc::clone(&shown));
            async move {
                match acceptor.accept(socket).into_fallible().await {
                    Ok(stream) => {
                        let certificates = stream.get_ref().1.peer_certificates();
                        shown.lock().unwrap().push(certificates.is_some());
                        Some(stream)
                    }
                    Err((_, mut socket)) => {
                        // What is unread when a socket is closed takes the alert with it.
                        let _ = socket.shutdown().await;
                        let _ = socket.read_to_end(&mut Vec::new()).await;
                        None
                    }
                }
            }
        };
        Server::listen("https", answer, opened).await
    }

    fn config(&self, others: Others) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        let pem = self.authority.pem();
        let root = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        roots.add(root).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = match others {
            Others::Refused => verifier,
            Others::LetIn => verifier.allow_unauthenticated(),
        };
        let own = self.authority.server();
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![chain(&own)], key(&own))
            .unwrap()
    }

    /// Settings that trust the authority.
    fn upstreams(&self, settings: &str) -> Upstreams {
        let text = format!("cafile={}\n{settings}\n", self.path("ca.pem"));
        let npmrc = Npmrc::parse(&text, &BTreeMap::new());
        Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap()
    }

    /// `certfile` and `keyfile` for `key`, from these files.
    fn pair(&self, key: &str, certificate: &str, private: &str) -> String {
        format!(
            "{key}:certfile={}\n{key}:keyfile={}\n",
            self.path(certificate),
            self.path(private)
        )
    }

    fn shown(&self) -> Vec<bool> {
        std::mem::take(&mut *self.shown.lock().unwrap())
    }
}

fn empty(_: &str, _: usize) -> Vec<u8> {
    http("200 OK", &[JSON], b"{}")
}

#[tokio::test]
async fn a_registry_that_insists_on_a_client_certificate_gets_the_one_that_is_set_for_it() {
    let world = World::new();
    let server = world.server(Others::Refused, empty).await;
    let registry = format!("registry={}\n", server.address);
    let identity = world.authority.client("curves");
    world.write("ec.pem", &identity.certificate);
    world.write("ec.key", &identity.ec_key);
    // Both in one file, among other things.
    world.write(
        "both.pem",
        &format!(
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{}{}",
            identity.key, identity.certificate
        ),
    );
    for (certificate, private) in [
        ("client.pem", "client.key"),
        ("ec.pem", "ec.key"),
        ("both.pem", "both.pem"),
    ] {
        let settings = world.pair(server.key(), certificate, private);
        let token = format!("{}:_authToken=s3cret", server.key());
        let upstreams = world.upstreams(&format!("{registry}{settings}{token}"));
        upstreams.prepare().unwrap();
        assert_eq!(raw(fetch(&upstreams, "a").await.unwrap()), b"{}");
        assert_eq!(world.shown(), [true], "{certificate}");
        // A token goes along as ever.
        assert!(server.seen().last().unwrap().contains("Bearer s3cret"));
    }
}

#[tokio::test]
async fn without_a_certificate_the_refusal_says_what_to_set() {
    let world = World::new();
    let server = world.server(Others::Refused, empty).await;
    let registry = format!("registry={}\n", server.address);
    let absent = world.pair(server.key(), "client.pem", "gone.key");
    for (settings, words) in [
        (
            "",
            "none is set for it (`certfile` and `keyfile` in .npmrc)",
        ),
        // npm goes without a file that is not there.
        (absent.as_str(), "/gone.key) does not exist"),
    ] {
        let upstreams = world.upstreams(&format!("{registry}{settings}"));
        upstreams.prepare().unwrap();
        let error = fetch(&upstreams, "a").await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("it wants a client certificate") && text.contains(words),
            "{text}"
        );
        assert!(error.is_denied() && !error.is_temporary(), "{error:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_that_is_not_taken_is_named() {
    let world = World::new();
    let server = world.server(Others::Refused, empty).await;
    world.write_identity("other", &TlsAuthority::generate("other").client("client"));
    let settings = world.pair(server.key(), "other.pem", "other.key");
    let upstreams = world.upstreams(&format!("registry={}\n{settings}", server.address));
    let error = fetch(&upstreams, "a").await.unwrap_err();
    let text = error.to_string();
    let named = format!("the client certificate of `{}:certfile` (", server.key());
    assert!(text.contains(&named) && error.is_denied(), "{text}");
}

#[tokio::test]
async fn a_certificate_is_shown_to_nobody_else() {
    let world = World::new();
    let other = world.server(Others::LetIn, empty).await;
    let target = format!("location: {}a", other.address);
    let server = world
        .server(Others::LetIn, move |request, _| {
            if request.starts_with("GET /npm/redirected") {
                http("302 Found", &[&target], b"")
            } else {
                empty(request, 0)
            }
        })
        .await;
    let own = world.pair(&format!("{}npm/", server.key()), "client.pem", "client.key");
    let others = world.pair(other.key(), "client.pem", "client.key");
    let settings = format!(
        "registry={0}npm/\n@beside:registry={0}beside/\n@other:registry={1}\n{own}",
        server.address, other.address
    );
    let upstreams = world.upstreams(&settings);
    for (package, shown) in [
        ("a", &[true][..]),
        ("@other/a", &[false]),
        // On the same host, but on a path that it is not set for: no connection is shared with the one above.
        ("@beside/a", &[false]),
        ("redirected", &[true, false]),
    ] {
        fetch(&upstreams, package).await.unwrap();
        assert_eq!(world.shown(), shown, "{package}");
    }
    // A file on the registry's own host, and one elsewhere.
    let upstream = upstreams.default_upstream();
    for (address, shown) in [(&server.address, true), (&other.address, false)] {
        let url = Url::parse(&format!("{address}files/a-1.0.0.tgz")).unwrap();
        upstream.tarball(&url).await.unwrap();
        assert_eq!(world.shown(), [shown], "{url}");
    }
    // Even one that is set for the other host: a redirect is not ours to sign.
    let upstreams = world.upstreams(&format!("{settings}{others}"));
    fetch(&upstreams, "redirected").await.unwrap();
    assert_eq!(world.shown(), [true, false]);
}

#[tokio::test]
async fn cert_and_key_are_presented_to_the_registries() {
    let world = World::new();
    let server = world.server(Others::Refused, empty).await;
    let other = world.server(Others::LetIn, empty).await;
    let identity = world.authority.client("of old");
    let line = |text: &str| text.trim().replace('\n', "\\n");
    let settings = format!(
        "registry={}\ncert=\"{}\"\nkey={}\n",
        server.address,
        line(&identity.certificate),
        line(&identity.key)
    );
    let upstreams = world.upstreams(&settings);
    fetch(&upstreams, "a").await.unwrap();
    let url = Url::parse(&format!("{}a-1.0.0.tgz", other.address)).unwrap();
    upstreams.default_upstream().tarball(&url).await.unwrap();
    assert_eq!(world.shown(), [true, false]);
    // The key is a secret.
    let inside = identity.key.lines().nth(1).unwrap();
    assert!(!format!("{upstreams:?}").contains(inside));
}

#[test]
fn certificates_that_cannot_be_used_are_named_before_anybody_is_asked() {
    let world = World::new();
    world.write("text", "s3cret, not in PEM");
    world.write_identity("second", &world.authority.client("second"));
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\ns3cret\n-----END ENCRYPTED PRIVATE KEY-----\n";
    world.write("locked", locked);
    world.write("cut", "-----BEGIN PRIVATE KEY-----\ns3cret\n");
    world.write(
        "odd",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
    );
    world.write(
        "hollow",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    );
    for (certificate, private, named, why) in [
        (
            "text",
            "client.key",
            "certfile",
            "no certificate in PEM in it",
        ),
        (
            "client.pem",
            "text",
            "keyfile",
            "no private key in PEM in it",
        ),
        ("client.pem", "locked", "keyfile", "encrypted"),
        ("client.pem", "cut", "keyfile", "its PEM is broken"),
        ("client.pem", "odd", "keyfile", "of no supported kind"),
        (
            "hollow",
            "client.key",
            "certfile",
            "its certificate is broken",
        ),
        (
            "client.pem",
            "second.key",
            "keyfile",
            "it is not the key of the certificate in `//registry",
        ),
    ] {
        let settings = world.pair("//registry.example.invalid/", certificate, private);
        let upstreams = world.upstreams(&format!(
            "registry=http://plain.example.invalid/\n@s:registry=https://registry.example.invalid/\n{settings}"
        ));
        let error = upstreams.prepare().unwrap_err();
        let text = error.to_string();
        let file = world.path(if named == "certfile" {
            certificate
        } else {
            private
        });
        let origin = format!("`//registry.example.invalid/:{named}` ({file})");
        assert!(text.contains(&origin) && text.contains(why), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(error.fault(), Fault::Configuration);
    }
}

/// A pair that is set for a host which nothing asks may be what only another machine has.
#[tokio::test]
async fn a_certificate_that_nobody_needs_is_not_read() {
    let world = World::new();
    world.write("text", "not in PEM");
    let server = Server::start(empty).await;
    let settings = world.pair("//elsewhere.example.invalid/", "text", "text");
    // Without TLS nobody asks for one either.
    let plain = world.pair(server.key(), "text", "text");
    let upstreams = world.upstreams(&format!("registry={}\n{settings}{plain}", server.address));
    upstreams.prepare().unwrap();
    fetch(&upstreams, "a").await.unwrap();
}

/// The address, with `https`, of a server that answers whatever comes in plain HTTP.
async fn speaks_no_tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = socket.shutdown().await;
        }
    });
    address
}

/// What TLS calls it is not what has to be done about it.
#[tokio::test]
async fn a_server_that_is_not_believed_is_told_with_what_to_do() {
    let world = World::new();
    let server = world.server(Others::LetIn, empty).await;
    let other = TlsAuthority::generate("another authority");
    world.write("other.pem", &other.pem());
    let plain = speaks_no_tls().await;
    for (address, authority, todo) in [
        (server.address.clone(), "other.pem", "NODE_EXTRA_CA_CERTS"),
        (
            server.address.replace("127.0.0.1", "localhost"),
            "ca.pem",
            "name the host as its certificate does",
        ),
        (plain, "ca.pem", "begin with http://"),
    ] {
        let text = format!("registry={address}\ncafile={}\n", world.path(authority));
        let npmrc = Npmrc::parse(&text, &BTreeMap::new());
        let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
        let error = fetch(&upstreams, "a").await.unwrap_err();
        // Asking again changes nothing of it.
        assert_eq!(error.final_status(), Some(UNUSABLE), "{error}");
        assert_eq!(error.fault(), Fault::Network);
        let error = error.to_string();
        assert!(error.contains(todo), "{address}: {error}");
    }
}

/// A server that shows this, asks nobody for a certificate, and has a package.
async fn plain(own: &TlsIdentity) -> Server {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain(own)], key(own))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let opened = move |socket: TcpStream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(socket).await.ok() }
    };
    Server::listen("https", |_, _| http("200 OK", &[JSON], b"{}"), opened).await
}

/// As `openssl req -x509` makes it: Node believes what is named, whatever it is.
#[tokio::test]
async fn a_servers_own_certificate_is_believed_where_it_is_named_itself() {
    let world = World::new();
    const HERE: [u8; 4] = [127, 0, 0, 1];
    let long = "2049-01-01T00:00:00Z";
    let own = TlsAuthority::server_of_its_own(HERE, long);
    let elsewhere = TlsAuthority::server_of_its_own([127, 0, 0, 2], long);
    let over = TlsAuthority::server_of_its_own(HERE, "2020-01-01T00:00:00Z");
    let other = TlsAuthority::server_of_its_own(HERE, long);
    for (what, shown, named, said) in [
        ("named", &own, &own, None),
        (
            "another host's",
            &elsewhere,
            &elsewhere,
            Some("has to name the host"),
        ),
        ("out of date", &over, &over, Some("out of date")),
        ("not named", &own, &other, Some("where it is named itself")),
    ] {
        let server = plain(shown).await;
        world.write_identity("own", named);
        let file = world.path("own.pem");
        let settings = [
            (format!("cafile={file}\n"), None),
            (
                String::new(),
                Some(("NODE_EXTRA_CA_CERTS".to_owned(), file.clone())),
            ),
        ];
        for (setting, variable) in settings {
            let text = format!("registry={}\n{setting}", server.address);
            let options = Options {
                environment: variable.into_iter().collect(),
                ..Options::default()
            };
            let npmrc = Npmrc::parse(&text, &BTreeMap::new());
            let upstreams = Upstreams::from_npmrc(&npmrc, &options).unwrap();
            match (fetch(&upstreams, "a").await, said) {
                (Ok(fetched), None) => assert_eq!(raw(fetched), b"{}", "{what}"),
                (Err(error), Some(said)) => {
                    let error = error.to_string();
                    assert!(error.contains(said), "{what}: {error}");
                }
                (fetched, _) => panic!("{what}, {text}: {fetched:?}"),
            }
        }
    }
}
