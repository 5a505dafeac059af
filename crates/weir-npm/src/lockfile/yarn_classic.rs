//! yarn 1's own format: keys without indentation, fields two blanks in, their members four.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Format;
use super::error::{LockfileError, Problem};
use super::graph::{DependencyKind, Edge, Lockfile, Node, NodeId, Source, folder_from, split_name};
use super::npm::resolved_source;

/// A line that says something.
struct Line<'a> {
    number: u32,
    indent: usize,
    text: &'a str,
}

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Lockfile, LockfileError> {
    let mut lockfile = Lockfile::new(Format::YarnClassic, "1");
    let mut block: Option<&'static str> = None;
    let mut current: Option<NodeId> = None;
    let mut requests = Vec::new();
    let mut fields = HashSet::new();
    for line in lines(text)? {
        match line.indent {
            0 => {
                let (id, of_it) = entry(&mut lockfile, &line)?;
                current = Some(id);
                requests = of_it;
                block = None;
                fields.clear();
            }
            2 => {
                let (key, rest) = token(&line)?;
                if !fields.insert((None, key.clone())) {
                    return Err(Problem::DuplicateKey.at(line.number, Some(&key)));
                }
                let id = current.ok_or_else(|| syntax(&line, "a field without an entry"))?;
                block = (rest == ":").then(|| list(&key)).flatten();
                if rest != ":" {
                    field(&mut lockfile, id, &requests, &key, &value(&line, rest)?);
                }
            }
            4 => {
                let (key, rest) = token(&line)?;
                if !fields.insert((block, key.clone())) {
                    return Err(Problem::DuplicateKey.at(line.number, Some(&key)));
                }
                let from = current.ok_or_else(|| syntax(&line, "a field without an entry"))?;
                let spec = value(&line, rest)?.into_owned();
                if let Some(list) = block {
                    lockfile
                        .edges
                        .push(edge(from, key.into_owned(), spec, list, line.number));
                }
            }
            _ => return Err(syntax(&line, "indented as yarn does not")),
        }
    }
    place(&mut lockfile);
    link(&mut lockfile);
    Ok(lockfile)
}

/// An entry without an address that a folder or an archive on this machine answers has it among its requests, which
/// `resolutions` put beside what is asked for.
fn place(lockfile: &mut Lockfile) {
    let places = lockfile.requests.iter().filter_map(|(request, id)| {
        let source = Source::of_address(split_name(request)?.1)?;
        matches!(source, Source::File(_) | Source::Link(_)).then_some((*id, source))
    });
    let places: Vec<(NodeId, Source)> = places.collect();
    for (id, source) in places {
        if let Some(node) = lockfile.nodes.get_mut(id)
            && node.source == Source::Registry(None)
        {
            node.source = source;
        }
    }
}

/// How a request of a project's folder for a path is written here: from the root, with a dot in front only if
/// it had one. `None` for any other request.
pub(super) fn as_written(folder: &str, spec: &str) -> Option<String> {
    let in_protocol = |protocol: &'static str| Some((protocol, spec.strip_prefix(protocol)?));
    let (protocol, path) = ["file:", "link:"].into_iter().find_map(in_protocol)?;
    if path.starts_with('/') {
        return None;
    }
    let inner = folder_from(folder, path);
    let is_dotted = path == "." || path.starts_with("./");
    let dot = match inner.as_str() {
        "" => ".",
        inner if is_dotted && !inner.starts_with("../") => "./",
        _ => "",
    };
    Some(format!("{protocol}{dot}{inner}"))
}

impl Lockfile {
    /// Learns which entries stand for links that the project's `resolutions` set; `linked` gives the path for
    /// a name. yarn 1 writes the version 0.0.0 there, and nothing of where the link leads. Does nothing for
    /// other clients.
    pub fn learn_links<'m>(&mut self, linked: impl Fn(&str) -> Option<&'m str>) {
        if self.format != Format::YarnClassic {
            return;
        }
        for node in &mut self.nodes {
            let is_bare = node.source == Source::Registry(None)
                && node.integrity.is_none()
                && node.version.as_deref() == Some("0.0.0");
            if let Some(path) = linked(&node.place).filter(|_| is_bare) {
                node.source = Source::Link(path.to_owned());
                // What yarn writes where it does not know a version.
                node.version = None;
            }
        }
    }
}

