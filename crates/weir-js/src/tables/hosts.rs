//! What kind of host a name or address is.

use std::net::{IpAddr, Ipv4Addr};

use weir_model::contents::HostClass;

/// A part of a host's name, and what having it makes the host.
pub(crate) struct Known {
    /// Labels that stand together somewhere in the name: `api.telegram` is in `api.telegram.org`.
    pub(crate) labels: &'static str,
    /// What the path has to hold besides; empty where the name is enough.
    pub(crate) path: &'static str,
    /// What kind it is.
    pub(crate) class: HostClass,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn host(labels: &'static str, class: HostClass, reason: &'static str) -> Known {
    Known {
        labels,
        path: "",
        class,
        reason,
    }
}

const fn path(labels: &'static str, path: &'static str, reason: &'static str) -> Known {
    Known {
        labels,
        path,
        class: HostClass::Webhook,
        reason,
    }
}

use HostClass::{ChainRpc, CloudMetadata, Paste, Throwaway, Tunnel, Webhook};

/// The table. Brands stand without their top-level domain where the brand is enough, because they
/// move between domains and imitations in tests use reserved ones.
pub(crate) const KNOWN: &[Known] = &[
    host("ngrok", Tunnel, "tunnel to any machine"),
    host("ngrok-free", Tunnel, "tunnel to any machine"),
    host("trycloudflare", Tunnel, "tunnel without an account"),
    host("localtunnel", Tunnel, "tunnel without an account"),
    host("loca.lt", Tunnel, "tunnel without an account"),
    host("serveo", Tunnel, "tunnel over ssh"),
    host("localhost.run", Tunnel, "tunnel over ssh"),
    host("pinggy", Tunnel, "tunnel over ssh"),
    host("bore.pub", Tunnel, "tunnel without an account"),
    host("devtunnels.ms", Tunnel, "tunnel to a developer's machine"),
    host("tunnelmole", Tunnel, "tunnel without an account"),
    host("burpcollaborator", Tunnel, "catches requests and lookups"),
    host("oastify", Tunnel, "catches requests and lookups"),
    host("interact.sh", Tunnel, "catches requests and lookups"),
    host("interactsh", Tunnel, "catches requests and lookups"),
    host("oast", Tunnel, "catches requests and lookups"),
    host("dnslog", Tunnel, "catches lookups"),
    host("canarytokens", Tunnel, "catches requests and lookups"),
    host("webhook.site", Tunnel, "shows anybody what it is sent"),
    host("requestbin", Tunnel, "shows anybody what it is sent"),
    host("requestcatcher", Tunnel, "shows anybody what it is sent"),
    host("pipedream", Tunnel, "shows anybody what it is sent"),
    host("beeceptor", Tunnel, "shows anybody what it is sent"),
    host("hookbin", Tunnel, "shows anybody what it is sent"),
    host("requestrepo", Tunnel, "shows anybody what it is sent"),
    host("pastebin", Paste, "text of anybody"),
    host(
        "gist.githubusercontent",
        Paste,
        "text of anybody, under a name that is trusted",
    ),
    host("hastebin", Paste, "text of anybody"),
    host("ghostbin", Paste, "text of anybody"),
    host("dpaste", Paste, "text of anybody"),
    host("rentry", Paste, "text of anybody, editable"),
    host("paste.ee", Paste, "text of anybody"),
    host("ix.io", Paste, "text of anybody"),
    host("termbin", Paste, "text of anybody"),
    host("0x0.st", Paste, "files of anybody"),
    host("transfer.sh", Paste, "files of anybody"),
    host("file.io", Paste, "files of anybody"),
    host("gofile", Paste, "files of anybody"),
    host("anonfiles", Paste, "files of anybody"),
    host("catbox", Paste, "files of anybody"),
    host("bashupload", Paste, "files of anybody"),
    host("filebin", Paste, "files of anybody"),
    host("tmpfiles", Paste, "files of anybody"),
    host(
        "jsonkeeper",
        Paste,
        "JSON of anybody; stages of job-interview attacks",
    ),
    host(
        "npoint",
        Paste,
        "JSON of anybody; stages of job-interview attacks",
    ),
    host(
        "jsonsilo",
        Paste,
        "JSON of anybody; stages of job-interview attacks",
    ),
    host("jsonbin", Paste, "JSON of anybody"),
    host("mocki", Paste, "JSON of anybody"),
    path("discord", "/api/webhooks", "posts into a chat room"),
    path("discordapp", "/api/webhooks", "posts into a chat room"),
    host("api.telegram", Webhook, "posts as a bot"),
    host("hooks.slack", Webhook, "posts into a chat room"),
    host("webhook.office", Webhook, "posts into a chat room"),
    host("hooks.zapier", Webhook, "starts an automation"),
    host("maker.ifttt", Webhook, "starts an automation"),
    host(
        "getsession",
        Webhook,
        "messenger whose file service took what 2026's worms stole",
    ),
    host(
        "mainnet-beta.solana",
        ChainRpc,
        "memos of a chain carry addresses of payloads",
    ),
    host("infura", ChainRpc, "contract storage carries payloads"),
    host("alchemyapi", ChainRpc, "contract storage carries payloads"),
    host("g.alchemy", ChainRpc, "contract storage carries payloads"),
    host("ankr", ChainRpc, "contract storage carries payloads"),
    host("llamarpc", ChainRpc, "contract storage carries payloads"),
    host("publicnode", ChainRpc, "contract storage carries payloads"),
    host(
        "cloudflare-eth",
        ChainRpc,
        "contract storage carries payloads",
    ),
    host(
        "binance.org",
        ChainRpc,
        "BSC nodes; payloads were kept in its contracts",
    ),
    host(
        "bnbchain",
        ChainRpc,
        "BSC nodes; payloads were kept in its contracts",
    ),
    host(
        "defibit",
        ChainRpc,
        "BSC nodes; payloads were kept in its contracts",
    ),
    host(
        "trongrid",
        ChainRpc,
        "transactions carry addresses of payloads",
    ),
    host(
        "aptoslabs",
        ChainRpc,
        "transactions carry addresses of payloads",
    ),
    host("raw.icp0", ChainRpc, "a canister gave a worm its orders"),
    host("icp0", ChainRpc, "a canister gave a worm its orders"),
    host("ic0.app", ChainRpc, "a canister gave a worm its orders"),
    host(
        "metadata.google.internal",
        CloudMetadata,
        "hands out the machine's identity",
    ),
    host(
        "metadata.azure.internal",
        CloudMetadata,
        "hands out the machine's identity",
    ),
    host(
        "instance-data.ec2.internal",
        CloudMetadata,
        "hands out the machine's identity",
    ),
    host(
        "duckdns",
        Throwaway,
        "name of anybody, moved within minutes",
    ),
    host("no-ip", Throwaway, "name of anybody, moved within minutes"),
    host(
        "ddns.net",
        Throwaway,
        "name of anybody, moved within minutes",
    ),
    host("hopto", Throwaway, "name of anybody, moved within minutes"),
    host("zapto", Throwaway, "name of anybody, moved within minutes"),
    host(
        "sytes.net",
        Throwaway,
        "name of anybody, moved within minutes",
    ),
    host("dynu", Throwaway, "name of anybody, moved within minutes"),
    host("nip.io", Throwaway, "an address written as a name"),
    host("sslip.io", Throwaway, "an address written as a name"),
];

/// Top-level domains that cost nothing, or next to it, and are used so.
pub(crate) const CHEAP: &[(&str, &str)] = &[
    ("tk", "given away for years"),
    ("ml", "given away for years"),
    ("ga", "given away for years"),
    ("cf", "given away for years"),
    ("gq", "given away for years"),
    ("icu", "prominent in abuse reports"),
    ("cyou", "prominent in abuse reports"),
    ("sbs", "prominent in abuse reports"),
    ("cfd", "prominent in abuse reports"),
    ("bond", "prominent in abuse reports"),
    ("buzz", "prominent in abuse reports"),
];

/// Addresses at which clouds answer for the machine itself.
const METADATA: &[(IpAddr, &str)] = &[
    (
        IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
        "AWS, GCP, Azure and others",
    ),
    (
        IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
        "containers of AWS",
    ),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)), "pods of AWS"),
    (IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), "Alibaba"),
];

