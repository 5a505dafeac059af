//! Packages that put what they are given somewhere else: buckets, repositories, chats. Unlike those of
//! [`super::network::CLIENTS`], only some of their functions send, and only some of what these are given.

/// What of a call leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent {
    /// The arguments at these places, whole.
    Arguments(&'static [usize]),
    /// Fields of an object among the arguments.
    Fields(&'static [&'static str]),
}

/// A row: a module, its functions that send, wherever they stand below it, and what of their arguments
/// leaves. Keys by which it logs in are given to others of its functions.
pub(crate) struct Upload {
    /// Module name.
    pub(crate) module: &'static str,
    /// Classes of clients that hold a key, by their name; the empty name is the module itself. What their
    /// functions give is part of them, and none of the key.
    pub(crate) clients: &'static [&'static str],
    /// Last names of the functions.
    pub(crate) functions: &'static [&'static str],
    /// What leaves.
    pub(crate) sent: Sent,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

/// What both versions of the library for buckets call the contents of an object, and what stands beside.
const OF_BUCKET: Sent = Sent::Fields(&["Body", "Key", "Metadata", "Tagging"]);

/// The table.
pub(crate) const UPLOADS: &[Upload] = &[
    Upload {
        module: "@aws-sdk/client-s3",
        clients: &["S3Client", "S3"],
        functions: &[
            "PutObjectCommand",
            "UploadPartCommand",
            "putObject",
            "uploadPart",
        ],
        sent: OF_BUCKET,
        reason: "a bucket may be anybody's",
    },
    Upload {
        module: "aws-sdk",
        clients: &["S3"],
        functions: &["putObject", "upload", "uploadPart"],
        sent: OF_BUCKET,
        reason: "the same, in its older version",
    },
    Upload {
        module: "aws-sdk/clients/s3",
        clients: &[""],
        functions: &["putObject", "upload", "uploadPart"],
        sent: OF_BUCKET,
        reason: "the same, loaded by itself",
    },
    Upload {
        module: "@aws-sdk/lib-storage",
        clients: &[],
        functions: &["Upload"],
        sent: Sent::Fields(&["params"]),
        reason: "the same, for streams",
    },
    Upload {
        module: "@google-cloud/storage",
        clients: &["Storage"],
        functions: &["save"],
        sent: Sent::Arguments(&[0]),
        reason: "a bucket may be anybody's",
    },
    Upload {
        module: "@azure/storage-blob",
        clients: &["BlobServiceClient", "ContainerClient", "BlockBlobClient"],
        functions: &["upload", "uploadData", "uploadStream"],
        sent: Sent::Arguments(&[0]),
        reason: "a container may be anybody's",
    },
    Upload {
        module: "@vercel/blob",
        clients: &[],
        functions: &["put"],
        sent: Sent::Arguments(&[0, 1]),
        reason: "a store may be anybody's; its key is the option beside",
    },
    Upload {
        module: "discord.js",
        clients: &["Client", "WebhookClient"],
        functions: &["send", "reply"],
        sent: Sent::Arguments(&[0]),
        reason: "a chat's webhook is free and needs no server",
    },
    Upload {
        module: "node-telegram-bot-api",
        clients: &[""],
        functions: &["sendMessage", "sendDocument", "sendPhoto"],
        sent: Sent::Arguments(&[1, 2]),
        reason: "a chat's bot is free and needs no server",
    },
    Upload {
        module: "telegraf",
        clients: &["Telegraf"],
        functions: &["sendMessage", "sendDocument", "sendPhoto"],
        sent: Sent::Arguments(&[1, 2]),
        reason: "the same, by another library",
    },
    Upload {
        module: "grammy",
        clients: &["Bot"],
        functions: &["sendMessage", "sendDocument", "sendPhoto"],
        sent: Sent::Arguments(&[1, 2]),
        reason: "the same, by another library",
    },
    Upload {
        module: "@slack/webhook",
        clients: &["IncomingWebhook"],
        functions: &["send"],
        sent: Sent::Arguments(&[0]),
        reason: "a chat's webhook is free and needs no server",
    },
    Upload {
        module: "@slack/web-api",
        clients: &["WebClient"],
        functions: &["postMessage", "upload", "uploadV2"],
        sent: Sent::Fields(&["text", "blocks", "attachments", "content", "file"]),
        reason: "a workspace may be anybody's; its key may stand beside",
    },
];

/// Whether a package is one of these.
pub(crate) fn is_uploader(package: &str) -> bool {
    UPLOADS.iter().any(|row| row.module == package)
}

/// The row of a path `pkg:name` with members, and the members.
fn row(path: &str) -> Option<(&'static Upload, &str)> {
    let path = path.strip_prefix("pkg:")?;
    UPLOADS.iter().find_map(|row| {
        let rest = path.strip_prefix(row.module)?;
        (rest.is_empty() || rest.starts_with('.')).then_some((row, rest))
    })
}

/// The row of a function, by its path, where it sends.
pub(crate) fn of(path: &str) -> Option<&'static Upload> {
    let (row, members) = row(path)?;
    let last = members.rsplit('.').next().unwrap_or_default();
    row.functions.contains(&last).then_some(row)
}

/// The client that a path leads to or stands below, as its path.
pub(crate) fn client(path: &str) -> Option<&str> {
    let (row, members) = row(path)?;
    let before = path.len() - members.len();
    if row.clients.contains(&"") {
        return path.get(..before);
    }
    let mut end = before;
    for member in members.split('.').skip(1) {
        end += 1 + member.len();
        if row.clients.contains(&member) {
            return path.get(..end);
        }
    }
    None
}
