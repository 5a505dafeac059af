//! What is a secret, where secrets lie, what talks to the network. Data, with a reason per row.

pub(crate) mod calls;
pub(crate) mod credentials;
pub(crate) mod network;
pub(crate) mod secrets;

#[cfg(test)]
mod tests {
    use super::{credentials, network, secrets};

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
            network::CALLS
                .iter()
                .map(|row| ("call", row.name, row.reason)),
        );
        let mut seen = std::collections::HashSet::new();
        for (table, name, reason) in rows {
            assert!(seen.insert((table, name)), "{name} twice");
            assert!(!reason.is_empty(), "{name}");
        }
    }
}
