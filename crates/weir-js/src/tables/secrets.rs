//! Names of environment variables that say that they hold a secret.

use crate::words::Words;

/// A word of a variable's name and why it makes the variable secret.
pub(crate) struct Word {
    /// The word, upper case.
    pub(crate) word: &'static str,
    /// Why. Shown in documentation and reviewed with the row.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn word(word: &'static str, reason: &'static str) -> Word {
    Word { word, reason }
}

/// Words that make a name secret wherever they stand between underscores.
pub(crate) const WORDS: &[Word] = &[
    word("TOKEN", "NPM_TOKEN, GITHUB_TOKEN and every CI token"),
    word("SECRET", "client, signing and cloud secrets"),
    word("SECRETS", "several at once"),
    word("PASSWORD", "logins"),
    word("PASSWORDS", "several at once"),
    word("PASSWD", "logins"),
    word("PASSPHRASE", "key files"),
    word(
        "PWD",
        "DB_PWD and the like; PWD alone is the folder and is excluded",
    ),
    word("PASS", "SMTP_PASS, DB_PASS"),
    word("CREDENTIAL", "service accounts"),
    word("CREDENTIALS", "service accounts"),
    word("APIKEY", "written as one word"),
    word("MNEMONIC", "wallet seed words"),
    word("PAT", "personal access tokens of hosting sites"),
    word("AUTH", "NODE_AUTH, basic-auth pairs"),
    word("AUTHTOKEN", "npm_config_..._authToken"),
];

/// What makes `..._KEY` a secret when it stands before it.
pub(crate) const KEY_QUALIFIERS: &[Word] = &[
    word("API", "API_KEY"),
    word("ACCESS", "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"),
    word("PRIVATE", "signing and wallet keys"),
    word("SECRET", "SECRET_KEY"),
    word("ENCRYPTION", "data keys"),
    word("SIGNING", "release keys"),
    word("SSH", "SSH_KEY"),
    word("DEPLOY", "deploy keys"),
    word("MASTER", "master keys"),
    word("AUTH", "AUTH_KEY"),
    word("ACCOUNT", "storage accounts"),
    word("SERVICE", "service-role keys"),
    word("GPG", "release signing"),
];

/// Names that are secret though no word says so.
const WHOLE: &[Word] = &[
    word("DATABASE_URL", "holds user and password"),
    word("MONGODB_URI", "holds user and password"),
    word("MONGO_URL", "holds user and password"),
    word("REDIS_URL", "may hold a password"),
    word("POSTGRES_URL", "holds user and password"),
    word("SEED_PHRASE", "wallets"),
    word("KUBECONFIG_DATA", "cluster login"),
    word(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "mints publishing identities",
    ),
];

/// Last words that turn a secret's name into something about the secret.
const HARMLESS_ENDINGS: &[Word] = &[
    word("URL", "where tokens are issued"),
    word("URI", "where tokens are issued"),
    word("ENDPOINT", "where tokens are issued"),
    word("HOST", "an address"),
    word("PORT", "an address"),
    word("TYPE", "a choice"),
    word("METHOD", "a choice"),
    word("MODE", "a choice"),
    word("ENABLED", "a switch"),
    word("DISABLED", "a switch"),
    word("FILE", "a path"),
    word("PATH", "a path"),
    word("DIR", "a path"),
    word("SOCK", "SSH_AUTH_SOCK is a path"),
    word("NAME", "the secret's name"),
    word("TIMEOUT", "a number"),
    word("TTL", "a number"),
    word("EXPIRY", "a date"),
    word("LENGTH", "a number"),
    word("ONLY", "a switch"),
    word("PREFIX", "not the secret"),
    word("PROVIDER", "a choice"),
    word("SERVER", "an address"),
];

