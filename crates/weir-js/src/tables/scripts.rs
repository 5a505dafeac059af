//! What names mean in scripts of other languages, and which command lines print secrets.

use weir_model::contents::{SinkKind, SourceKind};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The environment; with a name in brackets behind it, one variable.
    Environment,
    /// Something that is read.
    Source(SourceKind),
    /// Talks to the network: what it is given leaves, what it gives was fetched.
    Talks(SinkKind),
    /// Fetches into a file, which one of its texts names.
    FetchesFile,
    /// Makes bytes or text of what is packed or encoded.
    Decodes,
    /// Runs text of its own language.
    Evaluates,
    /// Runs a command line or program.
    Starts,
    /// Opens a file to read or write it.
    Opens,
    /// Removes a tree.
    RemovesTree,
}

/// A name and what it means.
pub(crate) struct Row {
    /// Dotted name as it is after imports; a leading dot is a method of anything.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) meaning: Meaning,
    /// Why it is here.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn row(name: &'static str, meaning: Meaning, reason: &'static str) -> Row {
    Row {
        name,
        meaning,
        reason,
    }
}

use Meaning::{
    Decodes, Environment, Evaluates, FetchesFile, Opens, RemovesTree, Source, Starts, Talks,
};

/// Names of Python.
pub(crate) const PYTHON: &[Row] = &[
    row("os.environ", Environment, "all variables"),
    row("os.environb", Environment, "all variables, as bytes"),
    row("os.getenv", Environment, "one variable"),
    row(
        "socket.gethostname",
        Source(SourceKind::HostFacts),
        "name of the machine",
    ),
    row(
        "platform.node",
        Source(SourceKind::HostFacts),
        "name of the machine",
    ),
    row(
        "platform.uname",
        Source(SourceKind::HostFacts),
        "kind of the machine",
    ),
    row(
        "getpass.getuser",
        Source(SourceKind::HostFacts),
        "name of the user",
    ),
    row(
        "pyperclip.paste",
        Source(SourceKind::Clipboard),
        "what was copied",
    ),
    row(
        "keyring.get_password",
        Source(SourceKind::CredentialTool),
        "passwords of the desktop",
    ),
    row(
        "urllib.request.urlopen",
        Talks(SinkKind::Http),
        "client of the standard library",
    ),
    row(
        "urllib.request.Request",
        Talks(SinkKind::Http),
        "what urlopen sends",
    ),
    row(
        "urllib2.urlopen",
        Talks(SinkKind::Http),
        "client of Python 2",
    ),
    row(
        "urllib.urlopen",
        Talks(SinkKind::Http),
        "client of Python 2",
    ),
    row("urllib.request.urlretrieve", FetchesFile, "downloads"),
    row("urllib.urlretrieve", FetchesFile, "downloads"),
    row("wget.download", FetchesFile, "downloads"),
    row(
        "http.client.HTTPSConnection",
        Talks(SinkKind::Http),
        "client of the standard library",
    ),
    row(
        "http.client.HTTPConnection",
        Talks(SinkKind::Http),
        "client of the standard library",
    ),
    row("requests", Talks(SinkKind::Http), "the commonest client"),
    row("httpx", Talks(SinkKind::Http), "client"),
    row("aiohttp", Talks(SinkKind::Http), "client"),
    row("urllib3", Talks(SinkKind::Http), "client"),
    row("pycurl", Talks(SinkKind::Http), "client"),
    row("socket.socket", Talks(SinkKind::Socket), "raw sockets"),
    row(
        "socket.create_connection",
        Talks(SinkKind::Socket),
        "raw sockets",
    ),
    row(
        "socket.gethostbyname",
        Talks(SinkKind::Dns),
        "the name is sent",
    ),
    row(
        "socket.getaddrinfo",
        Talks(SinkKind::Dns),
        "the name is sent",
    ),
    row("smtplib.SMTP", Talks(SinkKind::Socket), "mail"),
    row("smtplib.SMTP_SSL", Talks(SinkKind::Socket), "mail"),
    row("ftplib.FTP", Talks(SinkKind::Socket), "file transfer"),
    row(
        "websocket.create_connection",
        Talks(SinkKind::Socket),
        "WebSocket client",
    ),
    row("base64.b64decode", Decodes, "base64"),
    row("base64.b32decode", Decodes, "base32"),
    row("base64.b85decode", Decodes, "base85"),
    row("base64.urlsafe_b64decode", Decodes, "base64"),
    row("binascii.unhexlify", Decodes, "hexadecimal"),
    row("binascii.a2b_base64", Decodes, "base64"),
    row("bytes.fromhex", Decodes, "hexadecimal"),
    row("bytearray.fromhex", Decodes, "hexadecimal"),
    row("codecs.decode", Decodes, "any of its codecs"),
    row("zlib.decompress", Decodes, "unpacks"),
    row("gzip.decompress", Decodes, "unpacks"),
    row("bz2.decompress", Decodes, "unpacks"),
    row("lzma.decompress", Decodes, "unpacks"),
    row("marshal.loads", Decodes, "compiled code"),
    row("pickle.loads", Evaluates, "pickles run code"),
    row("exec", Evaluates, "runs text"),
    row("eval", Evaluates, "runs text"),
    row("compile", Evaluates, "makes code of text"),
    row("os.system", Starts, "a command line"),
    row("os.popen", Starts, "a command line"),
    row("os.startfile", Starts, "a program"),
    row("os.execv", Starts, "a program"),
    row("os.execvp", Starts, "a program"),
    row("os.execl", Starts, "a program"),
    row("subprocess.run", Starts, "a program or command line"),
    row("subprocess.call", Starts, "a program or command line"),
    row("subprocess.check_call", Starts, "a program or command line"),
    row(
        "subprocess.check_output",
        Starts,
        "a program or command line",
    ),
    row("subprocess.getoutput", Starts, "a command line"),
    row("subprocess.Popen", Starts, "a program or command line"),
    row("pty.spawn", Starts, "a program on a terminal"),
    row("ctypes.CDLL", Starts, "loads a library"),
    row("open", Opens, "files"),
    row("io.open", Opens, "files"),
    row(".read_text", Opens, "files of pathlib"),
    row(".read_bytes", Opens, "files of pathlib"),
    row(".write_text", Opens, "files of pathlib"),
    row(".write_bytes", Opens, "files of pathlib"),
    row("shutil.rmtree", RemovesTree, "a folder with all below it"),
];

