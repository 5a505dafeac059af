//! A running `weir serve`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::http::{Reply, request};

/// A running service, killed when dropped. What it logs must never hold a panic.
pub(crate) struct Gateway {
    child: Child,
    url: String,
    log: Arc<Mutex<String>>,
}

impl Gateway {
    /// Starts the command and waits until it says where it listens.
    pub(crate) fn start(command: &mut Command) -> Gateway {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let errors = BufReader::new(child.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let url = lines.find_map(|line| {
            line.split(' ')
                .find(|word| word.starts_with("http://"))
                .map(str::to_owned)
        });
        std::thread::spawn(move || lines.for_each(drop));
        let Some(url) = url else {
            let status = child.wait();
            std::thread::sleep(Duration::from_millis(50));
            panic!(
                "weir serve said nothing ({status:?}): {}",
                log.lock().unwrap()
            );
        };
        Gateway { child, url, log }
    }

    /// The address with a closing slash.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        request(&self.url, "GET", path, headers, b"")
    }

    /// A full packument as a client with this agent gets it.
    pub(crate) fn packument(&self, agent: &str, name: &str) -> Value {
        let reply = self.get(&format!("/{name}"), &[("user-agent", agent)]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// Asks it to stop and waits.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        super::signal(&self.child, "TERM");
        super::wait(&mut self.child, Duration::from_secs(40))
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The most memory it ever held, in mebibytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{log}");
        } else {
            assert!(!log.contains("panicked at"), "{log}");
        }
    }
}
