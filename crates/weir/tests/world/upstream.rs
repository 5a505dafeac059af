//! Upstreams that fail, lag or are only mirrors.

use weir_testing::{Fault, Flavour, Package, Release};

use crate::support::{Gateway, NPM, World, eventually, gauge_reader, river};

const GOOD: &str = "/gauge-reader/-/gauge-reader-1.1.0.tgz";

/// Longer than the time to live that [`short_lived`] sets.
fn outlive() {
    std::thread::sleep(std::time::Duration::from_millis(2300));
}

fn short_lived() -> World {
    let world = World::new();
    world.policy("[cache]\npackument_ttl = \"2s\"\n");
    world
}

#[test]
fn packuments_are_revalidated_after_their_time() {
    let (world, registry) = (short_lived(), river());
    let gateway = world.serve(&registry);
    let ask = || gateway.get("/gauge-reader", &[("user-agent", NPM)]);
    // What the first answer reads ahead may change what the second is made from, never what is fetched.
    ask();
    let first = ask();
    assert_eq!(ask().header("x-weir-cache"), Some("hit"));
    assert_eq!(registry.requests_to("/gauge-reader").len(), 1);
    outlive();
    let second = ask();
    assert_eq!(second.header("etag"), first.header("etag"));
    let asked = registry.requests_to("/gauge-reader");
    assert_eq!(asked.len(), 2);
    assert!(asked[1].header("if-none-match").is_some());
    assert_eq!(asked[1].status.unwrap().as_u16(), 304);

    registry.update("gauge-reader", |package| {
        package.release(Release::new("1.1.1").published("2025-06-02T03:04:05.678Z"))
    });
    outlive();
    let third = ask();
    assert_ne!(third.header("etag"), first.header("etag"));
    assert!(third.json()["versions"]["1.1.1"].is_object());
}

#[test]
fn an_upstream_that_fails_is_covered_by_what_is_kept() {
    let (world, registry) = (short_lived(), river());
    let gateway = world.serve(&registry);
    assert_eq!(
        gateway.get("/gauge-reader", &[("user-agent", NPM)]).status,
        200
    );
    assert_eq!(gateway.get(GOOD, &[("user-agent", NPM)]).status, 200);
    for fault in [
        Fault::on("*").status(503),
        Fault::on("*").drop_connection(),
        Fault::on("/gauge-reader")
            .status(200)
            .body("<!doctype html><title>login</title>"),
        Fault::on("/gauge-reader")
            .status(200)
            .body("{\"name\": \"gauge-reader\", \"versions\": {"),
    ] {
        outlive();
        registry.clear_faults();
        registry.fault(fault.clone());
        let stale = gateway.get("/gauge-reader", &[("user-agent", NPM)]);
        assert_eq!(stale.status, 200, "{fault:?}: {}", stale.text());
        assert_eq!(stale.header("x-weir-cache"), Some("stale"), "{fault:?}");
        assert!(stale.header("warning").unwrap().starts_with("110 weir"));
        assert_eq!(stale.json()["dist-tags"]["latest"], "1.1.0");
        // Parts of it are as old as the whole, and say so.
        for part in ["/gauge-reader/1.1.0", "/-/package/gauge-reader/dist-tags"] {
            let part = gateway.get(part, &[("user-agent", NPM)]);
            assert_eq!(part.status, 200, "{fault:?}: {}", part.text());
            assert_eq!(part.header("x-weir-cache"), Some("stale"), "{fault:?}");
            let warning = part.header("warning").unwrap();
            assert!(warning.starts_with("110 weir \"stale: "), "{warning}");
            let inside = &warning["110 weir \"".len()..warning.len() - 1];
            let bare = inside.replace("\\\\", "").replace("\\\"", "");
            assert!(!bare.contains('"'), "{warning}");
        }
        assert_eq!(gateway.get(GOOD, &[("user-agent", NPM)]).status, 200);
    }
    // What was never seen is an error of the gateway, not "not found".
    registry.clear_faults();
    registry.fault(Fault::on("*").status(503));
    let unseen = gateway.get("/@millpond%2fsluice", &[("user-agent", NPM)]);
    assert_eq!(unseen.status, 502, "{}", unseen.text());
}

#[test]
fn not_found_stays_not_found() {
    let (world, registry) = (short_lived(), river());
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get("/nowhere-to-be-found", &[]).status, 404);
    assert_eq!(
        gateway
            .get("/gauge-reader/-/gauge-reader-7.0.0.tgz", &[])
            .status,
        404
    );
    assert_eq!(gateway.get("/gauge-reader", &[]).status, 200);
    registry.remove("gauge-reader");
    outlive();
    let gone = gateway.get("/gauge-reader", &[]);
    assert_eq!(gone.status, 404, "{}", gone.text());
}