/// Names of PowerShell, in lower case.
pub(crate) const POWERSHELL: &[Row] = &[
    row("invoke-webrequest", Talks(SinkKind::Http), "client"),
    row("iwr", Talks(SinkKind::Http), "short for Invoke-WebRequest"),
    row(
        "curl",
        Talks(SinkKind::Http),
        "Invoke-WebRequest, or curl itself",
    ),
    row(
        "wget",
        Talks(SinkKind::Http),
        "Invoke-WebRequest, or wget itself",
    ),
    row("invoke-restmethod", Talks(SinkKind::Http), "client"),
    row("irm", Talks(SinkKind::Http), "short for Invoke-RestMethod"),
    row(
        "start-bitstransfer",
        FetchesFile,
        "transfers in the background",
    ),
    row("resolve-dnsname", Talks(SinkKind::Dns), "the name is sent"),
    row("send-mailmessage", Talks(SinkKind::Socket), "mail"),
    row(
        "net.sockets.tcpclient",
        Talks(SinkKind::Socket),
        "raw sockets",
    ),
    row(
        "system.net.sockets.tcpclient",
        Talks(SinkKind::Socket),
        "raw sockets",
    ),
    row(".downloadstring", Talks(SinkKind::Http), "WebClient"),
    row(".downloaddata", Talks(SinkKind::Http), "WebClient"),
    row(".downloadfile", FetchesFile, "WebClient"),
    row(".uploadstring", Talks(SinkKind::Http), "WebClient"),
    row(".uploaddata", Talks(SinkKind::Http), "WebClient"),
    row(".uploadfile", Talks(SinkKind::Http), "WebClient"),
    row(".uploadvalues", Talks(SinkKind::Http), "WebClient"),
    row(".postasync", Talks(SinkKind::Http), "HttpClient"),
    row("frombase64string", Decodes, "base64"),
    row("io.compression.gzipstream", Decodes, "unpacks"),
    row("system.io.compression.gzipstream", Decodes, "unpacks"),
    row("io.compression.deflatestream", Decodes, "unpacks"),
    row("convertto-securestring", Decodes, "decrypts"),
    row("invoke-expression", Evaluates, "runs text"),
    row("iex", Evaluates, "short for Invoke-Expression"),
    row("scriptblock", Evaluates, "makes code of text"),
    row("add-type", Evaluates, "compiles text"),
    row("start-process", Starts, "a program"),
    row("saps", Starts, "short for Start-Process"),
    row("invoke-item", Starts, "opens or runs a file"),
    row(
        "get-clipboard",
        Source(SourceKind::Clipboard),
        "what was copied",
    ),
    row(
        "$env:computername",
        Source(SourceKind::HostFacts),
        "name of the machine",
    ),
    row(
        "$env:username",
        Source(SourceKind::HostFacts),
        "name of the user",
    ),
    row("get-childitem", Opens, "lists files, and `env:`"),
    row("gci", Opens, "short for Get-ChildItem"),
    row("dir", Opens, "short for Get-ChildItem"),
    row("get-item", Opens, "files, and `env:`"),
    row("get-content", Opens, "files"),
    row("gc", Opens, "short for Get-Content"),
    row("set-content", Opens, "files"),
    row("out-file", Opens, "files"),
    row("readalltext", Opens, "files"),
    row("readallbytes", Opens, "files"),
    row("writeallbytes", Opens, "files"),
    row("writealltext", Opens, "files"),
    row("getenvironmentvariables", Environment, "all variables"),
    row("getenvironmentvariable", Environment, "one variable"),
];

