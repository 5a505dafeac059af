//! Says what is hidden or obfuscated in files, and how fast each look is.
//!
//! `cargo run --release -p weir-files --example measure -- [--quiet] <file>...`

use std::time::{Duration, Instant};

use weir_files::sketch::Sketcher;
use weir_files::{digest_of, hidden, obfuscation};

fn main() -> std::io::Result<()> {
    let quiet = std::env::args().any(|argument| argument == "--quiet");
    let mut bytes = 0;
    let mut times = [Duration::ZERO; 4];
    for path in std::env::args_os()
        .skip(1)
        .filter(|argument| argument != "--quiet")
    {
        let text = std::fs::read(&path)?;
        bytes += text.len();
        let start = Instant::now();
        let found = hidden::scan(&text);
        let after_hidden = Instant::now();
        let measured = obfuscation::measure(&text);
        let after_measure = Instant::now();
        let mut sketcher = Sketcher::default();
        sketcher.add(&text);
        let sketch = sketcher.finish();
        let after_sketch = Instant::now();
        let digest = digest_of(&text);
        let end = Instant::now();
        for (time, (from, to)) in times.iter_mut().zip([
            (start, after_hidden),
            (after_hidden, after_measure),
            (after_measure, after_sketch),
            (after_sketch, end),
        ]) {
            *time += to - from;
        }
        if !quiet {
            let path = path.display();
            let criteria = measured.map_or_else(Vec::new, |measured| measured.criteria);
            let pieces = sketch.map_or(0, |sketch| sketch.pieces);
            println!(
                "{path} {digest} {pieces} pieces, hidden {}, obfuscated {criteria:?}",
                found.len()
            );
        }
    }
    for (name, time) in ["hidden", "obfuscation", "sketch", "digest"]
        .iter()
        .zip(times)
    {
        let speed = bytes as f64 / 1e6 / time.as_secs_f64();
        println!("{name}: {speed:.0} MB/s over {bytes} bytes");
    }
    Ok(())
}
