//! The name that a client reaches the gateway by: which names are names, and which are answered.
//!
//! Every tarball address in an answer begins with it, so that it is held to the length of a name. And a web page can
//! have its own name lead to this machine (DNS rebinding): for the browser a gateway on loopback is then of the page's
//! own origin, and what it answers may be read by the page. Such a gateway answers the names of this machine only.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use http::header::HOST;
use http::request::Parts;
use http::{StatusCode, Version};

use crate::answer::{self, Answer};

/// Longest name, in bytes (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 255;

/// Most digits of a port.
const LONGEST_PORT: usize = 5;

/// Which names are answered.
#[derive(Debug, Clone)]
pub(crate) enum Names {
    /// Any: clients come from elsewhere, or through a proxy, by names that are not known here.
    Any,
    /// Those of this machine: addresses, `localhost` and what is below it, and these, in lower case.
    ThisMachine(Vec<String>),
}

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It does not say by which name it came, or says it in no form that is one.
    NoName(&'static str),
    /// It came by a name that is not of this machine.
    Foreign(String),
}

impl Names {
    /// The names to answer for a gateway that listens there. `public` says whether it is reached under an address of
    /// its own, `own` are the names of this machine.
    pub(crate) fn of(address: SocketAddr, public: bool, own: &[String]) -> Self {
        if public || !address.ip().to_canonical().is_loopback() {
            return Self::Any;
        }
        let names = own.iter().map(|name| bare(name).to_ascii_lowercase());
        Self::ThisMachine(names.filter(|name| !name.is_empty()).collect())
    }

    /// The host and port that a request came by. Nothing of one of HTTP/1.0, which need not say.
    ///
    /// # Errors
    /// When it says none, or one that is not answered.
    pub(crate) fn read<'r>(&self, request: &'r Parts) -> Result<Option<&'r str>, Refused> {
        let mut hosts = request.headers.get_all(HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        if second.is_some() {
            return Err(Refused::NoName("it has several Host headers"));
        }
        let header = match first {
            Some(value) => Some(authority(value.as_bytes())?),
            None if request.version < Version::HTTP_11 => None,
            None => return Err(Refused::NoName("it has no Host header")),
        };
        // What a request line names goes before the header (RFC 9112 section 3.2.2).
        let line = request.uri.authority();
        let line = line.map(|it| authority(it.as_str().as_bytes()));
        let line = line.transpose()?;
        for name in [header, line].into_iter().flatten() {
            if !self.answers(name) {
                return Err(Refused::Foreign(name.to_owned()));
            }
        }
        Ok(line.or(header))
    }

    fn answers(&self, authority: &str) -> bool {
        let Self::ThisMachine(own) = self else {
            return true;
        };
        let host = host_of(authority);
        let name = bare(host).to_ascii_lowercase();
        host.starts_with('[')
            || name.parse::<Ipv4Addr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || own.contains(&name)
    }
}

impl Refused {
    /// What the client is told.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::NoName(why) => {
                let text = format!(
                    "weir cannot tell by which name this request came: {why}, and the answer needs it"
                );
                answer::error(StatusCode::BAD_REQUEST, &text)
            }
            Self::Foreign(host) => {
                let text = format!(
                    "weir listens on loopback and is not asked by the name of this machine but as {host:?}: as a web page \
                     with a name of its own could, it is not answered. Ask by address, as localhost or by this machine's \
                     host name. If the name is right, start weir with the address that clients use: \
                     --public-url http://{host}/"
                );
                answer::error(StatusCode::MISDIRECTED_REQUEST, &text)
            }
        }
    }
}

/// A host and, behind a colon, a port; nothing else, and no longer than names are.
fn authority(bytes: &[u8]) -> Result<&str, Refused> {
    let is_none = Refused::NoName("its Host is no name or address");
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(is_none);
    };
    let host = host_of(text);
    let port = text.get(host.len()..).unwrap_or_default();
    let port_fits = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(number) => {
            // Zeros before it would make it as long as anybody likes.
            number.len() <= LONGEST_PORT
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && (number.is_empty() || number.parse::<u16>().is_ok())
        }
    };
    match port_fits && is_host(host) {
        true => Ok(text),
        false => Err(is_none),
    }
}

/// What stands before the port.
fn host_of(authority: &str) -> &str {
    let end = match authority.starts_with('[') {
        true => authority.find(']').map(|at| at + 1),
        false => authority.find(':'),
    };
    end.and_then(|end| authority.get(..end))
        .unwrap_or(authority)
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').unwrap_or_default();
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.len() <= LONGEST_NAME && host.bytes().all(is_of_names)
}

