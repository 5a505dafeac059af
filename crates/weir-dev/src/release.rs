//! `cargo dev release`: weir as it is meant to be handed out, optimised by a profile of its own work.
//!
//! A compiler guesses which way a branch mostly goes; a profile tells it. weir is built so that it counts,
//! installs the example project and reads what that consists of and the corpus, and is built again with the counts
//! (profile-guided optimisation, see the chapter of that name in the rustc book). What it was trained on is
//! no part of what the benchmarks read. Everything is under `target/release-profiled`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::{corpus, files, programs};

/// What rustup calls the part of Rust that `llvm-profdata` is in.
const COMPONENT: &str = "llvm-tools";

/// How often the example is installed: from the registry, then from what weir has kept.
const INSTALLS: usize = 2;

pub(crate) fn run() -> anyhow::Result<()> {
    programs::version_of("node")?;
    programs::version_of("npm")?;
    let rust = Rust::found()?;
    let merger = rust.merger()?;
    let folder = files::root().join("target/release-profiled");
    let counts = folder.join("counts");
    files::clear(&counts)?;
    println!("Building weir so that it counts (some minutes)");
    let counting = rust.build(&folder, &format!("-Cprofile-generate={}", counts.display()))?;
    println!("Installing examples/storefront through it, and reading its packages");
    train(&counting, &folder.join("training"))?;
    let profile = folder.join("weir.profdata");
    merge(&merger, &counts, &profile)?;
    println!("Building weir with what was counted (some minutes)");
    let built = rust.build(&folder, &format!("-Cprofile-use={}", profile.display()))?;
    for program in [&built.weir, &built.contents] {
        let name = program.file_name().context("a program without a name")?;
        let to = folder.join(name);
        std::fs::copy(program, &to).with_context(|| format!("copying to {}", to.display()))?;
        println!("{}", to.display());
    }
    Ok(())
}

/// What is built.
struct Built {
    weir: PathBuf,
    /// Reads tarballs in one process, as a worker does (`crates/weir-engine/examples/contents.rs`).
    contents: PathBuf,
}

/// The compiler that builds it.
struct Rust {
    /// The machine it builds for, as it calls that.
    host: String,
    sysroot: PathBuf,
}

impl Rust {
    fn found() -> anyhow::Result<Self> {
        let version = asked("rustc", &["-vV"])?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(Self {
            host: host.context("rustc -vV names no host")?.to_owned(),
            sysroot: PathBuf::from(asked("rustc", &["--print", "sysroot"])?.trim()),
        })
    }

    /// The program that makes a profile of counts; has rustup fetch it where it is missing.
    fn merger(&self) -> anyhow::Result<PathBuf> {
        let name = format!("llvm-profdata{}", std::env::consts::EXE_SUFFIX);
        let path = self
            .sysroot
            .join("lib/rustlib")
            .join(&self.host)
            .join("bin")
            .join(name);
        if !path.is_file() {
            println!("Fetching {COMPONENT} with rustup");
            asked("rustup", &["component", "add", COMPONENT]).with_context(|| {
                format!("llvm-profdata is needed: `rustup component add {COMPONENT}` brings it")
            })?;
        }
        ensure!(path.is_file(), "{} is still missing", path.display());
        Ok(path)
    }

    /// Builds with one more flag. The target is named so that build scripts and macros go without.
    fn build(&self, folder: &Path, flag: &str) -> anyhow::Result<Built> {
        let others = std::env::var("RUSTFLAGS").unwrap_or_default();
        let status = programs::cargo()
            .args([
                "build",
                "--release",
                "--locked",
                "--package=weir",
                "--package=weir-engine",
            ])
            .args([
                "--bin=weir",
                "--example=contents",
                "--target",
                &self.host,
                "--target-dir",
            ])
            .arg(folder)
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", encoded(&others, flag))
            .stdin(Stdio::null())
            .status()
            .context("running cargo build")?;
        ensure!(status.success(), "weir could not be built with {flag}");
        let programs = folder.join(&self.host).join("release");
        let program = |path: &str| {
            programs
                .join(path)
                .with_extension(std::env::consts::EXE_EXTENSION)
        };
        Ok(Built {
            weir: program("weir"),
            contents: program("examples/contents"),
        })
    }
}