/// What kind of host `authority` (name or address, perhaps with a port) is; `text` is the whole
/// address with its path, as far as it is known.
pub(crate) fn classify(authority: &str, text: &str) -> HostClass {
    let name = without_port(authority);
    if let Some(address) = address(name) {
        return of_address(address);
    }
    let name = name.to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") || name.ends_with(".local") {
        return HostClass::Local;
    }
    for row in KNOWN {
        if has_labels(&name, row.labels) && (row.path.is_empty() || text.contains(row.path)) {
            return row.class;
        }
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    if name.contains('.') && CHEAP.iter().any(|(domain, _)| *domain == last) {
        return HostClass::Throwaway;
    }
    HostClass::Other
}

/// Whether `labels` stand in `name` as whole labels.
fn has_labels(name: &str, labels: &str) -> bool {
    let mut from = 0;
    while let Some(found) = name.get(from..).and_then(|rest| rest.find(labels)) {
        let start = from + found;
        let end = start + labels.len();
        let before = start.checked_sub(1).and_then(|at| name.as_bytes().get(at));
        let after = name.as_bytes().get(end);
        if matches!(before, None | Some(b'.')) && matches!(after, None | Some(b'.')) {
            return true;
        }
        from = end;
    }
    false
}

/// `[::1]:80` and `a.example:80` without the port.
fn without_port(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match authority.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => {
            name
        }
        _ => authority,
    }
}

