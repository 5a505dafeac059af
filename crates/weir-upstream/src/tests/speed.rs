//! Measurements, run by hand.

use super::*;

/// What the configured upstream gives: `WEIR_FETCH="name name …" cargo test -- --ignored --nocapture
/// fetch_speed`. Be kind: a handful of names will do.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "asks a real registry"]
async fn fetch_speed() {
    let names = std::env::var("WEIR_FETCH").unwrap_or_default();
    let environment = Environment::of_process();
    let folder = std::env::current_dir().unwrap();
    let npmrc = load_npmrc(&folder, &environment, Npmrc::default()).unwrap();
    let default_registry = environment
        .get("WEIR_FETCH_REGISTRY")
        .map(|url| url.parse().unwrap());
    let options = Options {
        environment,
        default_registry,
        ..Options::default()
    };
    let upstreams = Arc::new(Upstreams::from_npmrc(&npmrc, &options).unwrap());
    let start = std::time::Instant::now();
    let fetches: Vec<_> = names
        .split_whitespace()
        .map(|text| {
            let (upstreams, name) = (Arc::clone(&upstreams), name(text));
            tokio::spawn(async move {
                let start = std::time::Instant::now();
                let upstream = upstreams.upstream_for(&name);
                let known = Conditional::default();
                let bytes = raw(upstream.packument(&name, &known).await.unwrap()).len();
                println!("{name}: {bytes} bytes after {:?}", start.elapsed());
                bytes
            })
        })
        .collect();
    let mut bytes = 0;
    for fetch in fetches {
        bytes += fetch.await.unwrap();
    }
    println!("{:.1} MB in {:?}", bytes as f64 / 1e6, start.elapsed());
    if let Some(first) = names.split_whitespace().next() {
        let start = std::time::Instant::now();
        fetch(&upstreams, first).await.unwrap();
        println!(
            "{first} again, over the open connection: {:?}",
            start.elapsed()
        );
    }
}

/// Throughput at 64 requests at once, against a server on this machine.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn parallel_speed() {
    let line = "\"1.0.0\":{\"dist\":{\"tarball\":\"https://registry.example.invalid/a/-/a.tgz\"}},";
    let body = format!("{{{}}}", line.repeat(5000));
    let compressed = gzip(body.as_bytes());
    let server =
        Server::start(move |_, _| http("200 OK", &[JSON, "content-encoding: gzip"], &compressed))
            .await;
    let upstreams = server.upstreams();
    let start = std::time::Instant::now();
    let bytes: usize = futures_util::stream::iter(0..1000)
        .map(|_| async { raw(fetch(&upstreams, "a").await.unwrap()).len() })
        .buffer_unordered(64)
        .fold(0, async |sum, bytes| sum + bytes)
        .await;
    println!(
        "1000 packuments, {:.0} MB decoded, in {:?}",
        bytes as f64 / 1e6,
        start.elapsed()
    );
}
