//! Lists what lies in tarballs beside readable code: binaries, hidden text, obfuscated files. For
//! looking at false alarms: one line per fact, then how many tarballs have which.
//!
//! `cargo run -p weir-engine --example inventory -- <folder or file.tgz>...`

use std::collections::BTreeMap;
use std::path::PathBuf;

use weir_engine::worker::contents::of_tarball;

fn main() -> std::io::Result<()> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for argument in std::env::args_os().skip(1) {
        let mut found: Vec<PathBuf> = vec![argument.into()];
        while let Some(path) = found.pop() {
            if path.is_dir() {
                for entry in std::fs::read_dir(path)? {
                    found.push(entry?.path());
                }
                continue;
            }
            let bytes = std::fs::read(&path)?;
            let Ok(contents) = of_tarball(&bytes, &weir_archive::Limits::default()) else {
                continue;
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let mut count = |what, any: bool| *counts.entry(what).or_default() += u64::from(any);
            count("packages", true);
            count("binaries", !contents.binaries.is_empty());
            count("hidden", !contents.hidden.is_empty());
            count("obfuscated", !contents.obfuscated.is_empty());
            count("sketch", contents.sketch.is_some());
            count("files left out", contents.files_left_out > 0);
            for one in &contents.binaries {
                println!(
                    "{name}: binary {:?} disguise {:?} usual {} {} bytes {}",
                    one.format, one.disguise, one.usual_place, one.bytes, one.path
                );
            }
            for one in &contents.hidden {
                println!(
                    "{name}: hidden {:?} {} {:?} {}:{} {}",
                    one.kind,
                    one.length,
                    one.surface,
                    one.place.path,
                    one.place.line,
                    one.place.snippet
                );
            }
            for one in &contents.obfuscated {
                println!(
                    "{name}: obfuscated {:?} {:?} {}:{} {}",
                    one.surface, one.criteria, one.place.path, one.place.line, one.place.snippet
                );
            }
        }
    }
    println!("{counts:?}");
    Ok(())
}
