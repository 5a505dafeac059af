//! What upstreams send that cannot be used, now or later: clients are told so once and for all. What may be better a
//! moment later is another matter.

use std::time::Duration;

use weir_testing::clients::{self, Kind};
use weir_testing::{Fault, Project, Registry};

use crate::support::{Gateway, NPM, World, output, river};

const PACKUMENT: &str = "/gauge-reader";
const GOOD: &str = "/gauge-reader/-/gauge-reader-1.1.0.tgz";

fn ask(gateway: &Gateway, path: &str) -> (u16, String) {
    let reply = gateway.get(path, &[("user-agent", NPM)]);
    (reply.status, reply.text())
}

fn page(path: &str) -> Fault {
    Fault::on(path)
        .status(200)
        .header("content-type", "text/html")
        .body("<!doctype html><title>Sign in</title>")
}

fn circle(path: &str) -> Fault {
    Fault::on(path).status(302).header("location", path)
}

/// No client repeats a request over these statuses; over 502, npm and pnpm do for more than a minute.
#[test]
fn what_asking_again_does_not_change_is_answered_for_good() {
    let limits = "[limits]\npackument_size = \"2 MiB\"\ntarball_size = \"1 MiB\"\n";
    let large = || vec![b' '; 3 << 20];
    for (what, path, fault) in [
        ("a page", PACKUMENT, page(PACKUMENT)),
        ("a page", GOOD, page(GOOD)),
        ("a circle", PACKUMENT, circle(PACKUMENT)),
        ("a circle", GOOD, circle(GOOD)),
        ("300", PACKUMENT, Fault::on(PACKUMENT).status(300)),
        ("304", PACKUMENT, Fault::on(PACKUMENT).status(304)),
        ("304", GOOD, Fault::on(GOOD).status(304)),
        (
            "too large",
            PACKUMENT,
            Fault::on(PACKUMENT).status(200).body(large()),
        ),
        (
            "another encoding",
            PACKUMENT,
            Fault::on(PACKUMENT)
                .status(200)
                .header("content-type", "application/json")
                .header("content-encoding", "br")
                .body("{}"),
        ),
        ("too large", GOOD, Fault::on(GOOD).status(200).body(large())),
        ("half of it", GOOD, Fault::on(GOOD).cut_after(100)),
    ] {
        let (world, registry) = (World::new(), river());
        world.policy(limits);
        registry.fault(fault);
        let gateway = world.serve(&registry);
        let (status, said) = ask(&gateway, path);
        // Of a tarball, pnpm asks again over 424 as well.
        let expected = if path == GOOD { 404 } else { 424 };
        assert_eq!(status, expected, "{what} at {path}: {said}");
        assert!(said.contains("gauge-reader"), "{what} at {path}: {said}");
        // Nobody attacked anybody.
        assert!(world.ledger(&["--event", "refused"]).is_empty(), "{what}");
        registry.clear_faults();
        assert_eq!(ask(&gateway, path).0, 200, "{what} at {path}");
    }
}

#[test]
fn a_download_that_breaks_off_once_is_begun_again_unnoticed() {
    let (world, registry) = (World::new(), river());
    registry.fault(Fault::on(GOOD).cut_after(100).times(1));
    let gateway = world.serve(&registry);
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let tarball = registry.tarball("gauge-reader", "1.1.0").unwrap();
    assert_eq!(reply.body, tarball);
    assert!(registry.requests_to(GOOD).len() >= 2);
}

/// The near miss: a way that fails here and there may be whole in a minute, and clients are to try then.
#[test]
fn a_download_that_breaks_off_here_and_there_may_be_asked_for_again() {
    let (world, registry) = (World::new(), river());
    for after in [50, 75, 100, 125, 150] {
        registry.fault(Fault::on(GOOD).cut_after(after).times(1));
    }
    let gateway = world.serve(&registry);
    let (status, said) = ask(&gateway, GOOD);
    assert_eq!(status, 502, "{said}");
}

fn installs(kind: Kind, registry: &Registry) -> Duration {
    let Some(client) = clients::or_skip(kind) else {
        return Duration::ZERO;
    };
    let name = if kind == Kind::Npm { "npm" } else { "pnpm" };
    let world = World::new();
    let project = Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .dependency("gauge-reader", "1.1.0");
    let run = output(world.wrapper(&client, &project).args([name, "install"]));
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(run.says("gauge-reader"), "{}", run.text());
    run.elapsed
}

#[test]
fn clients_give_up_at_once() {
    for kind in [Kind::Npm, Kind::Pnpm10] {
        for fault in [
            page(PACKUMENT),
            circle(GOOD),
            Fault::on(GOOD).cut_after(100),
        ] {
            let registry = river();
            registry.fault(fault.clone());
            let took = installs(kind, &registry);
            // They wait for 10 seconds before they ask again.
            assert!(
                took < Duration::from_secs(10),
                "{kind:?} {fault:?} took {took:?}"
            );
        }
    }
}
