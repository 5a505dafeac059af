//! `weir serve`: the gateway as a service.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use weir_gateway::{Gateway, GatewayConfig};

use crate::cli::{Global, Serve};
use crate::{exit, setup};

/// How long requests under way may take to finish once the service is told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until told to stop.
pub(super) async fn run(global: &Global, options: Serve) -> Result<ExitCode> {
    let engine = setup::engine(global).await?;
    let cache_bytes = engine.policy().cache.memory.bytes() / 2;
    let upstream = engine.upstreams().default_upstream().id().to_owned();
    let seen_from_outside = options.public_url.clone();
    let config = GatewayConfig {
        public_url: options.public_url,
        own_names: own_names(),
        compress: true,
        cache_bytes,
        explain_by_command: None,
    };
    let running = Gateway::new(engine, config, None)
        .listen(&[options.listen])
        .await
        .with_context(|| format!("listening on {}", options.listen))?;
    crate::out::println!(
        "weir listens on {} and passes on what {upstream} has",
        running.url()
    );
    crate::out::println!(
        "point a client at it, e.g.  npm install --registry={}",
        seen_from_outside.unwrap_or_else(|| running.url())
    );
    stop_signal().await;
    anstream::eprintln!("weir: stopping, requests under way may finish");
    running.stop(GRACE).await;
    Ok(ExitCode::from(exit::FINE))
}

/// What this machine calls itself: the whole name, and its first part where it has several.
fn own_names() -> Vec<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let variable = || {
        ["HOSTNAME", "COMPUTERNAME"]
            .iter()
            .find_map(|it| std::env::var(it).ok())
    };
    let name = name.or_else(asked_for_its_name).or_else(variable);
    let name = name.unwrap_or_default().trim().to_owned();
    let first = name.split_once('.').map(|(first, _)| first.to_owned());
    first.into_iter().chain([name]).collect()
}

/// The machine's name where no file has it.
fn asked_for_its_name() -> Option<String> {
    let asked = std::process::Command::new("hostname").output().ok()?;
    let name = asked.status.success().then_some(asked.stdout)?;
    String::from_utf8(name).ok()
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
