//! Downloads that do not begin, and those that nobody needs a second time.

use weir_testing::clients::{self, Kind};
use weir_testing::{Fault, Package, Project, Registry, Release};

use crate::support::{Gateway, NPM, World, eventually, noise, output, river};

const GOOD: &str = "/gauge-reader/-/gauge-reader-1.1.0.tgz";
const LARGE: &str = "/flood-plain/-/flood-plain-1.0.0.tgz";

/// Long before the upstream's own time is over, and in words that say what did not happen.
#[test]
fn a_download_that_does_not_begin_is_given_up() {
    let (world, registry) = (World::new(), river());
    world.policy("[gate]\nanalysis_budget = \"2s\"\n");
    registry.fault(Fault::on(GOOD).hang());
    let gateway = world.serve(&registry);
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(
        reply.text().contains("not a byte of it came within 2 s"),
        "{}",
        reply.text()
    );
}

/// The usual address is a guess: where it stays silent, the one in the packument counts.
#[test]
fn an_address_that_stays_silent_does_not_hide_the_one_in_the_packument() {
    let (world, registry) = (World::new(), river());
    let moved = format!("{}{}?moved", registry.url(), &GOOD[1..]);
    registry.edit_packument("gauge-reader", move |document| {
        document["versions"]["1.1.0"]["dist"]["tarball"] = moved.clone().into();
    });
    registry.fault(Fault::on(GOOD).hang().times(1));
    let gateway = world.serve(&registry);
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        reply.body,
        registry.tarball("gauge-reader", "1.1.0").unwrap()
    );
}

/// A large package that is held for its age.
fn flood_plain() -> Registry {
    let registry = river();
    registry.add(
        Package::new("flood-plain").maintainer("mill").release(
            Release::new("1.0.0")
                .published("2026-11-20T11:00:00.000Z")
                .file("silt.bin", noise(16 << 20)),
        ),
    );
    registry
}

fn refused(gateway: &Gateway) {
    let reply = gateway.get(LARGE, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(reply.header("x-weir-decision"), Some("hold"));
}

#[test]
fn a_large_held_tarball_is_fetched_once_however_often_it_is_asked_for() {
    let (world, registry) = (World::new(), flood_plain());
    let gateway = world.serve(&registry);
    // The first has it fetched and read; a few more bring whatever is kept at hand.
    for _ in 0..5 {
        refused(&gateway);
    }
    let before = gateway.peak_memory();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..20).for_each(|_| refused(&gateway)));
        }
    });
    let after = gateway.peak_memory();
    // One more copy of the tarball would be 16.
    assert!(
        after < before + 12,
        "80 refusals took it from {before} to {after} MiB"
    );
    assert_eq!(registry.requests_to(LARGE).len(), 1);
    assert_eq!(registry.requests_to("/flood-plain").len(), 1);
    drop(gateway);

    // A new process has the packument on disk, not in memory: no reason to fetch the bytes again.
    let restarted = world.serve(&registry);
    refused(&restarted);
    assert_eq!(registry.requests_to(LARGE).len(), 1);
}

/// On the list of popular names and established: its bytes go out as they come.
fn followed() -> Registry {
    let registry = river();
    registry.add(
        Package::new("lodash").maintainer("mill").release(
            Release::new("1.0.0")
                .published("2024-01-02T03:04:05.678Z")
                .file("silt.bin", noise(3 << 20)),
        ),
    );
    registry
}

const FOLLOWED: &str = "/lodash/-/lodash-1.0.0.tgz";
const PART: usize = 2 << 20;

/// The client sees an answer that breaks off, and nothing of why.
#[test]
fn a_download_that_breaks_off_under_a_client_is_written_down() {
    let (world, registry) = (World::new(), followed());
    registry.fault(Fault::on(FOLLOWED).cut_after(PART).times(1));
    let gateway = world.serve(&registry);
    let reply = gateway.get(FOLLOWED, &[("user-agent", NPM)]);
    let whole = registry.tarball("lodash", "1.0.0").unwrap();
    assert_eq!((reply.status, reply.whole), (200, false));
    assert!(reply.body.len() < whole.len());
    let bytes = format!("broke off after {PART} of {} bytes", whole.len());
    let note = |entry: &serde_json::Value| entry["note"].as_str().unwrap_or_default().to_owned();
    eventually("the ledger says so", || {
        let entries = world.ledger(&["--event", "served"]);
        entries.iter().any(|it| note(it).contains(&bytes))
    });
    let log = gateway.log();
    assert!(log.contains(&bytes) && log.contains("lodash"), "{log}");
    // Nothing of it is kept, and whoever asks again gets all of it.
    let again = gateway.get(FOLLOWED, &[("user-agent", NPM)]);
    assert_eq!((again.status, again.whole), (200, true));
    assert_eq!(again.body, whole);
    let entries = world.ledger(&["--event", "served"]);
    let broken = entries.iter().filter(|it| note(it).contains("broke off"));
    assert_eq!(broken.count(), 1, "{entries:?}");
}

#[test]
fn a_run_whose_download_broke_off_says_so_in_its_summary() {
    for (kind, name) in [
        (Kind::Npm, "npm"),
        (Kind::Pnpm10, "pnpm"),
        (Kind::Yarn1, "yarn"),
    ] {
        let Some(client) = clients::or_skip(kind) else {
            continue;
        };
        let (world, registry) = (World::new(), followed());
        registry.fault(Fault::on(FOLLOWED).cut_after(PART).times(1));
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", registry.url()))
            .dependency("lodash", "1.0.0");
        let run = output(world.wrapper(&client, &project).args([name, "install"]));
        let text = run.text();
        let said = format!("failed: the tarball of lodash@1.0.0 broke off after {PART} of ");
        assert!(text.contains(&said), "{kind:?}: {text}");
        // npm gives up. The others ask again, and have it read then.
        let unread = text.contains("not checked lodash@1.0.0");
        assert_eq!(unread, run.code == Some(1), "{kind:?}: {text}");
    }
}
