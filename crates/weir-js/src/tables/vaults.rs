//! Packages that ask a cloud for secrets it keeps, and which of their functions do.

use std::sync::OnceLock;

use weir_model::contents::SourceKind;

use crate::hash::Map;

/// A row: a module, its clients, and what of them reads secrets.
pub(crate) struct Vault {
    /// Module name.
    pub(crate) module: &'static str,
    /// Classes of clients: what they give is part of them.
    clients: &'static [&'static str],
    /// Functions that give secrets, and commands that a client sends for some.
    reads: &'static [&'static str],
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

/// The table.
pub(crate) const VAULTS: &[Vault] = &[
    Vault {
        module: "@aws-sdk/client-secrets-manager",
        clients: &["SecretsManagerClient", "SecretsManager"],
        reads: &[
            "GetSecretValueCommand",
            "BatchGetSecretValueCommand",
            "getSecretValue",
            "batchGetSecretValue",
        ],
        reason: "whatever the machine's role may read",
    },
    Vault {
        module: "aws-sdk",
        clients: &["SecretsManager", "SSM"],
        reads: &[
            "getSecretValue",
            "batchGetSecretValue",
            "getParameter",
            "getParameters",
            "getParametersByPath",
        ],
        reason: "the same, in its older version",
    },
    Vault {
        module: "@aws-sdk/client-ssm",
        clients: &["SSMClient", "SSM"],
        reads: &[
            "GetParameterCommand",
            "GetParametersCommand",
            "GetParametersByPathCommand",
            "getParameter",
            "getParameters",
            "getParametersByPath",
        ],
        reason: "parameters, which are secrets as often as not",
    },
    Vault {
        module: "google-auth-library",
        clients: &["GoogleAuth"],
        reads: &["getAccessToken"],
        reason: "a token of the machine's account",
    },
    Vault {
        module: "@azure/identity",
        clients: &[
            "DefaultAzureCredential",
            "AzureCliCredential",
            "ManagedIdentityCredential",
            "ChainedTokenCredential",
        ],
        reads: &["getToken"],
        reason: "a token of the machine's identity",
    },
    Vault {
        module: "keytar",
        clients: &[],
        // One password by its name is a program's own.
        reads: &["findCredentials"],
        reason: "all passwords that the system keeps for a service",
    },
    Vault {
        module: "@kubernetes/client-node",
        clients: &["KubeConfig", "CoreV1Api", "makeApiClient"],
        reads: &[
            "listSecretForAllNamespaces",
            "listNamespacedSecret",
            "readNamespacedSecret",
        ],
        reason: "what a cluster's programs log in with",
    },
    Vault {
        module: "@google-cloud/secret-manager",
        clients: &["SecretManagerServiceClient"],
        reads: &["accessSecretVersion"],
        reason: "whatever the machine's account may read",
    },
    Vault {
        module: "@azure/keyvault-secrets",
        clients: &["SecretClient"],
        reads: &["getSecret"],
        reason: "whatever the machine's identity may read",
    },
];

/// What a path of such a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vaulted {
    /// A client.
    Client,
    /// Something that reads secrets.
    Reads,
}

/// The row of a module. The value flow asks for it at every call of a package.
fn row(module: &str) -> Option<&'static Vault> {
    static ROWS: OnceLock<Map<&'static str, &'static Vault>> = OnceLock::new();
    let rows = ROWS.get_or_init(|| VAULTS.iter().map(|row| (row.module, row)).collect());
    rows.get(module).copied()
}

/// Packages that ask a cloud who this machine is, as its metadata service tells it. Their clients do so whenever they
/// are called.
const IDENTITIES: &[&str] = &["google-auth-library", "@azure/identity"];

/// What kind of secret is read where [`of`] says so.
pub(crate) fn kind(path: &str) -> SourceKind {
    let rest = path.strip_prefix("pkg:").unwrap_or(path);
    let is_of = |module: &&str| {
        rest.strip_prefix(*module)
            .is_some_and(|members| members.starts_with('.'))
    };
    match IDENTITIES.iter().any(is_of) {
        true => SourceKind::CloudMetadata,
        false => SourceKind::CredentialTool,
    }
}

/// Whether a package is there for nothing else.
pub(crate) fn is_vault(package: &str) -> bool {
    package != "aws-sdk" && row(package).is_some()
}

/// What a path `pkg:name` with members is, if one of these.
pub(crate) fn of(path: &str) -> Option<Vaulted> {
    let (module, members) = path.strip_prefix("pkg:")?.split_once('.')?;
    let row = row(module)?;
    let last = members.rsplit('.').next().unwrap_or_default();
    match last {
        _ if row.reads.contains(&last) => Some(Vaulted::Reads),
        _ if row.clients.contains(&last) => Some(Vaulted::Client),
        _ => None,
    }
}

/// Whether the detail of a source is one that reads such secrets.
pub(crate) fn is_told(detail: &str) -> bool {
    detail
        .split_once('.')
        .is_some_and(|(module, _)| row(module).is_some())
}

#[cfg(test)]
mod tests {
    use weir_model::contents::SourceKind;

    use super::{Vaulted, is_told, kind, of};

    #[test]
    fn who_a_machine_is_is_no_secret_of_a_vault() {
        for (path, is) in [
            (
                "pkg:google-auth-library.GoogleAuth.getAccessToken",
                SourceKind::CloudMetadata,
            ),
            (
                "pkg:@azure/identity.DefaultAzureCredential.getToken",
                SourceKind::CloudMetadata,
            ),
            (
                "pkg:@azure/keyvault-secrets.SecretClient.getSecret",
                SourceKind::CredentialTool,
            ),
        ] {
            assert!(matches!(of(path), Some(Vaulted::Reads)), "{path}");
            assert_eq!(kind(path), is, "{path}");
        }
    }

    #[test]
    fn readers_are_told_from_clients() {
        for (path, is) in [
            (
                "pkg:@azure/keyvault-secrets.SecretClient",
                Some(Vaulted::Client),
            ),
            (
                "pkg:@azure/keyvault-secrets.SecretClient.getSecret",
                Some(Vaulted::Reads),
            ),
            (
                "pkg:aws-sdk.SecretsManager.getSecretValue",
                Some(Vaulted::Reads),
            ),
            ("pkg:aws-sdk.S3.getObject", None),
            ("pkg:lodash.get", None),
        ] {
            assert_eq!(of(path), is, "{path}");
        }
        assert!(is_told("aws-sdk.SecretsManager.getSecretValue"));
        assert!(!is_told("gh auth token"));
    }
}
