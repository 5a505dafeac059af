//! Measures the way from a tarball to facts on one thread: each `.tgz` given, or found in a folder
//! given or listed in a file, is read from memory as a worker process would read it. One line per
//! tarball where `--each` asks for it, every flow with `--flows`, all facts as JSON with `--facts`, then one
//! JSON object over all of them.
//!
//! `cargo run --release -p weir-engine --example contents -- [--each] [--flows] [--facts] [--list file] <folder or file.tgz>...`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use weir_engine::worker::contents::of_tarball_with;
use weir_engine::worker::limits::keep_freed_memory;
use weir_js::Analyst;
use weir_model::contents::Contents;

/// Sums over every tarball.
#[derive(Default)]
struct Sums {
    packages: u64,
    failed: u64,
    packed_bytes: u64,
    unpacked_bytes: u64,
    javascript_bytes: u64,
    flows: usize,
    unread: usize,
    /// Time of each tarball, unsorted. Reading the file from the disk is not in it.
    times: Vec<Duration>,
}

impl Sums {
    fn add(&mut self, path: &Path, show: Show, analyst: &mut Analyst) -> std::io::Result<()> {
        let bytes = std::fs::read(path)?;
        let start = Instant::now();
        let contents = of_tarball_with(&bytes, &weir_archive::Limits::default(), None, analyst);
        let took = start.elapsed();
        self.packages += 1;
        self.packed_bytes += bytes.len() as u64;
        self.times.push(took);
        let javascript = match contents {
            Ok(contents) => {
                self.unpacked_bytes += contents.size.bytes;
                self.javascript_bytes += contents.size.javascript_bytes;
                self.flows += contents.flows.len();
                self.unread += contents.unread.len();
                if show.flows {
                    print_flows(path, &contents);
                }
                if show.facts {
                    println!("{}", serde_json::to_string(&contents).unwrap_or_default());
                }
                contents.size.javascript_bytes
            }
            Err(why) => {
                self.failed += 1;
                eprintln!("{}: {why}", path.display());
                0
            }
        };
        if show.each {
            let milliseconds = took.as_secs_f64() * 1e3;
            println!(
                "{milliseconds:10.3} ms {javascript:10} bytes of JavaScript  {}",
                path.display()
            );
        }
        Ok(())
    }

    /// The time that this share of the tarballs stays within, in milliseconds.
    fn quantile(&mut self, share: f64) -> f64 {
        self.times.sort_unstable();
        let last = self.times.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.times
            .get(at)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }

    fn into_json(mut self) -> serde_json::Value {
        let seconds: f64 = self.times.iter().map(Duration::as_secs_f64).sum();
        serde_json::json!({
            "packages": self.packages,
            "failed": self.failed,
            "packed_bytes": self.packed_bytes,
            "unpacked_bytes": self.unpacked_bytes,
            "javascript_bytes": self.javascript_bytes,
            "flows": self.flows,
            "unread": self.unread,
            "seconds": seconds,
            "javascript_mb_per_second": self.javascript_bytes as f64 / 1e6 / seconds,
            "unpacked_mb_per_second": self.unpacked_bytes as f64 / 1e6 / seconds,
            "p50_ms": self.quantile(0.5),
            "p90_ms": self.quantile(0.9),
            "p99_ms": self.quantile(0.99),
            "max_ms": self.quantile(1.0),
            "peak_rss_bytes": peak_rss(),
        })
    }
}

/// What is printed beside the sums.
#[derive(Clone, Copy, Default)]
struct Show {
    /// One line per tarball.
    each: bool,
    /// Every flow, and what was not read for another reason than the file.
    flows: bool,
    /// Everything that is kept, as JSON: to compare two builds.
    facts: bool,
}

fn print_flows(path: &Path, contents: &Contents) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    for flow in &contents.flows {
        let (from, to) = (&flow.source_place, &flow.sink_place);
        println!(
            "flow {name} {:?} {:?} {} {}:{} -> {:?} {} {}:{}",
            flow.surface,
            flow.source,
            flow.source_detail,
            from.path,
            from.line,
            flow.sink,
            flow.sink_detail,
            to.path,
            to.line
        );
        println!("    {}\n    {}", from.snippet, to.snippet);
    }
    for one in &contents.unread {
        println!("unread {name} {}: {}", one.path, one.why);
    }
}

/// The most memory this process has held, in bytes; absent where the system does not say.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn tarballs(path: PathBuf, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        found.push(path);
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(path)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    inside.retain(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    inside.sort();
    found.append(&mut inside);
    Ok(())
}

fn main() -> std::io::Result<()> {
    keep_freed_memory();
    let mut show = Show::default();
    let mut found = Vec::new();
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--each" {
            show.each = true;
        } else if argument == "--flows" {
            show.flows = true;
        } else if argument == "--facts" {
            show.facts = true;
        } else if argument == "--list" {
            let list = arguments.next().unwrap_or_default();
            for line in std::fs::read_to_string(list)?.lines() {
                tarballs(line.into(), &mut found)?;
            }
        } else {
            tarballs(argument.into(), &mut found)?;
        }
    }
    let sums = Analyst::employ(weir_js::Limits::default(), |analyst| {
        let mut sums = Sums::default();
        for path in found {
            sums.add(&path, show, analyst)?;
        }
        std::io::Result::Ok(sums)
    })??;
    println!("{}", sums.into_json());
    Ok(())
}