fn syntax(line: &Line<'_>, what: &str) -> LockfileError {
    Problem::Syntax(format!("not what yarn writes: {what}")).at(line.number, Some(line.text))
}

/// The lines that are neither blank nor comments.
fn lines(text: &str) -> Result<Vec<Line<'_>>, LockfileError> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end();
        let text = line.trim_start_matches(' ');
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let indent = line.len() - text.len();
        let line = Line {
            number,
            indent,
            text,
        };
        if text.starts_with('\t') {
            return Err(syntax(&line, "a tab"));
        }
        lines.push(line);
    }
    Ok(lines)
}

/// A word or a quoted text, and what comes after it.
fn token<'a>(line: &Line<'a>) -> Result<(Cow<'a, str>, &'a str), LockfileError> {
    split_token(line, line.text)
}

fn split_token<'a>(
    line: &Line<'a>,
    text: &'a str,
) -> Result<(Cow<'a, str>, &'a str), LockfileError> {
    if !text.starts_with('"') {
        let end = text.find([' ', ':', ',']).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        if word.is_empty() {
            return Err(syntax(line, "a key is missing"));
        }
        return Ok((word.into(), rest));
    }
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    let end = end
        .map(|(at, _)| at + 1)
        .ok_or_else(|| syntax(line, "an open quote"))?;
    let (quoted, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let word = match crate::json::string(quoted) {
        Some(word) => word,
        None => return Err(syntax(line, "a quoted text that is none")),
    };
    Ok((word, rest))
}

/// The value after a key: one token to the end of the line.
fn value<'a>(line: &Line<'a>, rest: &'a str) -> Result<Cow<'a, str>, LockfileError> {
    let text = rest
        .strip_prefix(' ')
        .ok_or_else(|| syntax(line, "a value is missing"))?;
    if text.starts_with('"') {
        let (word, rest) = split_token(line, text)?;
        if !rest.is_empty() {
            return Err(syntax(line, "something after the value"));
        }
        return Ok(word);
    }
    if text.is_empty() {
        return Err(syntax(line, "a value is missing"));
    }
    // Bare values may hold colons, as addresses do in files of early versions.
    Ok(text.into())
}

/// Takes up an entry by its key: it, and the requests that it answers.
fn entry<'a>(
    lockfile: &mut Lockfile,
    line: &Line<'a>,
) -> Result<(NodeId, Vec<Cow<'a, str>>), LockfileError> {
    let mut requests = Vec::new();
    let (mut word, mut rest) = token(line)?;
    loop {
        requests.push(word);
        match rest.strip_prefix(", ") {
            Some(next) => (word, rest) = split_token(line, next)?,
            None if rest == ":" => break,
            None => return Err(syntax(line, "a key without a colon")),
        }
    }
    let first = requests.first().map(Cow::as_ref).unwrap_or_default();
    let (place, spec) =
        split_name(first).ok_or_else(|| syntax(line, "a key that is no request"))?;
    let name = alias(spec).unwrap_or(place);
    let source = Source::of_address(spec).unwrap_or(Source::Registry(None));
    let mut node = Node::new(first, line.number, name, source);
    place.clone_into(&mut node.place);
    let id = lockfile.push(node);
    for request in &requests {
        if lockfile
            .requests
            .insert(request.clone().into_owned(), id)
            .is_some()
        {
            return Err(Problem::DuplicateKey.at(line.number, Some(request)));
        }
    }
    Ok((id, requests))
}

/// The package that `npm:name@range` really asks for.
fn alias(spec: &str) -> Option<&str> {
    split_name(spec.strip_prefix("npm:")?).map(|(name, _)| name)
}

/// The package that is fetched, where the requests name it: one of them an alias, which `resolutions` put
/// beside what is asked for, or all of them the very address.
fn fetched(requests: &[Cow<'_, str>], url: &str) -> Option<String> {
    let name = in_address(url)?;
    let mut specs = requests.iter().filter_map(|it| Some(split_name(it)?.1));
    let is_named = specs.clone().any(|spec| alias(spec) == Some(name.as_str()))
        || specs.all(|spec| spec.split('#').next() == Some(url));
    is_named.then_some(name)
}

/// The name in an address of the form that registries share, `…/name/-/base-version.tgz`.
fn in_address(url: &str) -> Option<String> {
    let url = url.split('?').next().unwrap_or(url);
    let (before, file) = url.split_once("/-/")?;
    let mut parts = before.rsplit('/');
    let last = parts.next()?.replace("%2f", "/").replace("%2F", "/");
    let scope = parts.next().filter(|it| it.starts_with('@'));
    let name = match scope {
        Some(scope) => format!("{scope}/{last}"),
        None => last,
    };
    let base = name.rsplit('/').next()?;
    let version = file.strip_prefix(base)?.strip_prefix('-')?;
    version.ends_with(".tgz").then_some(name)
}

fn list(key: &str) -> Option<&'static str> {
    ["dependencies", "optionalDependencies"]
        .into_iter()
        .find(|list| *list == key)
}