#[test]
fn a_stale_packument_survives_a_restart() {
    let (world, registry) = (short_lived(), river());
    let mut gateway = world.serve(&registry);
    assert_eq!(
        gateway.get("/gauge-reader", &[("user-agent", NPM)]).status,
        200
    );
    gateway.stop();
    registry.fault(Fault::on("*").status(502));
    outlive();
    let gateway = world.serve(&registry);
    let stale = gateway.get("/gauge-reader", &[("user-agent", NPM)]);
    assert_eq!(
        (stale.status, stale.header("x-weir-cache")),
        (200, Some("stale"))
    );
}

#[test]
fn a_bare_mirror_is_enough() {
    let (world, registry) = (World::new(), river());
    registry.set_flavour(Flavour::BareMirror);
    let gateway = world.serve(&registry);
    let short = ("accept", "application/vnd.npm.install-v1+json");
    let document = gateway
        .get("/gauge-reader", &[("user-agent", NPM), short])
        .json();
    assert!(document["time"]["1.0.0"].is_string());
    assert_eq!(document["dist-tags"]["latest"], "1.1.0");
    assert_eq!(gateway.get(GOOD, &[]).status, 200);
    assert_eq!(gateway.get("/-/npm/v1/keys", &[]).status, 404);
}

/// Clients treat a version without a time as old, or stop (PROTOCOL 3.2): weir fills in when it saw
/// the version first, and holds it from there.
#[test]
fn missing_times_are_filled_with_when_a_version_was_first_seen() {
    let (world, registry) = (World::new(), river());
    for name in ["gauge-reader", "@millpond/sluice"] {
        registry.edit_packument(name, |document| {
            document.as_object_mut().unwrap().remove("time");
        });
    }
    let mut gateway = world.serve(&registry);
    let reply = gateway.get("/gauge-reader", &[("user-agent", NPM)]);
    assert_eq!(
        reply.status,
        403,
        "first seen now, so all of it is young: {}",
        reply.text()
    );
    gateway.stop();
    let world = world.at("2026-11-22T12:00:00Z");
    let gateway = world.serve(&registry);
    let document = gateway.packument(NPM, "gauge-reader");
    assert_eq!(
        document["time"]["1.2.0"].as_str().map(|time| &time[..19]),
        Some("2026-11-20T12:00:00")
    );
    assert_eq!(document["dist-tags"]["latest"], "1.2.0");
}

#[test]
fn a_slow_upstream_does_not_hold_up_others() {
    let (world, registry) = (World::new(), river());
    registry.add(
        Package::new("silent-lake")
            .maintainer("mill")
            .release(Release::new("1.0.0")),
    );
    registry.fault(Fault::on("/silent-lake").hang());
    let gateway = world.serve(&registry);
    std::thread::scope(|scope| {
        let url = gateway.url().to_owned();
        scope.spawn(move || {
            let stream = std::net::TcpStream::connect(
                url.trim_start_matches("http://").trim_end_matches('/'),
            );
            let mut stream = stream.unwrap();
            std::io::Write::write_all(
                &mut stream,
                b"GET /silent-lake HTTP/1.1\r\nhost: localhost\r\n\r\n",
            )
            .unwrap();
            std::thread::sleep(std::time::Duration::from_millis(600));
        });
        eventually("the silent one is asked", || {
            registry.requests_to("/silent-lake").len() == 1
        });
        let started = std::time::Instant::now();
        assert_eq!(gateway.get("/gauge-reader", &[]).status, 200);
        assert_eq!(gateway.get(GOOD, &[]).status, 200);
        assert!(started.elapsed() < std::time::Duration::from_secs(5));
    });
}

