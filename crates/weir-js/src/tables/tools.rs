//! Programs that send what they are given, beside those whose every call does ([`super::network::TOOLS`]).

use weir_model::contents::SinkKind;

/// A program, when it sends, and why it is here.
pub(crate) struct Tool {
    /// The program, in small letters.
    pub(crate) name: &'static str,
    /// Its first words that are no options; all of one of these. Any, where there are none.
    pub(crate) words: &'static [&'static [&'static str]],
    /// How it sends.
    pub(crate) kind: SinkKind,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn tool(
    name: &'static str,
    words: &'static [&'static [&'static str]],
    kind: SinkKind,
    reason: &'static str,
) -> Tool {
    Tool {
        name,
        words,
        kind,
        reason,
    }
}

use SinkKind::{Dns, NetworkCommand, Socket};

/// The table.
pub(crate) const SENDERS: &[Tool] = &[
    tool("ssh", &[], NetworkCommand, "what it reads goes there"),
    tool("ping", &[], Dns, "the name is looked up"),
    tool("ping6", &[], Dns, "the name is looked up"),
    tool("fping", &[], Dns, "the name is looked up"),
    tool("traceroute", &[], Dns, "the name is looked up"),
    tool("tracert", &[], Dns, "the name is looked up"),
    tool("tracepath", &[], Dns, "the name is looked up"),
    tool("mtr", &[], Dns, "the name is looked up"),
    tool(
        "getent",
        &[&["hosts"], &["ahosts"], &["ahostsv4"], &["ahostsv6"]],
        Dns,
        "the name is looked up",
    ),
    tool("resolvectl", &[&["query"]], Dns, "the name is looked up"),
    tool("systemd-resolve", &[], Dns, "the name is looked up"),
    tool("resolve-dnsname", &[], Dns, "the name is looked up"),
    tool("test-connection", &[], Dns, "the name is looked up"),
    tool("test-netconnection", &[], Dns, "the name is looked up"),
    tool(
        "gh",
        &[
            &["gist", "create"],
            &["gist", "edit"],
            &["api"],
            &["issue", "create"],
            &["issue", "comment"],
            &["pr", "create"],
            &["pr", "comment"],
            &["release", "create"],
            &["release", "upload"],
        ],
        NetworkCommand,
        "puts it where anybody may read",
    ),
    tool(
        "glab",
        &[&["snippet", "create"], &["api"], &["issue", "create"]],
        NetworkCommand,
        "the same of another code host",
    ),
    tool(
        "hub",
        &[&["gist", "create"], &["api"]],
        NetworkCommand,
        "an older client of a code host",
    ),
    tool("mail", &[], NetworkCommand, "mail"),
    tool("mailx", &[], NetworkCommand, "mail"),
    tool("s-nail", &[], NetworkCommand, "mail"),
    tool("mutt", &[], NetworkCommand, "mail"),
    tool("sendmail", &[], NetworkCommand, "mail"),
    tool("msmtp", &[], NetworkCommand, "mail"),
    tool("ssmtp", &[], NetworkCommand, "mail"),
    tool("swaks", &[], NetworkCommand, "mail"),
    tool("send-mailmessage", &[], NetworkCommand, "mail"),
    tool(
        "gsutil",
        &[&["cp"], &["mv"], &["rsync"]],
        NetworkCommand,
        "uploads to a bucket",
    ),
    tool(
        "gcloud",
        &[
            &["storage", "cp"],
            &["storage", "mv"],
            &["storage", "rsync"],
        ],
        NetworkCommand,
        "uploads to a bucket",
    ),
    tool(
        "rclone",
        &[
            &["copy"],
            &["copyto"],
            &["move"],
            &["moveto"],
            &["sync"],
            &["rcat"],
        ],
        NetworkCommand,
        "uploads to whatever store",
    ),
    tool(
        "azcopy",
        &[&["copy"], &["cp"], &["sync"]],
        NetworkCommand,
        "uploads to a bucket",
    ),
    tool(
        "az",
        &[
            &["storage", "blob", "upload"],
            &["storage", "blob", "upload-batch"],
            &["storage", "copy"],
        ],
        NetworkCommand,
        "uploads to a bucket",
    ),
    tool(
        "aws",
        &[
            &["sns", "publish"],
            &["sqs", "send-message"],
            &["ses", "send-email"],
            &["lambda", "invoke"],
        ],
        NetworkCommand,
        "hands it to whoever listens there",
    ),
    tool(
        "s3cmd",
        &[&["put"], &["sync"]],
        NetworkCommand,
        "uploads to a bucket",
    ),
    tool(
        "s5cmd",
        &[&["cp"], &["mv"], &["sync"], &["pipe"]],
        NetworkCommand,
        "uploads to a bucket",
    ),
    tool(
        "mc",
        &[&["cp"], &["pipe"], &["put"], &["mirror"]],
        NetworkCommand,
        "uploads to a bucket",
    ),
    tool("wormhole", &[&["send"]], NetworkCommand, "to anybody"),
    tool("croc", &[&["send"]], NetworkCommand, "to anybody"),
    tool("pastebinit", &[], NetworkCommand, "to anybody"),
    tool("wgetpaste", &[], NetworkCommand, "to anybody"),
    tool("curlie", &[], NetworkCommand, "HTTP"),
    tool("xh", &[], NetworkCommand, "HTTP"),
    tool("xhs", &[], NetworkCommand, "HTTP"),
    tool("aria2c", &[], NetworkCommand, "HTTP and more"),
    tool("lynx", &[], NetworkCommand, "HTTP"),
    tool("w3m", &[], NetworkCommand, "HTTP"),
    tool("tftp", &[], NetworkCommand, "copies to another machine"),
    tool("lftp", &[], NetworkCommand, "copies to another machine"),
    tool("ncftpput", &[], NetworkCommand, "copies to another machine"),
    tool(
        "smbclient",
        &[],
        NetworkCommand,
        "copies to another machine",
    ),
    tool("websocat", &[], Socket, "WebSocket"),
    tool("wscat", &[], Socket, "WebSocket"),
    tool("mosquitto_pub", &[], Socket, "to whoever listens there"),
];

/// The row of a program that sends when it is given these words.
pub(crate) fn sender(name: &str, rest: &[String]) -> Option<&'static Tool> {
    let row = SENDERS.iter().find(|row| row.name == name)?;
    let mut plain = rest.iter().filter(|word| !word.starts_with('-')).peekable();
    plain.peek()?;
    let begins = |wanted: &&[&str]| {
        let mut words = plain.clone();
        wanted
            .iter()
            .all(|one| words.next().is_some_and(|word| word == one))
    };
    (row.words.is_empty() || row.words.iter().any(begins)).then_some(row)
}

/// Whether a program of the table is named so, whatever it is told.
pub(crate) fn is_named(name: &str) -> bool {
    SENDERS
        .iter()
        .any(|row| row.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::{SENDERS, sender};

    #[test]
    fn rows_are_there_once_and_have_a_reason() {
        let mut seen = std::collections::HashSet::new();
        for row in SENDERS {
            assert!(seen.insert(row.name), "{} twice", row.name);
            assert!(!row.reason.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn what_sends_is_told_from_what_asks() {
        for (line, sends) in [
            ("ssh a@c.invalid cat", true),
            ("ssh -V", false),
            ("getent hosts x.invalid", true),
            ("getent passwd me", false),
            ("gh gist create x", true),
            ("gh auth login --with-token", false),
            ("gh --repo-of-mine release upload v1 x", true),
            ("gsutil -m cp x gs://b/x", true),
            ("gsutil ls gs://b", false),
            ("rclone copy x r:x", true),
            ("rclone version", false),
            ("az login", false),
            ("curl x", false),
        ] {
            let mut words = line.split(' ').map(str::to_owned);
            let program = words.next().unwrap_or_default();
            let words: Vec<String> = words.collect();
            assert_eq!(sender(&program, &words).is_some(), sends, "{line}");
        }
    }
}