/// A name without the dot that ends full names.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Where a client that does not say is taken to have come to.
pub(crate) fn authority_of(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const LOOPBACK: &str = "127.0.0.1:4874";

    fn names(listens: &str, public: bool) -> Names {
        let own = ["Workshop".to_owned(), "workshop.example".to_owned()];
        Names::of(listens.parse().unwrap(), public, &own)
    }

    fn asked(line: &str, hosts: &[&[u8]], version: Version) -> Parts {
        let mut request = Request::builder().uri(line).version(version);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn by(host: &str) -> Parts {
        asked("/ok", &[host.as_bytes()], Version::HTTP_11)
    }

    #[test]
    fn a_host_is_a_name_and_nothing_else() {
        let any = names("0.0.0.0:4874", false);
        for host in [
            "weir.example",
            "weir.example:4874",
            "WEIR_1.example.:80",
            "127.0.0.1:4874",
            "[::1]:4874",
            "[::1]",
            "host.docker.internal:4874",
            "weir.example:",
        ] {
            assert_eq!(any.read(&by(host)), Ok(Some(host)), "{host}");
        }
        let long = "a".repeat(256);
        let longer = "a".repeat(300_000);
        for host in [
            "",
            ":80",
            "a\",\"x\":\"y",
            "user@weir.example",
            "weir.example/x",
            "weir.example:x",
            "weir.example:65536",
            "weir.example:00000000000000000000000000000000080",
            "[::1",
            "[::g]",
            "[]",
            "a b",
            long.as_str(),
            longer.as_str(),
        ] {
            let read = any.read(&by(host)).map(|_| ());
            assert!(matches!(read, Err(Refused::NoName(_))), "{host} {read:?}");
        }
        let odd: [&[&[u8]]; 3] = [&[b"\xe9vil"], &[b"weir.example", b"weir.example"], &[]];
        for hosts in odd {
            let request = asked("/ok", hosts, Version::HTTP_11);
            assert!(matches!(any.read(&request), Err(Refused::NoName(_))));
        }
        // A client of that age need not say.
        let old = asked("/ok", &[], Version::HTTP_10);
        assert_eq!(any.read(&old), Ok(None));
        let line = asked("http://user@weir.example/ok", &[b"a"], Version::HTTP_11);
        assert!(matches!(any.read(&line), Err(Refused::NoName(_))));
    }

    #[test]
    fn on_loopback_the_names_of_this_machine_are_answered() {
        let here = names(LOOPBACK, false);
        for host in [
            "127.0.0.1:4874",
            "[::1]:4874",
            "192.0.2.7",
            "localhost",
            "LocalHost.:4874",
            "weir.localhost:4874",
            "workshop:4874",
            "WORKSHOP.example",
        ] {
            assert_eq!(here.read(&by(host)), Ok(Some(host)), "{host}");
        }
        for host in [
            "rebind.evil.example:4874",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "workshop.evil.example",
            "1.2.3",
            "host.docker.internal:4874",
        ] {
            let refused = here.read(&by(host)).map(|_| ());
            assert_eq!(refused, Err(Refused::Foreign(host.to_owned())), "{host}");
        }
        // The name in the request line is the one that counts, and hides behind no header.
        let line = |host: &[u8]| asked("http://evil.example:4874/ok", &[host], Version::HTTP_11);
        assert!(matches!(
            here.read(&line(b"localhost")),
            Err(Refused::Foreign(_))
        ));
        let any = names("0.0.0.0:4874", false);
        let request = line(b"weir.example");
        assert_eq!(any.read(&request), Ok(Some("evil.example:4874")));
    }

    #[test]
    fn who_listens_elsewhere_or_has_an_address_of_its_own_is_asked_by_any_name() {
        for (listens, public) in [
            ("0.0.0.0:4874", false),
            ("[::]:4874", false),
            ("192.0.2.7:4874", false),
            (LOOPBACK, true),
        ] {
            let read = names(listens, public)
                .read(&by("host.docker.internal:4874"))
                .is_ok();
            assert!(read, "{listens}");
        }
        for listens in [
            LOOPBACK,
            "[::1]:4874",
            "127.0.0.2:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(
                names(listens, false).read(&by("weir.example")).is_err(),
                "{listens}"
            );
        }
    }

    #[test]
    fn whoever_is_not_answered_is_told_what_to_set() {
        let foreign = Refused::Foreign("weir.example:4874".to_owned()).answer();
        assert_eq!(foreign.status(), StatusCode::MISDIRECTED_REQUEST);
        let nameless = Refused::NoName("it has no Host header").answer();
        assert_eq!(nameless.status(), StatusCode::BAD_REQUEST);
    }
}