/// Flags in the form that keeps spaces in paths: cargo's own is divided by them.
fn encoded(others: &str, flag: &str) -> String {
    let flags: Vec<&str> = others.split_whitespace().chain([flag]).collect();
    flags.join("\u{1f}")
}

/// Has weir do what it mostly does. A worker process may write no files, its counts included, so that what it
/// does is done once more by a process that may.
fn train(built: &Built, folder: &Path) -> anyhow::Result<()> {
    files::clear(folder)?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("weir.toml"), "# The defaults.\n")?;
    for _ in 0..INSTALLS {
        let project = folder.join("storefront");
        files::clear(&project)?;
        files::clear(&folder.join("npm-cache"))?;
        files::copy_project(&files::root().join("examples/storefront"), &project)?;
        let status = programs::weir(&built.weir, folder, "data", &project)
            .args(["npm", "ci", "--ignore-scripts"])
            .status()
            .context("running weir")?;
        ensure!(status.success(), "weir npm ci ended with {status}");
    }
    let mut tarballs = Vec::new();
    collect(&folder.join("data"), &mut tarballs)?;
    ensure!(!tarballs.is_empty(), "weir npm ci kept no tarball to read");
    let imitations = folder.join("corpus");
    pack(&imitations)?;
    collect(&imitations, &mut tarballs)?;
    let listed = folder.join("tarballs.txt");
    std::fs::write(&listed, tarballs.join("\n"))?;
    let status = Command::new(&built.contents)
        .arg("--list")
        .arg(&listed)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("running contents")?;
    ensure!(status.success(), "reading the packages ended with {status}");
    Ok(())
}

/// Makes tarballs of the corpus: nothing else does so much of what weir looks for.
fn pack(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for sample in corpus::every(&files::root())? {
        for (style, files) in &sample.variants {
            let package = corpus::package(&sample, files)?;
            std::fs::write(folder.join(sample.archive(*style)), package.tarball)?;
        }
    }
    Ok(())
}

/// The tarballs in a folder and all below.
fn collect(folder: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "tgz") {
            found.push(path.to_str().context("a path that is no UTF-8")?.to_owned());
        }
    }
    Ok(())
}

/// One profile of all counts. What a worker could not write is empty, and left out.
fn merge(merger: &Path, counts: &Path, profile: &Path) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(counts).context("weir wrote no counts")?;
    let mut written = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.metadata()?.len() > 0 {
            written.push(entry.path());
        }
    }
    ensure!(
        !written.is_empty(),
        "weir wrote no counts to {}",
        counts.display()
    );
    let status = Command::new(merger)
        .args(["merge", "--sparse", "--output"])
        .arg(profile)
        .args(&written)
        .status()
        .context("running llvm-profdata")?;
    ensure!(status.success(), "llvm-profdata ended with {status}");
    Ok(())
}

/// What a program says on standard output.
fn asked(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(files::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("running {program}"))?;
    ensure!(
        output.status.success(),
        "{program} {} failed",
        arguments.join(" ")
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_joins_those_that_the_builder_set_and_keeps_its_spaces() {
        assert_eq!(encoded("", "-Cprofile-use=/a b/c"), "-Cprofile-use=/a b/c");
        assert_eq!(
            encoded(" -Cx  -Cy ", "-Cz=/a b"),
            "-Cx\u{1f}-Cy\u{1f}-Cz=/a b"
        );
    }

    #[test]
    fn counts_that_nobody_wrote_make_no_profile() {
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("profile");
        let nothing = Path::new("no-merger");
        assert!(merge(nothing, &folder.path().join("none"), &profile).is_err());
        std::fs::write(folder.path().join("empty.profraw"), "").unwrap();
        let error = merge(nothing, folder.path(), &profile).unwrap_err();
        assert!(error.to_string().contains("wrote no counts"), "{error}");
    }

    #[test]
    fn tarballs_are_found_wherever_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        for name in ["a/b/one.tgz", "two.tgz", "a/weir.db"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut found = Vec::new();
        collect(folder.path(), &mut found).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
