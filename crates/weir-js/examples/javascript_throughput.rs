//! Measures the analysis of folders: every folder given is one package. Beside it, what the parser alone does with
//! the same files, which is more than any analysis that parses can do.
//!
//! `cargo run --release -p weir-js --example javascript_throughput -- folder...`

use std::path::{Path, PathBuf};
use std::time::Instant;

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;
use weir_js::{Limits, Package, SourceFile, analyse};
use weir_npm::manifest::Manifest;

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The parts of a manifest that say how code is run.
fn manifest(folder: &Path) -> Manifest {
    let text = std::fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let strings = |key: &str| {
        json.get(key)
            .and_then(|value| value.as_object())
            .map(|map| {
                map.iter()
                    .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                    .collect()
            })
            .unwrap_or_default()
    };
    Manifest {
        main: json
            .get("main")
            .and_then(|main| main.as_str())
            .map(str::to_owned),
        scripts: strings("scripts"),
        bin: strings("bin"),
        ..Manifest::default()
    }
}

/// Bytes of the scripts and modules among the files that parse without an error, and the seconds that took.
fn parser_alone(files: &[SourceFile<'_>]) -> (usize, f64) {
    let mut allocator = Allocator::default();
    let (mut bytes, mut seconds) = (0, 0.0);
    for file in files {
        let Ok(source_type) = SourceType::from_path(file.path) else {
            continue;
        };
        let Ok(text) = std::str::from_utf8(file.bytes) else {
            continue;
        };
        if source_type.is_typescript() {
            continue;
        }
        allocator.reset();
        let start = Instant::now();
        let parsed = Parser::new(&allocator, text, source_type).parse();
        let took = start.elapsed().as_secs_f64();
        if parsed.diagnostics.is_empty() {
            bytes += text.len();
            seconds += took;
        }
    }
    (bytes, seconds)
}

fn main() {
    let (mut total_bytes, mut total_time) = (0, 0.0);
    let (mut parsed_bytes, mut parsed_time) = (0, 0.0);
    for folder in std::env::args().skip(1).map(PathBuf::from) {
        let mut paths = Vec::new();
        collect(&folder, &mut paths);
        let contents: Vec<(String, Vec<u8>)> = paths
            .iter()
            .filter_map(|path| {
                let name = path
                    .strip_prefix(&folder)
                    .ok()?
                    .to_string_lossy()
                    .into_owned();
                Some((name, std::fs::read(path).ok()?))
            })
            .collect();
        let files: Vec<SourceFile> = contents
            .iter()
            .map(|(path, bytes)| SourceFile { path, bytes })
            .collect();
        let (bytes, seconds) = parser_alone(&files);
        parsed_bytes += bytes;
        parsed_time += seconds;
        let manifest = manifest(&folder);
        let package = Package::new(&files, &manifest);
        let start = Instant::now();
        let facts = analyse(&package, &Limits::default());
        let seconds = start.elapsed().as_secs_f64();
        let megabytes = facts.javascript_bytes as f64 / 1e6;
        total_bytes += facts.javascript_bytes;
        total_time += seconds;
        println!(
            "{:<40} {megabytes:7.2} MB {:5} files {:4} in flow {:7.1} MB/s flows {} unread {}",
            folder.display(),
            facts.files_parsed,
            facts.files_in_flow,
            megabytes / seconds,
            facts.flows.len(),
            facts.unread.len(),
        );
        for flow in &facts.flows {
            println!(
                "    {:?} {} {}:{} -> {} {}:{} ({:?})",
                flow.source,
                flow.source_detail,
                flow.source_place.path,
                flow.source_place.line,
                flow.sink_detail,
                flow.sink_place.path,
                flow.sink_place.line,
                flow.surface
            );
        }
        for one in &facts.unread {
            println!(
                "    unread{} {}: {}",
                if one.suspicious { "!" } else { "" },
                one.path,
                one.why
            );
        }
    }
    println!("all: {:.1} MB/s", total_bytes as f64 / 1e6 / total_time);
    println!(
        "the parser alone: {:.1} MB/s of {:.1} MB",
        parsed_bytes as f64 / 1e6 / parsed_time,
        parsed_bytes as f64 / 1e6
    );
}