/// A command line that prints a secret.
pub(crate) struct Printer {
    /// The program.
    pub(crate) program: &'static str,
    /// Words that follow it in this order. A single one comes first of those that are no options;
    /// between several there may be options and their values.
    pub(crate) words: &'static [&'static str],
    /// Why it is here.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn prints(
    program: &'static str,
    words: &'static [&'static str],
    reason: &'static str,
) -> Printer {
    Printer {
        program,
        words,
        reason,
    }
}

/// Command lines that print secrets.
pub(crate) const PRINTERS: &[Printer] = &[
    prints("gh", &["auth", "token"], "the token of the code host"),
    prints("gh", &["auth", "status", "--show-token"], "the same"),
    prints(
        "glab",
        &["auth", "status", "--show-token"],
        "the token of the code host",
    ),
    prints("git", &["credential", "fill"], "passwords that git keeps"),
    prints(
        "trufflehog",
        &["filesystem"],
        "secrets that it finds in files",
    ),
    prints(
        "trufflehog",
        &["git"],
        "secrets that it finds in a repository",
    ),
    prints(
        "trufflehog",
        &["github"],
        "secrets that it finds in repositories",
    ),
    prints(
        "gitleaks",
        &["detect"],
        "secrets that it finds in a repository",
    ),
    prints("gitleaks", &["dir"], "secrets that it finds in files"),
    prints(
        "gitleaks",
        &["git"],
        "secrets that it finds in a repository",
    ),
    prints("gitleaks", &["stdin"], "secrets that it finds in a text"),
    prints("npm", &["token"], "tokens of the registry"),
    // npm's own list says `(protected)` in their place.
    prints("pnpm", &["config", "list"], "settings, tokens among them"),
    prints("yarn", &["config", "list"], "the same of another client"),
    prints("gcloud", &["print-access-token"], "mints a token"),
    prints("gcloud", &["auth", "print-access-token"], "mints a token"),
    prints("gcloud", &["print-identity-token"], "mints a token"),
    prints("gcloud", &["auth", "print-identity-token"], "mints a token"),
    prints(
        "gcloud",
        &["secrets", "versions", "access"],
        "a secret of the cloud's store",
    ),
    prints("aws", &["configure", "get"], "a key of the profile"),
    prints(
        "aws",
        &["configure", "export-credentials"],
        "all keys of the profile",
    ),
    prints("aws", &["sts", "get-session-token"], "mints keys"),
    prints("aws", &["sts", "assume-role"], "mints keys"),
    prints(
        "aws",
        &["secretsmanager", "get-secret-value"],
        "a secret of the cloud's store",
    ),
    prints(
        "aws",
        &["secretsmanager", "batch-get-secret-value"],
        "several at once",
    ),
    prints(
        "aws",
        &["ssm", "get-parameter", "--with-decryption"],
        "a secret parameter",
    ),
    prints(
        "aws",
        &["ssm", "get-parameters", "--with-decryption"],
        "several at once",
    ),
    prints(
        "aws",
        &["ssm", "get-parameters-by-path", "--with-decryption"],
        "several at once",
    ),
    prints(
        "aws",
        &["ecr", "get-login-password"],
        "the password of an image registry",
    ),
    prints("az", &["account", "get-access-token"], "mints a token"),
    prints(
        "az",
        &["keyvault", "secret", "show"],
        "a secret of the cloud's store",
    ),
    prints(
        "kubectl",
        &["get", "secrets"],
        "what a cluster's programs log in with",
    ),
    prints("kubectl", &["get", "secret"], "the same"),
    prints(
        "kubectl",
        &["config", "view", "--raw"],
        "the login of a cluster",
    ),
    prints(
        "kubectl",
        &["create", "token"],
        "mints a token of a cluster",
    ),
    prints("vault", &["kv", "get"], "a secret of the vault"),
    prints("vault", &["read"], "a secret of the vault"),
    prints("vault", &["token", "lookup"], "the token of the vault"),
    prints("vault", &["token", "create"], "mints a token"),
    prints("vault", &["print", "token"], "the token of the vault"),
    prints("secret-tool", &["lookup"], "passwords of the desktop"),
    prints("secret-tool", &["search"], "passwords of the desktop"),
    prints("op", &["read"], "a secret of the password manager"),
    prints("op", &["item", "get"], "the same"),
    prints("op", &["document", "get"], "the same"),
    prints("bw", &["get"], "a secret of the password manager"),
    prints("bw", &["list", "items"], "all of them"),
    prints("bw", &["export"], "all of them"),
    prints("lpass", &["show"], "a secret of the password manager"),
    prints("pass", &["show"], "a secret of the password manager"),
    prints("doppler", &["secrets"], "secrets of an application"),
    prints("heroku", &["auth:token"], "the token of the host"),
    prints(
        "security",
        &["find-generic-password"],
        "passwords of the keychain",
    ),
    prints(
        "security",
        &["find-internet-password"],
        "passwords of the keychain",
    ),
    prints(
        "security",
        &["dump-keychain"],
        "all passwords of the keychain",
    ),
    prints("gpg", &["--export-secret-keys"], "keys that sign releases"),
];

