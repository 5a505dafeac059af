//! What an audit asks about: a list of names with versions, or the tree that older clients send.
//!
//! A body of another form is refused: what is passed over here would be answered with "0 vulnerabilities".

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use http::StatusCode;
use serde_json::{Map, Value};
use weir_engine::audit::{Asked, given_twice};

/// Longest request body once it is unpacked, in bytes.
const UNPACKED_LIMIT: u64 = 64 << 20;
/// Most releases asked about at a time. Trees of real projects have a few thousand.
const MOST_RELEASES: usize = 100_000;
/// Deepest nesting of a tree.
const MOST_LEVELS: usize = 60;
/// Most memory for the paths of a tree, in bytes: each place has its own, from the root on. A tree of a
/// hundred thousand places six levels deep takes half of it.
const PATHS_LIMIT: usize = 64 << 20;
/// Longest name and longest version, in bytes: npm's own limits are 214 and 256 characters.
const LONGEST: usize = 300;

/// Which of the two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `{"name": ["version", …]}`.
    Bulk,
    /// A lockfile's tree, as npm 6 had it.
    Tree,
}

/// What is asked.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) releases: Asked,
    /// The places in a tree, in its order.
    pub(super) places: Vec<Place>,
}

/// A release at a place in the tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) version: String,
    /// Names from the root to it.
    pub(super) path: Vec<String>,
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) bundled: bool,
}

/// Why a body cannot be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

fn bad(why: impl Into<String>) -> Refused {
    Refused {
        status: StatusCode::BAD_REQUEST,
        why: why.into(),
    }
}

fn too_large(why: String) -> Refused {
    Refused {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        why,
    }
}

/// Reads a request.
pub(super) fn read(form: Form, encoding: Option<&[u8]>, body: &[u8]) -> Result<Request, Refused> {
    let unpacked;
    let text = match encoding {
        None => body,
        Some(name) if name.eq_ignore_ascii_case(b"identity") => body,
        Some(name) if name.eq_ignore_ascii_case(b"gzip") => {
            unpacked = unpack(body)?;
            &unpacked
        }
        Some(other) => {
            return Err(Refused {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                why: format!(
                    "the body's encoding {:?} is not supported: send it plain or as gzip",
                    String::from_utf8_lossy(other)
                ),
            });
        }
    };
    if let Some(key) = given_twice(text) {
        return Err(bad(format!("{:?}: a key given twice", shown(&key))));
    }
    let value: Value = serde_json::from_slice(text)
        .map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    let Value::Object(members) = value else {
        return Err(bad("the body is not a JSON object"));
    };
    match form {
        Form::Bulk => bulk(members),
        Form::Tree => tree(&members),
    }
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(UNPACKED_LIMIT + 1);
    decoder
        .read_to_end(&mut plain)
        .map_err(|error| bad(format!("the body is no whole gzip: {error}")))?;
    if plain.len() as u64 > UNPACKED_LIMIT {
        let why = format!("the body unpacks to more than {UNPACKED_LIMIT} bytes");
        return Err(too_large(why));
    }
    Ok(plain)
}

fn bulk(members: Map<String, Value>) -> Result<Request, Refused> {
    let mut request = Request::default();
    let mut count = 0;
    for (name, versions) in members {
        let wrong = || bad(format!("{:?}: not a list of versions", shown(&name)));
        let Value::Array(list) = versions else {
            return Err(wrong());
        };
        let mut versions = std::collections::BTreeSet::new();
        for version in list {
            let Value::String(version) = version else {
                return Err(wrong());
            };
            versions.insert(short(version)?);
        }
        count += versions.len();
        check_count(count)?;
        request.releases.insert(short(name)?, versions);
    }
    Ok(request)
}

fn shown(text: &str) -> String {
    weir_model::finding::printable(text, 100)
}

fn short(text: String) -> Result<String, Refused> {
    if text.len() > LONGEST {
        return Err(bad(format!("{:?}: too long", shown(&text))));
    }
    Ok(text)
}

fn check_count(count: usize) -> Result<(), Refused> {
    if count > MOST_RELEASES {
        return Err(too_large(format!("more than {MOST_RELEASES} releases")));
    }
    Ok(())
}