/// Whether a variable of this name holds a secret by what its name says.
pub(crate) fn is_secret_variable(name: &str) -> bool {
    // Nothing real is longer, and minified tables of names are not worth the time.
    if name.len() < 3 || name.len() > 128 || name.chars().all(|c| c.is_ascii_lowercase()) {
        return false;
    }
    let upper = name.to_ascii_uppercase();
    if matches!(
        upper.as_str(),
        "PWD" | "OLDPWD" | "INIT_CWD" | "COMPASS" | "PASS" | "PAT" | "AUTH"
    ) {
        return false;
    }
    // Fields of the manifest and the proxy settings, which npm exports to every script.
    if upper.starts_with("NPM_PACKAGE_") || upper.contains("PROXY") {
        return false;
    }
    // Whether npm and yarn send what they know to every registry: a switch, under many prefixes.
    if upper.ends_with("ALWAYS_AUTH") || upper.ends_with("ALWAYS-AUTH") {
        return false;
    }
    if WHOLE.iter().any(|row| row.word == upper) {
        return true;
    }
    let words: Vec<&str> = upper
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    let ends_harmless = words
        .last()
        .is_some_and(|last| HARMLESS_ENDINGS.iter().any(|row| row.word == *last));
    if ends_harmless {
        return false;
    }
    let has_word = words
        .iter()
        .any(|part| WORDS.iter().any(|row| row.word == *part));
    let has_key = words.windows(2).any(|pair| {
        matches!(pair, [qualifier, "KEY" | "KEYS"]
            if KEY_QUALIFIERS.iter().any(|row| row.word == *qualifier))
    });
    has_word || has_key
}

/// Names of parameters under which callers hand over key material, and why.
pub(crate) const KEY_ARGUMENTS: &[Word] = &[
    word("privatekey", "signs for its owner"),
    word("secretkey", "signs for its owner"),
    word("mnemonic", "all keys of a wallet"),
    word("mnemonicphrase", "all keys of a wallet"),
    word("seedphrase", "all keys of a wallet"),
    word("recoveryphrase", "all keys of a wallet"),
    word("keypair", "signs for its owner"),
    word("privkey", "signs for its owner"),
    word("walletseed", "all keys of a wallet"),
];

/// Whether a function of this name makes something of key material: `fromSecretKey`.
pub(crate) fn is_key_function(name: &str) -> bool {
    name.strip_prefix("from").is_some_and(is_key_argument)
}

/// Fields from which the words or the key behind a whole wallet are read. Fields that hold the keys of
/// servers and services have other names.
const SEED_FIELDS: [&str; 5] = [
    "mnemonic",
    "mnemonicPhrase",
    "seedPhrase",
    "recoveryPhrase",
    "xPrivKey",
];

/// Whether a field of this name is one of them.
pub(crate) fn is_seed_field(name: &str) -> bool {
    static WORDS: Words = Words::of(&SEED_FIELDS);
    WORDS.may_hold(name) && SEED_FIELDS.contains(&name)
}

/// Whether a parameter of this name takes key material.
pub(crate) fn is_key_argument(name: &str) -> bool {
    if name.len() < 7 || name.len() > 20 {
        return false;
    }
    // Compared byte by byte: every parameter of every function is asked for.
    let plain = || {
        let letters = name.bytes().filter(|&byte| byte != b'_');
        letters.map(|byte| byte.to_ascii_lowercase())
    };
    KEY_ARGUMENTS.iter().any(|row| plain().eq(row.word.bytes()))
}

#[cfg(test)]
mod tests {
    use super::is_secret_variable;

    #[test]
    fn names_of_secrets_are_known_and_their_neighbours_are_not() {
        for name in [
            "NPM_TOKEN",
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "DB_PWD",
            "NODE_AUTH_TOKEN",
            "OPENAI_API_KEY",
            "STRIPE_SECRET_KEY",
            "DATABASE_URL",
            "SMTP_PASS",
            "npm_config__authToken",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "VAULT_TOKEN",
        ] {
            assert!(is_secret_variable(name), "{name}");
        }
        for name in [
            "PWD",
            "npm_config_always_auth",
            "npm_config_//registry.example/:always-auth",
            "INIT_CWD",
            "HOME",
            "GIT_AUTHOR_NAME",
            "SSH_AUTH_SOCK",
            "TOKENIZERS_PARALLELISM",
            "MAX_TOKENS",
            "NODE_ENV",
            "CI",
            "npm_config_registry",
            "HTTP_PROXY",
            "NEXTAUTH_URL",
            "npm_package_config_token",
            "AUTH_TYPE",
            "KEYBOARD",
            "TOKEN_ENDPOINT",
            "token",
        ] {
            assert!(!is_secret_variable(name), "{name}");
        }
    }
}
