//! What an entry says twice, in its key and in its fields. pnpm 7 to 9 and 12 fetch the version of the key,
//! pnpm 10 the one of the field beside it, and 9 and 10 follow the resolution to git from the key of a registry's
//! release: where the two differ, no reading is right for all of them, so the file is refused.

use super::super::error::{LockfileError, Problem};
use super::super::graph::{Node, Source};
use super::super::tree::{Member, Value};
use super::super::yarn_berry::bare;
use super::Keys;
use crate::version::Version;

/// Name and version in a key.
pub(super) type Stated<'k> = (Option<&'k str>, Option<&'k str>);

/// Refuses an entry whose fields say another name, version or place than its key. `source` is what the
/// resolution is read as.
pub(super) fn check(
    keys: Keys,
    member: &Member<'_>,
    (name, version): Stated<'_>,
    source: &Source,
) -> Result<(), LockfileError> {
    let (key, entry) = (member.key.as_ref(), &member.value);
    let differs = |said: &str| {
        Err(contradiction(
            member,
            &format!("its key says {key:?}"),
            said,
        ))
    };
    let version = version.filter(|it| Version::parse(it).is_ok());
    let name = name.filter(|_| version.is_some() || keys == Keys::At);
    if let (Some(name), Some(said)) = (name, entry.text("name")?)
        && said != name
    {
        return differs(&format!("its name is {said:?}"));
    }
    if let (Some(version), Some(said)) = (version, entry.text("version")?)
        && bare(said) != bare(version)
    {
        return differs(&format!("its version is {said:?}"));
    }
    let Some(resolution) = entry.get("resolution") else {
        return Ok(());
    };
    if let Some((one, other)) = two_places(resolution)? {
        let one = format!("its resolution is to {one}");
        return Err(contradiction(member, &one, &format!("to {other}")));
    }
    let place = match version {
        Some(_) => beside_registry(resolution, source)?,
        None if keys == Keys::At => match other_address(key, resolution)? {
            None => other_part(key, resolution)?,
            some => some,
        },
        None => other_address(key, resolution)?,
    };
    place.map_or(Ok(()), |place| {
        differs(&format!("its resolution is to {place:?}"))
    })
}

/// Refuses a second digest for a release: its entries, one for each set of peers, all stand for one tarball.
pub(super) fn check_digests(
    member: &Member<'_>,
    first: &Node,
    other: &Node,
) -> Result<(), LockfileError> {
    match (&first.integrity, &other.integrity) {
        (Some(one), Some(another)) if one != another => {
            let first = format!("the entry {:?} says {one:?}", first.key);
            Err(contradiction(
                member,
                &first,
                &format!("this one says {another:?}"),
            ))
        }
        _ => Ok(()),
    }
}

fn contradiction(member: &Member<'_>, one: &str, other: &str) -> LockfileError {
    /// Enough of a hostile text to find it by.
    const MOST: usize = 300;
    let clipped = |text: &str| text.chars().take(MOST).collect::<String>();
    let (one, other) = (clipped(one), clipped(other));
    Problem::Contradiction { one, other }.at(member.line, Some(&member.key))
}

/// Two places in one resolution: which of them counts depends on its `type`, and pnpm writes one.
fn two_places(resolution: &Value<'_>) -> Result<Option<(String, String)>, LockfileError> {
    let mut first = None;
    for field in ["tarball", "repo", "directory"] {
        let Some(place) = resolution.text(field)? else {
            continue;
        };
        let place = format!("the {field} {place:?}");
        match first.take() {
            Some(first) => return Ok(Some((first, place))),
            None => first = Some(place),
        }
    }
    Ok(None)
}

/// Where a resolution leads that is not to a registry, though its key is that of a registry's release.
fn beside_registry(
    resolution: &Value<'_>,
    source: &Source,
) -> Result<Option<String>, LockfileError> {
    let place = match source {
        Source::Registry(_) => return Ok(resolution.text("type")?.map(str::to_owned)),
        Source::Git { url: place, .. }
        | Source::Tarball(place)
        | Source::File(place)
        | Source::Link(place)
        | Source::Project(place)
        | Source::Patch(place)
        | Source::Other(place) => place,
    };
    Ok(Some(place.clone()))
}

/// The address that is fetched, where the key has another one.
fn other_address(key: &str, resolution: &Value<'_>) -> Result<Option<String>, LockfileError> {
    let Some(tarball) = resolution.text("tarball")? else {
        return Ok(None);
    };
    let said = ["@https://", "@http://"]
        .iter()
        .find_map(|mark| key.find(mark))
        .and_then(|at| key.get(at + 1..));
    // Peers follow in brackets, and a folder inside the archive behind the hash.
    let said = said.map(|it| plain(it.split('(').next().unwrap_or(it)));
    let differs = said.is_some_and(|said| plain(tarball) != said);
    Ok(differs.then(|| tarball.to_owned()))
}

/// The commit or the folder that is fetched of a repository, where the key has another one. Since version 9 both
/// are in the key, `name@address#commit&path:/folder`.
fn other_part(key: &str, resolution: &Value<'_>) -> Result<Option<String>, LockfileError> {
    let key = key.split('(').next().unwrap_or(key);
    let mut parts = key.split_once('#').map_or("", |it| it.1).split('&');
    let is_commit = |it: &&str| it.len() == 40 && it.bytes().all(|byte| byte.is_ascii_hexdigit());
    let said = parts.clone().find(is_commit);
    if let (Some(said), Some(commit)) = (said, resolution.text("commit")?)
        && said != commit
    {
        return Ok(Some(commit.to_owned()));
    }
    let folder = parts.find_map(|it| it.strip_prefix("path:"));
    let plain = |path: &str| path.trim_matches('/').to_owned();
    Ok(resolution
        .text("path")?
        .filter(|path| folder.map(plain) != Some(plain(path)))
        .map(str::to_owned))
}

/// An address without its fragment.
fn plain(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}