fn tree(members: &Map<String, Value>) -> Result<Request, Refused> {
    let requires = requires(members)?;
    let mut request = Request::default();
    let mut open = vec![(members, Vec::<String>::new())];
    let mut length = 0;
    while let Some((node, path)) = open.pop() {
        let dependencies = match node.get("dependencies") {
            None | Some(Value::Null) => continue,
            Some(Value::Object(dependencies)) => dependencies,
            Some(_) => {
                return Err(bad(format!(
                    "{:?}: dependencies is no object",
                    shown(&path.join(">"))
                )));
            }
        };
        if path.len() >= MOST_LEVELS && !dependencies.is_empty() {
            return Err(bad(format!("a tree of more than {MOST_LEVELS} levels")));
        }
        for (name, child) in dependencies {
            let mut path = path.clone();
            path.push(short(name.clone())?);
            length += path
                .iter()
                .map(|it| it.len() + size_of::<String>())
                .sum::<usize>();
            if length > PATHS_LIMIT {
                let why = format!("a tree whose paths take more than {PATHS_LIMIT} bytes");
                return Err(too_large(why));
            }
            let Value::Object(child) = child else {
                return Err(bad(format!("{:?}: no object", shown(&path.join(">")))));
            };
            place(&mut request, name, child, &path)?;
            check_count(request.places.len())?;
            open.push((child, path));
        }
    }
    if requires && request.places.is_empty() {
        return Err(bad("the tree lists nothing of what it requires"));
    }
    request.places.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(request)
}

/// Whether the root asks for something by name. What lies below may require what is listed beside it.
fn requires(root: &Map<String, Value>) -> Result<bool, Refused> {
    match root.get("requires") {
        Some(Value::Object(requires)) => Ok(!requires.is_empty()),
        // `true` is npm 6's word in lockfiles for entries that say what they require.
        Some(Value::Bool(_)) => Ok(false),
        None | Some(Value::Null) if root.get("dependencies").is_some_and(|it| !it.is_null()) => {
            Ok(false)
        }
        None | Some(Value::Null) => Err(bad(
            "neither \"dependencies\" nor \"requires\": not an audit of a tree",
        )),
        Some(_) => Err(bad("requires is no object")),
    }
}

/// Whether an entry without a version is known not to be a release: a link, a file or a folder, or what no
/// package can be called (`.`, the project itself).
fn is_no_release(name: &str, child: &Map<String, Value>) -> bool {
    let is_here = |it: &str| it.starts_with("file:") || it.starts_with("link:");
    let resolved = child.get("resolved").and_then(Value::as_str);
    // pnpm says nothing more of a folder that it takes in as a dependency. Its releases have a version.
    let is_folder = child.get("dev").is_some_and(Value::is_boolean)
        && child
            .keys()
            .all(|key| ["dev", "dependencies", "requires"].contains(&key.as_str()));
    name.starts_with('.')
        || child.get("link") == Some(&Value::Bool(true))
        || resolved.is_some_and(is_here)
        || is_folder
}

/// Notes a release.
fn place(
    request: &mut Request,
    name: &str,
    child: &Map<String, Value>,
    path: &[String],
) -> Result<(), Refused> {
    let wrong = |why: &str| bad(format!("{:?}: {why}", shown(&path.join(">"))));
    let version = match child.get("version") {
        Some(Value::String(version)) => version,
        Some(_) => return Err(wrong("its version is no text")),
        None if is_no_release(name, child) => return Ok(()),
        None => return Err(wrong("it has no version")),
    };
    let version = short(version.clone())?;
    // An alias says what it stands for in its version.
    let (name, version) = match version
        .strip_prefix("npm:")
        .and_then(|it| it.rsplit_once('@'))
    {
        Some((name, version)) if !name.is_empty() => (name.to_owned(), version.to_owned()),
        _ => (name.to_owned(), version),
    };
    let is = |key: &str| child.get(key).and_then(Value::as_bool).unwrap_or(false);
    let versions = request.releases.entry(name.clone()).or_default();
    versions.insert(version.clone());
    request.places.push(Place {
        name,
        version,
        path: path.to_vec(),
        dev: is("dev"),
        optional: is("optional"),
        bundled: is("bundled"),
    });
    Ok(())
}

#[cfg(test)]
mod tests;
