use super::*;

const GATEWAY: &str = "http://127.0.0.1:40000/";
const SHA1: &str = "0123456789abcdef0123456789abcdef01234567";

/// An entry for `request`, at `address` and with whatever else it has.
fn entry(request: &str, version: &str, address: &str, more: &str) -> String {
    format!("\"{request}\":\n  version \"{version}\"\n  resolved \"{address}\"\n{more}\n")
}

fn digest() -> String {
    format!("  integrity sha512-{}==\n", "A".repeat(86))
}

#[test]
fn what_a_registry_has_under_its_own_name_is_pointed_at_the_gateway() {
    let hash = format!("#{SHA1}");
    for (request, version, address, path) in [
        (
            "http-a@^1",
            "1.0.0",
            "https://registry.example.invalid/http-a/-/http-a-1.0.0.tgz",
            "http-a/-/http-a-1.0.0.tgz",
        ),
        (
            "@s/a@^1",
            "1.0.0-rc.1",
            "http://mirror.example.invalid/npm/all/@s/a/-/a-1.0.0-rc.1.tgz",
            "@s/a/-/a-1.0.0-rc.1.tgz",
        ),
        (
            "@s/a@^1",
            "1.0.0",
            "https://registry.example.invalid/@s%2fa/-/a-1.0.0.tgz",
            "@s/a/-/a-1.0.0.tgz",
        ),
        (
            "other@npm:a@^1",
            "1.0.0",
            "https://registry.example.invalid/a/-/a-1.0.0.tgz",
            "a/-/a-1.0.0.tgz",
        ),
    ] {
        let text = entry(request, version, &format!("{address}{hash}"), "");
        let addresses = Addresses::of(&text);
        assert_eq!((addresses.past, addresses.all()), (0, 1), "{text}");
        let pointed = text.replace(address, &format!("{GATEWAY}{path}"));
        assert_eq!(addresses.pointed(&text, GATEWAY), pointed);
        let written = format!(
            "{{\n  \"lockfileEntries\": {{\n    \"{request}\": \"{address}{hash}\"\n  }}\n}}"
        );
        let pointed = written.replace(address, &format!("{GATEWAY}{path}"));
        assert_eq!(addresses.pointed(&written, GATEWAY), pointed);
    }
}

/// Each would be fetched from where it says, or could be another release at the gateway.
#[test]
fn what_has_no_place_at_the_gateway_leads_past() {
    let good = "https://registry.example.invalid/a/-/a-1.0.0.tgz";
    let with = |address: &str| entry("a@^1", "1.0.0", address, &digest());
    for text in [
        // Nothing settles its bytes.
        entry("a@^1", "1.0.0", good, ""),
        entry("a@^1", "1.0.0", &format!("{good}#x"), ""),
        entry("a@^1", "1.0.0", good, "  integrity sha512-x\n"),
        // Another name or version than is locked.
        entry("b@^1", "1.0.0", good, &digest()),
        entry("a@^1", "1.0.1", good, &digest()),
        with("https://registry.example.invalid/b/a/-/../a-1.0.0.tgz"),
        with(&format!("{good}?from=elsewhere")),
        // No registry's.
        with("https://files.example.invalid/a-1.0.0.tgz"),
        with("https://git.example.invalid/a.git#0123"),
        entry(&format!("a@{good}"), "1.0.0", good, &digest()),
        // As yarn reads it, and does not write it.
        with(&good.replace("https:", "HTTPS:")),
        with(&good.replace("https:", "")),
        with(&good.replace("https", "\\u0068ttps")),
        with(good).replace("resolved \"", "resolved  \""),
        with(good).replace("  resolved", "   resolved"),
        with(good).replace("  version", "<<<<<<< ours\n  version"),
        with(good)
            .replace("resolved", "\"resolved\"")
            .replace("https", "\\u0068ttps"),
        // Two registries, and one place.
        with(good)
            + &entry(
                "a@~1",
                "1.0.0",
                &good.replace("registry", "other"),
                &digest(),
            ),
    ] {
        let addresses = Addresses::of(&text);
        assert!(addresses.past > 0, "{text}");
        assert_eq!(addresses.pointed(&text, GATEWAY), text);
    }
    for text in [
        String::new(),
        "a@^1:\n  version \"1.0.0\"\n".to_owned(),
        entry("a@file:../a", "1.0.0", "file:../a.tgz", ""),
        entry(
            "a@git+ssh://git.example.invalid/a.git",
            "1.0.0",
            "git+ssh://git.example.invalid/a.git#0123",
            "",
        ),
    ] {
        assert_eq!(Addresses::of(&text), Addresses::default(), "{text}");
    }
    // The key may be quoted, and is found all the same.
    let quoted = with(good).replace("resolved", "\"resolved\"");
    assert_eq!(Addresses::of(&quoted).past, 0);
    assert!(
        Addresses::of(&quoted)
            .pointed(&quoted, GATEWAY)
            .contains(GATEWAY)
    );
}

#[test]
fn addresses_are_put_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    assert_eq!(point(folder.path(), GATEWAY).unwrap(), Recorded::new());
    let address = |host: &str, name: &str| format!("{host}{name}/-/{name}-1.0.0.tgz#{SHA1}");
    let own = address("https://yarn.example.invalid/", "a");
    let dead = address("http://127.0.0.1:39999/", "b");
    let lock = entry("a@^1", "1.0.0", &own, "") + &entry("b@^1", "1.0.0", &dead, "");
    std::fs::write(file("real.lock"), &lock).unwrap();
    std::os::unix::fs::symlink("real.lock", file("yarn.lock")).unwrap();
    std::fs::create_dir(file("node_modules")).unwrap();
    std::fs::write(
        file("node_modules/.yarn-integrity"),
        format!("{{\"a@^1\": \"{own}\"}}"),
    )
    .unwrap();

    let recorded = point(folder.path(), GATEWAY).unwrap();
    assert_eq!(recorded.len(), 2);
    for host in ["yarn.example.invalid", "39999"] {
        assert!(!read("yarn.lock").contains(host));
    }
    assert!(read("node_modules/.yarn-integrity").contains(GATEWAY));
    // What yarn adds is not known from before, nor does anybody want the gateway of a run that was killed.
    let added = entry("c@^1", "1.0.0", &address(GATEWAY, "c"), "");
    std::fs::write(file("yarn.lock"), read("yarn.lock") + &added).unwrap();
    put_back(folder.path(), GATEWAY, &recorded).unwrap();
    let left = read("yarn.lock");
    assert_eq!(
        left,
        lock.replace("http://127.0.0.1:39999/", GATEWAY) + &added
    );
    assert!(file("yarn.lock").is_symlink() && read("node_modules/.yarn-integrity").contains(&own));
    // Where they are public is asked for; who is not answered gets back what there was.
    let restored = super::super::restore(&left, GATEWAY, &HashMap::new(), &recorded);
    assert!(restored.contains(&dead) && restored.contains(&address(GATEWAY, "c")));
}
