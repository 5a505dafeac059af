//! Restarts, kills and orderly ends.

use std::time::Duration;

use weir_testing::{Fault, Package, Registry, Release};

use crate::support::{NPM, World, eventually, river};

const GOOD: &str = "/gauge-reader/-/gauge-reader-1.1.0.tgz";

fn served_twice(end: impl Fn(&mut crate::support::Gateway)) {
    let (world, registry) = (World::new(), river());
    let expected = registry.tarball("gauge-reader", "1.1.0").unwrap();
    let mut gateway = world.serve(&registry);
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    // At once: what a client has must be on disk already.
    end(&mut gateway);
    assert_eq!(reply.body, expected);
    let entries = world.ledger(&["--event", "served", "--package", "gauge-reader"]);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["version"], "1.1.0");

    let gateway = world.serve(&registry);
    let again = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(again.body, expected);
    assert_eq!(again.header("x-weir-cache"), Some("hit"));
    assert_eq!(
        registry.requests_to(GOOD).len(),
        1,
        "the second one came from the data folder"
    );
    assert_eq!(world.ledger(&["--event", "served"]).len(), 2);
}

#[test]
fn a_restart_forgets_nothing() {
    served_twice(|gateway| {
        assert_eq!(gateway.stop().unwrap().code(), Some(0));
        assert!(gateway.log().contains("stopping"), "{}", gateway.log());
    });
}

#[test]
fn a_kill_forgets_nothing() {
    served_twice(crate::support::Gateway::kill);
}

#[test]
fn kills_in_the_middle_of_downloads_leave_a_sound_data_folder() {
    let (world, registry) = (World::new(), river());
    let expected = registry.tarball("gauge-reader", "1.1.0").unwrap();
    for _ in 0..3 {
        registry.clear_requests();
        registry.fault(
            Fault::on(GOOD)
                .drip(100, Duration::from_millis(30))
                .times(1),
        );
        let mut gateway = world.serve(&registry);
        let url = gateway.url().to_owned();
        let asker = std::thread::spawn(move || {
            let address = url
                .trim_start_matches("http://")
                .trim_end_matches('/')
                .to_owned();
            let mut stream = std::net::TcpStream::connect(&address).unwrap();
            let head =
                format!("GET {GOOD} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
            let mut answer = Vec::new();
            let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
            answer
        });
        eventually("the download has begun", || {
            !registry.requests_to(GOOD).is_empty()
        });
        std::thread::sleep(Duration::from_millis(50));
        gateway.kill();
        let partial = asker.join().unwrap();
        assert!(
            !partial.ends_with(&expected),
            "nothing that was not recorded was served"
        );
    }
    assert!(world.ledger(&["--event", "served"]).is_empty());
    registry.clear_faults();
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get("/-/weir/ready", &[]).status, 200);
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!((reply.status, reply.whole), (200, true));
    assert_eq!(reply.body, expected);
}

/// A package that is streamed to the client while it comes in.
fn big(registry: &Registry) -> Vec<u8> {
    let text: String = (0..40_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    registry.add(
        Package::new("lodash").maintainer("mill").release(
            Release::new("4.17.21")
                .published("2021-02-20T15:42:16.891Z")
                .file("data.json", text),
        ),
    );
    registry.tarball("lodash", "4.17.21").unwrap().to_vec()
}

#[test]
fn a_stop_lets_a_slow_download_finish() {
    let (world, registry) = (World::new(), river());
    let expected = big(&registry);
    let path = "/lodash/-/lodash-4.17.21.tgz";
    registry.fault(Fault::on(path).drip(expected.len() / 20, Duration::from_millis(100)));
    let mut gateway = world.serve(&registry);
    let url = gateway.url().to_owned();
    let asker = std::thread::spawn(move || {
        crate::support::http::request(&url, "GET", path, &[("user-agent", NPM)], b"")
    });
    eventually("the download has begun", || {
        registry.requests_to(path).len() == 1
    });
    std::thread::sleep(Duration::from_millis(300));
    let status = gateway.stop();
    let reply = asker.join().unwrap();
    assert!(
        reply.whole && reply.body == expected,
        "{} of {} bytes",
        reply.body.len(),
        expected.len()
    );
    assert_eq!(status.unwrap().code(), Some(0));
    assert_eq!(world.ledger(&["--event", "served"]).len(), 1);
}

#[test]
fn two_gateways_share_a_data_folder() {
    let (world, registry) = (World::new(), river());
    let (one, two) = (world.serve(&registry), world.serve(&registry));
    for gateway in [&one, &two] {
        assert_eq!(gateway.get(GOOD, &[("user-agent", NPM)]).status, 200);
    }
    assert_eq!(
        registry.requests_to(GOOD).len(),
        1,
        "the second gateway uses what the first one kept"
    );
    assert_eq!(world.ledger(&["--event", "served"]).len(), 2);
}

/// What is asked for to be sent elsewhere has to say so while nothing else is asked for.
#[test]
fn a_data_folder_that_cannot_be_written_is_not_ready() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let ready = || gateway.get("/-/weir/ready", &[]);
    assert_eq!(ready().status, 200);
    let (blobs, aside) = (world.path("data/blobs"), world.path("data/aside"));
    std::fs::rename(&blobs, &aside).unwrap();
    std::fs::write(&blobs, "in its place").unwrap();
    let reply = ready();
    assert_eq!(reply.status, 503);
    let why = reply.json()["why"].as_str().unwrap().to_owned();
    assert!(why.contains("cannot write"), "{why}");
    std::fs::remove_file(&blobs).unwrap();
    std::fs::rename(&aside, &blobs).unwrap();
    assert_eq!(ready().status, 200);
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 0);
}

#[test]
fn a_data_folder_that_cannot_be_used_is_said_at_the_start() {
    let (world, registry) = (World::new(), river());
    let file = world.write("not-a-folder", "x");
    let output = crate::support::output(
        world
            .weir_before(&registry)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("WEIR_DATA", &file),
    );
    assert_eq!(output.code, Some(1));
    assert!(output.says("opening the data folder"), "{}", output.text());
}
