//! What is a secret, where secrets lie, what talks to the network. Data, with a reason per row.

pub(crate) mod abilities;
pub(crate) mod calls;
pub(crate) mod commands;
pub(crate) mod credentials;
pub(crate) mod data;
pub(crate) mod flows;
pub(crate) mod folders;
pub(crate) mod gates;
pub(crate) mod hosts;
pub(crate) mod network;
pub(crate) mod overheard;
pub(crate) mod programs;
pub(crate) mod scripts;
pub(crate) mod secrets;
pub(crate) mod silent;
pub(crate) mod systems;
pub(crate) mod targets;
pub(crate) mod tools;
pub(crate) mod uploads;
pub(crate) mod vaults;
pub(crate) mod writes;

#[cfg(test)]
mod tests {
    use super::{
        abilities, calls, commands, credentials, flows, gates, hosts, network, scripts, secrets,
        silent, systems, uploads, vaults, writes,
    };

    #[test]
    fn every_row_is_there_once_and_has_a_reason() {
        let mut rows: Vec<(&str, &str, &str)> = Vec::new();
        rows.extend(
            secrets::WORDS
                .iter()
                .map(|row| ("word", row.word, row.reason)),
        );
        rows.extend(
            secrets::KEY_QUALIFIERS
                .iter()
                .map(|row| ("key", row.word, row.reason)),
        );
        rows.extend(
            credentials::CREDENTIALS
                .iter()
                .map(|row| ("file", row.part, row.reason)),
        );
        rows.extend(
            network::CLIENTS
                .iter()
                .map(|row| ("client", row.name, row.reason)),
        );
        rows.extend(
            uploads::UPLOADS
                .iter()
                .map(|row| ("upload", row.module, row.reason)),
        );
        rows.extend(
            vaults::VAULTS
                .iter()
                .map(|row| ("vault", row.module, row.reason)),
        );
        rows.extend(
            calls::EMITTERS
                .iter()
                .map(|(name, reason)| ("emitter", *name, *reason)),
        );
        rows.extend(
            network::CALLS
                .iter()
                .map(|row| ("call", row.name, row.reason)),
        );
        rows.extend(
            network::HOMES
                .iter()
                .map(|row| ("home", row.word, row.reason)),
        );
        rows.extend(
            hosts::KNOWN
                .iter()
                .map(|row| ("host", row.labels, row.reason)),
        );
        rows.extend(
            hosts::CHEAP
                .iter()
                .map(|(domain, reason)| ("domain", *domain, *reason)),
        );
        rows.extend(
            flows::DECODERS
                .iter()
                .map(|(path, reason)| ("decoder", *path, *reason)),
        );
        rows.extend(
            silent::SILENT
                .iter()
                .map(|(name, reason)| ("silent", *name, *reason)),
        );
        assert!(systems::SYSTEMS.iter().all(|row| !row.reason.is_empty()));
        assert!(flows::FLOWS.iter().all(|row| !row.reason.is_empty()));
        for table in [abilities::MODULES, abilities::FUNCTIONS] {
            rows.extend(table.iter().map(|row| ("ability", row.name, row.reason)));
        }
        rows.extend(
            gates::WORDS
                .iter()
                .map(|row| ("gate", row.word, row.reason)),
        );
        rows.extend(
            writes::WRITES
                .iter()
                .map(|row| ("write", row.part, row.reason)),
        );
        for (table, rows_of) in [
            ("keeper", commands::KEEPERS),
            ("publisher", commands::PUBLISHERS),
        ] {
            rows.extend(rows_of.iter().map(|row| (table, row.name, row.reason)));
        }
        for (language, table) in [
            ("Python", scripts::PYTHON),
            ("PowerShell", scripts::POWERSHELL),
        ] {
            rows.extend(table.iter().map(|row| (language, row.name, row.reason)));
        }
        let mut seen = std::collections::HashSet::new();
        for (table, name, reason) in rows {
            assert!(seen.insert((table, name)), "{name} twice");
            assert!(!reason.is_empty(), "{name}");
        }
    }
}