/// npm installs what is not of the scope; so does weir, and says what has to be put right for the rest.
#[test]
fn a_scope_whose_registry_is_not_set_stops_nothing_else() {
    let (world, registry) = (World::new(), river());
    let npmrc = world.write("work/.npmrc", "@priv:registry=${PRIV_REGISTRY}\n");
    world.write("work/package.json", "{}");
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get(GOOD, &[("user-agent", NPM)]).status, 200);
    let refused = gateway.get("/@priv%2flib", &[("user-agent", NPM)]);
    assert_eq!(refused.status, 424);
    let run = world.run_before(&registry, &["inspect", "@priv/lib"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    let place = format!("@priv:registry ({})", npmrc.display());
    for words in [place.as_str(), "PRIV_REGISTRY is not set"] {
        assert!(run.says(words), "{}", run.text());
    }
    assert!(registry.requests_to("/@priv%2flib").is_empty());
}

/// Clients repeat what a gateway fails on for more than a minute, and ask nobody twice who has answered for good.
#[test]
fn what_an_upstream_declines_for_good_is_answered_so() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    for (status, answered) in [
        (400, 400),
        (401, 401),
        (402, 402),
        (403, 401),
        (404, 404),
        (407, 424),
        (410, 404),
        (429, 502),
        (451, 451),
        (503, 502),
    ] {
        for path in [GOOD, "/@millpond/sluice"] {
            registry.clear_faults();
            registry.fault(Fault::on(path).status(status));
            let reply = gateway.get(path, &[("user-agent", NPM)]);
            // Of a tarball, pnpm asks again over every other status.
            let answered = match answered {
                400 | 402..=499 if path == GOOD => 404,
                _ => answered,
            };
            assert_eq!(reply.status, answered, "{path} {status}: {}", reply.text());
            assert!(reply.text().contains("weir: "), "{}", reply.text());
            // Most clients show the reason phrase only.
            assert!(reply.reason.starts_with("weir: "), "{}", reply.reason);
            let todo = match status {
                402 => "wants to be paid",
                451 => "legal reasons",
                _ => "",
            };
            assert!(reply.reason.contains(todo), "{}", reply.reason);
        }
    }
    registry.clear_faults();
    assert_eq!(gateway.get(GOOD, &[("user-agent", NPM)]).status, 200);
}

/// Frozen installs never ask for a packument. What is taken away is looked for after it was served, and served no more.
#[test]
fn what_the_registry_takes_away_is_not_served_from_what_is_kept() {
    const REMOVED: &str = "/gauge-reader/-/gauge-reader-1.0.0.tgz";
    const PACKAGE: &str = "/@millpond/sluice/-/sluice-2.0.0.tgz";
    let (world, registry) = (short_lived(), river());
    let mut gateway = world.serve(&registry);
    let status = |gateway: &Gateway, path| gateway.get(path, &[("user-agent", NPM)]).status;
    for path in [REMOVED, GOOD, PACKAGE] {
        assert_eq!(status(&gateway, path), 200, "{path}");
    }
    // One that fails has taken nothing away.
    registry.fault(Fault::on("*").status(503));
    outlive();
    for _ in 0..3 {
        assert_eq!(status(&gateway, REMOVED), 200);
        assert_eq!(status(&gateway, PACKAGE), 200);
        outlive();
    }
    registry.clear_faults();
    registry.edit_packument("gauge-reader", |packument| {
        packument["versions"]
            .as_object_mut()
            .unwrap()
            .remove("1.0.0");
    });
    registry.remove("@millpond/sluice");
    eventually("what is gone is not found", || {
        status(&gateway, REMOVED) == 404 && status(&gateway, PACKAGE) == 404
    });
    assert_eq!(status(&gateway, GOOD), 200, "the others stay");
    gateway.stop();

    // Not by the next process either, which asks nobody for what it has.
    let gateway = world.serve(&registry);
    registry.clear_requests();
    assert_eq!(status(&gateway, REMOVED), 404);
    assert_eq!(status(&gateway, PACKAGE), 404);
    assert_eq!(status(&gateway, GOOD), 200);
}

#[test]
fn while_a_packument_counts_what_is_kept_is_served_without_asking() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let status = || gateway.get(GOOD, &[("user-agent", NPM)]).status;
    assert_eq!(status(), 200);
    registry.clear_requests();
    assert_eq!(status(), 200);
    // Longer than what counts as quiet.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    assert_eq!(registry.requests_to("/gauge-reader").len(), 0);
}

/// Whoever asks for the packument finds it out for all.
#[test]
fn a_package_that_is_gone_is_gone_with_its_tarballs() {
    let (world, registry) = (short_lived(), river());
    let gateway = world.serve(&registry);
    let status = |path| gateway.get(path, &[("user-agent", NPM)]).status;
    assert_eq!(status(GOOD), 200);
    registry.remove("gauge-reader");
    outlive();
    assert_eq!(status("/gauge-reader"), 404);
    assert_eq!(status(GOOD), 404);
    registry.add(gauge_reader());
    assert_eq!(status(GOOD), 200, "and there again");
}
