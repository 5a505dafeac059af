//! Reads tarballs again and again, prints megabytes per second and which rules they break:
//! `cargo run --release -p weir-archive --example throughput -- <rounds> <file.tgz>...`

use std::collections::BTreeMap;
use std::time::Instant;

use weir_archive::{Entry, File, Limits, Visitor, read};

/// What an analyser keeps: sources and manifests.
struct Sources {
    wants_none: bool,
    bytes: u64,
}

impl Visitor for Sources {
    fn wants(&mut self, file: &File<'_>) -> bool {
        !self.wants_none
            && [".js", ".mjs", ".cjs", ".json"]
                .iter()
                .any(|end| file.path.ends_with(end))
    }

    fn entry(&mut self, entry: Entry<'_>) {
        self.bytes += entry.data().map_or(0, |data| data.len() as u64);
    }
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments
        .next()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(1);
    let packed = arguments
        .map(std::fs::read)
        .collect::<Result<Vec<_>, _>>()?;
    for wants_none in [true, false] {
        let (mut read_bytes, mut unpacked, mut files, mut ambiguous) = (0, 0, 0, 0);
        let mut sources = Sources {
            wants_none,
            bytes: 0,
        };
        let start = Instant::now();
        for _ in 0..rounds {
            for archive in &packed {
                let archive = read(&archive[..], &Limits::default(), &mut sources);
                read_bytes += archive.packed_bytes;
                unpacked += archive.unpacked_bytes;
                files += archive.files;
                ambiguous += u64::from(archive.is_ambiguous());
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{}: {files} files, {ambiguous} ambiguous, {:.0} MB/s in, {:.0} MB/s out",
            if wants_none { "heads" } else { "sources" },
            read_bytes as f64 / 1e6 / seconds,
            unpacked as f64 / 1e6 / seconds,
        );
    }
    let mut rules = BTreeMap::<String, u64>::new();
    for archive in &packed {
        let archive = read(&archive[..], &Limits::default(), &mut |_: Entry<'_>| {});
        for violation in archive.into_violations() {
            *rules.entry(violation.rule).or_default() += 1;
        }
    }
    println!("{rules:?}");
    Ok(())
}