/// Whether a program, by its name in small letters, prints a secret when it is given these words.
pub(crate) fn prints_secret(program: &str, words: &[String]) -> bool {
    // `docker-credential-desktop get`: each store of a system has one.
    if program.starts_with("docker-credential-") {
        return words.first().is_some_and(|word| word == "get");
    }
    let mut rows = PRINTERS.iter().filter(|row| row.program == program);
    rows.any(|row| match row.words {
        [one] if !one.starts_with('-') => words
            .iter()
            .find(|word| !word.starts_with('-'))
            .is_some_and(|word| word == one),
        several => {
            let mut left = words.iter();
            // `get secret/name`, `get pods,secrets`
            several
                .iter()
                .all(|wanted| left.any(|word| word.split(['/', ',']).any(|part| part == *wanted)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{PRINTERS, prints_secret};

    #[test]
    fn every_printer_is_there_once_and_has_a_reason() {
        let mut seen = std::collections::HashSet::new();
        for row in PRINTERS {
            assert!(
                seen.insert((row.program, row.words)),
                "{} twice",
                row.program
            );
            assert!(
                !row.reason.is_empty() && !row.words.is_empty(),
                "{}",
                row.program
            );
        }
    }

    #[test]
    fn command_lines_that_print_secrets_are_known() {
        for (line, prints) in [
            ("aws secretsmanager get-secret-value --secret-id x", true),
            ("aws --profile a configure export-credentials", true),
            ("kubectl -n a get secrets -A -o json", true),
            ("kubectl get secret/a -o yaml", true),
            ("kubectl get pods,secrets", true),
            ("vault kv get -format=json secret/x", true),
            ("secret-tool lookup service x", true),
            ("op read op://a/b/c", true),
            ("op item get x", true),
            ("npm config list", false),
            ("yarn config list", true),
            ("gpg --armor --export-secret-keys", true),
            ("kubectl get pods", false),
            ("aws s3 ls", false),
            ("aws ssm get-parameter --name x", false),
            ("vault status", false),
            ("vault token lookup", true),
            ("trufflehog filesystem ~ --json", true),
            ("trufflehog --json filesystem ~", true),
            ("trufflehog --version", false),
            ("gitleaks dir ~", true),
            ("gitleaks version", false),
            ("docker-credential-osxkeychain get", true),
            ("docker-credential-osxkeychain store", false),
            ("op run -- node read.js", false),
            ("npm run token", false),
            ("npm config get registry", false),
            ("gpg --verify x.sig", false),
        ] {
            let mut words = line.split(' ').map(str::to_owned);
            let program = words.next().unwrap_or_default();
            let words: Vec<String> = words.collect();
            assert_eq!(prints_secret(&program, &words), prints, "{line}");
        }
    }
}