/// An address, also written as one number, which every client takes and no reader knows.
fn address(name: &str) -> Option<IpAddr> {
    if let Ok(address) = name.parse() {
        return Some(address);
    }
    let number = match name.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None if name.len() >= 8 => name.parse().ok()?,
        None => return None,
    };
    Some(IpAddr::V4(Ipv4Addr::from(number)))
}

fn of_address(address: IpAddr) -> HostClass {
    if METADATA.iter().any(|(known, _)| *known == address) {
        return HostClass::CloudMetadata;
    }
    let is_local = match address {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_private()
                || v4.is_unspecified()
                || v4.is_link_local()
                || v4.is_broadcast()
        }
        IpAddr::V6(v6) => {
            // The metadata service of AWS over IPv6 is a unique local address of its own.
            if v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] {
                return HostClass::CloudMetadata;
            }
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    };
    if is_local {
        HostClass::Local
    } else {
        HostClass::RawAddress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        for (host, text, class) in [
            ("abc.ngrok.io", "", Tunnel),
            ("abc.ngrok.example:443", "", Tunnel),
            ("webhook.site", "", Tunnel),
            ("pastebin.com", "/raw/x", Paste),
            ("gist.githubusercontent.com", "/x/raw", Paste),
            ("raw.githubusercontent.com", "", HostClass::Other),
            (
                "discord.com",
                "https://discord.com/api/webhooks/1/x",
                Webhook,
            ),
            (
                "discord.com",
                "https://discord.com/developers",
                HostClass::Other,
            ),
            ("api.telegram.org", "", Webhook),
            ("203.0.113.9:8080", "", HostClass::RawAddress),
            ("3405803785", "", HostClass::RawAddress),
            ("[2001:db8::1]:80", "", HostClass::RawAddress),
            ("169.254.169.254", "", CloudMetadata),
            ("metadata.google.internal", "", CloudMetadata),
            ("127.0.0.1:3000", "", HostClass::Local),
            ("[::1]", "", HostClass::Local),
            ("10.1.2.3", "", HostClass::Local),
            ("localhost", "", HostClass::Local),
            ("api.mainnet-beta.solana.com", "", ChainRpc),
            ("cheap.tk", "", Throwaway),
            ("x.duckdns.org", "", Throwaway),
            ("example.com", "", HostClass::Other),
            ("ngrokfan.example", "", HostClass::Other),
            ("mlab.example", "", HostClass::Other),
        ] {
            assert_eq!(classify(host, text), class, "{host}");
        }
    }
}