fn field(lockfile: &mut Lockfile, id: NodeId, requests: &[Cow<'_, str>], key: &str, value: &str) {
    let Some(node) = lockfile.nodes.get_mut(id) else {
        return;
    };
    match key {
        "version" => node.version = Some(value.to_owned()),
        "integrity" => node.integrity = Some(value.to_owned()),
        "resolved" => {
            // The fragment is a sha1 for a tarball, and the commit for git.
            let (url, fragment) = value.split_once('#').unwrap_or((value, ""));
            if let Some(name) = fetched(requests, url) {
                node.name = name;
            }
            let source = resolved_source(&node.name, url);
            node.source = match source {
                Source::Git { .. } => resolved_source(&node.name, value),
                // yarn clones what ends like this, whatever the host.
                Source::Tarball(url) if url.ends_with(".git") => Source::Git {
                    url,
                    commit: (!fragment.is_empty()).then(|| fragment.to_owned()),
                },
                // A file of this machine may be written as a bare path with a digest.
                other => other,
            };
            let digest = crate::integrity::Integrity::from_sha1_hex(fragment).ok();
            if node.integrity.is_none() && !matches!(node.source, Source::Git { .. }) {
                node.integrity = digest.map(|digest| digest.to_string());
            }
        }
        _ => {}
    }
}

fn edge(from: NodeId, name: String, spec: String, list: &str, line: u32) -> Edge {
    let optional = list == "optionalDependencies";
    let kind = if optional {
        DependencyKind::Optional
    } else {
        DependencyKind::Normal
    };
    Edge {
        from,
        name,
        spec,
        kind,
        optional,
        to: None,
        line,
    }
}

fn link(lockfile: &mut Lockfile) {
    let mut edges = std::mem::take(&mut lockfile.edges);
    for edge in &mut edges {
        edge.to = lockfile.answering(&edge.name, &edge.spec);
    }
    lockfile.edges = edges;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `resolutions` put an alias beside what is asked for, and an address says nothing of the name.
    #[test]
    fn the_address_tells_which_request_names_the_package() {
        let at = "https://registry.example.invalid";
        for (key, address, wanted) in [
            (
                "silt@0.5.2, \"silt@npm:ms@2.0.0\"",
                "/ms/-/ms-2.0.0.tgz",
                "ms",
            ),
            (
                "\"silt@npm:ms@2.0.0\", silt@0.5.2",
                "/ms/-/ms-2.0.0.tgz",
                "ms",
            ),
            (
                "silt@0.5.2, \"silt@npm:@s/ms@2.0.0\"",
                "/@s%2fms/-/ms-2.0.0.tgz",
                "@s/ms",
            ),
            // Not what the address says.
            (
                "silt@0.5.2, \"silt@npm:ms@2.0.0\"",
                "/evil/-/evil-2.0.0.tgz",
                "silt",
            ),
            (
                "silt@0.5.2, \"silt@npm:ms@2.0.0\"",
                "/@s/ms/-/ms-2.0.0.tgz",
                "silt",
            ),
            ("silt@0.5.2", "/ms/-/ms-2.0.0.tgz", "silt"),
            ("\"rm@AT/ms/-/ms-2.0.0.tgz\"", "/ms/-/ms-2.0.0.tgz", "ms"),
            (
                "\"rm@AT/ms/-/ms-2.0.0.tgz?x\"",
                "/ms/-/ms-2.0.0.tgz?x",
                "ms",
            ),
            ("\"rm@AT/ms/-/ms-2.0.0.tgz\"", "/ms/-/ms-2.0.0.tgz?x", "rm"),
            (
                "\"rm@AT/ms/-/ms-2.0.0.tgz\"",
                "/evil/-/evil-2.0.0.tgz",
                "rm",
            ),
            (
                "rm@^2.0.0, \"rm@AT/ms/-/ms-2.0.0.tgz\"",
                "/ms/-/ms-2.0.0.tgz",
                "rm",
            ),
        ] {
            let key = key.replace("AT", at);
            let text = format!("{key}:\n  version \"2.0.0\"\n  resolved \"{at}{address}#00\"\n");
            let lockfile = read(&text).unwrap();
            let node = &lockfile.nodes[0];
            assert_eq!(node.name, wanted, "{key} {address}");
            assert!(matches!(&node.source, Source::Registry(Some(_))), "{key}");
        }
    }

    /// Whatever the host, it is a clone; the fragment is no digest then.
    #[test]
    fn what_ends_as_a_repository_does_is_one() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let at = "https://host.example.invalid/river/silt";
        for (resolved, is_git) in [
            (format!("{at}.git#{commit}"), true),
            (format!("{at}.tgz#{commit}"), false),
        ] {
            let text = format!("silt@x:\n  version \"2.0.0\"\n  resolved \"{resolved}\"\n");
            let node = &read(&text).unwrap().nodes[0];
            let git = Source::Git {
                url: format!("{at}.git"),
                commit: Some(commit.to_owned()),
            };
            assert_eq!(node.source == git, is_git, "{resolved}");
            assert_eq!(node.integrity.is_none(), is_git, "{resolved}");
        }
    }

    #[test]
    fn a_path_is_written_from_the_root() {
        for (folder, spec, wanted) in [
            ("packages/a", "file:../../lib", Some("file:lib")),
            ("packages/a", "link:../../lib", Some("link:lib")),
            ("packages/a", "file:./lib", Some("file:./packages/a/lib")),
            ("packages/a", "file:lib", Some("file:packages/a/lib")),
            ("packages/a", "file:../../../lib", Some("file:../lib")),
            ("packages/a", "file:../..", Some("file:.")),
            ("", "file:./lib", Some("file:./lib")),
            ("packages/a", "file:/srv/lib", None),
            ("packages/a", "^1.0.0", None),
        ] {
            let written = as_written(folder, spec);
            assert_eq!(written.as_deref(), wanted, "{folder} {spec}");
        }
    }

    #[test]
    fn workspaces_ask_for_the_entries_of_their_paths() {
        use crate::manifest::Manifest;
        let text = "\"lib@file:lib\":\n  version \"1.0.0\"\n  dependencies:\n    ms \"2.1.2\"\n\nms@2.1.2:\n  version \"2.1.2\"\n";
        let mut lockfile = read(text).unwrap();
        let manifest = br#"{"name": "a", "dependencies": {"lib": "file:../../lib"}}"#;
        lockfile.add_project("packages/a", &Manifest::from_json(manifest).unwrap());
        let ms = lockfile.nodes.iter().position(|it| it.name == "ms");
        let path = lockfile.paths().to(ms.unwrap());
        let names: Vec<&str> = path.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["lib", "ms"]);
    }

    #[test]
    fn an_entry_stands_for_a_link_where_the_project_sets_one() {
        for (entry, set, is_link) in [
            ("version \"0.0.0\"\n  uid \"\"", Some("./lib"), true),
            ("version \"0.0.0\"\n  uid \"\"", None, false),
            ("version \"2.0.0\"", Some("./lib"), false),
            (
                "version \"0.0.0\"\n  resolved \"https://registry.example.invalid/silt/-/silt-0.0.0.tgz\"",
                Some("./lib"),
                false,
            ),
        ] {
            let text = format!("silt@^2.0.0:\n  {entry}\n");
            let mut lockfile = read(&text).unwrap();
            lockfile.learn_links(|name| set.filter(|_| name == "silt"));
            let source = &lockfile.nodes[0].source;
            let found = *source == Source::Link("./lib".to_owned());
            assert_eq!(found, is_link, "{entry} {set:?}: {source:?}");
        }
    }

    #[test]
    fn a_folder_that_resolutions_set_is_the_place_of_an_entry_without_an_address() {
        for (resolved, is_local) in [
            ("", true),
            ("  resolved \"https://a.invalid/x.tgz\"\n", false),
        ] {
            let text = format!("ms@^2.0.0, \"ms@file:./lf\":\n  version \"1.0.0\"\n{resolved}");
            let node = &read(&text).unwrap().nodes[0];
            assert_eq!(matches!(node.source, Source::File(_)), is_local, "{text}");
        }
    }
}
