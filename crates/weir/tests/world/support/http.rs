//! HTTP/1.1 by hand: nothing is retried, decompressed or hidden, the reason phrase included.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) reason: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its announced end.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The body without gzip.
    pub(crate) fn unpacked(&self) -> Vec<u8> {
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(self.body.as_slice())
            .read_to_end(&mut body)
            .unwrap();
        body
    }
}

/// Sends one request on a connection of its own and reads until the other side closes.
pub(crate) fn request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    // A connection that breaks off is what some tests are about.
    let _ = stream.read_to_end(&mut bytes);
    parse(&bytes, method == "HEAD")
}

fn parse(bytes: &[u8], head_only: bool) -> Reply {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        // Broken off before anything was said.
        let (reason, headers, body) = (String::new(), Vec::new(), Vec::new());
        return Reply {
            status: 0,
            reason,
            headers,
            body,
            whole: false,
        };
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let mut status = lines.next().unwrap().splitn(3, ' ').skip(1);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let find = |name: &str| {
        headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    };
    let (body, whole) = if head_only {
        (rest.to_vec(), rest.is_empty())
    } else if find("transfer-encoding").is_some_and(|value| value == "chunked") {
        unchunk(rest)
    } else {
        let length = find("content-length").map_or(rest.len(), |length| length.parse().unwrap());
        (rest.to_vec(), rest.len() == length)
    };
    Reply {
        status: status.next().unwrap().parse().unwrap(),
        reason: status.next().unwrap_or_default().to_owned(),
        headers,
        body,
        whole,
    }
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else {
            return (body, false);
        };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(&rest[..size.min(rest.len())]);
            return (body, false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

/// A server of one file, with an entity tag.
pub(crate) struct FileServer {
    address: std::net::SocketAddr,
}

impl FileServer {
    /// Serves the bytes under every path until the test ends.
    pub(crate) fn start(bytes: Vec<u8>) -> FileServer {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let (mut head, mut piece) = (Vec::new(), [0; 1024]);
                while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                    match stream.read(&mut piece) {
                        Ok(0) | Err(_) => break,
                        Ok(count) => head.extend_from_slice(&piece[..count]),
                    }
                }
                let known = String::from_utf8_lossy(&head).contains("\"the-one\"");
                let (status, body) = match known {
                    true => ("304 Not Modified", &[][..]),
                    false => ("200 OK", bytes.as_slice()),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\netag: \"the-one\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(body));
            }
        });
        FileServer { address }
    }

    /// Its address, with a closing slash.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}
