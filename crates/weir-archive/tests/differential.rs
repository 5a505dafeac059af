//! Against npm's own extractor: whatever it installs, this reader delivers, and an archive that this
//! reader finds nothing ambiguous in is installed by npm exactly as delivered.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{BLOCK, END, Files, Header, Random, differential, file, gzip, read_all, verdict};
use weir_archive::Limits;

/// Extracts every archive of a folder with the options and the filter of npm (pacote), but for the
/// renaming of `.gitignore`, and prints for each whether npm would have gone through with it.
const EXTRACT: &str = r"
const [module, from, to] = process.argv.slice(1);
const tar = require(module), fs = require('fs'), path = require('path');
let crashed = () => {};
process.on('uncaughtException', error => crashed('refused, crashed: ' + error.message));
(async () => {
  for (const name of fs.readdirSync(from).sort()) {
    const cwd = path.join(to, name);
    fs.mkdirSync(cwd);
    const fate = await new Promise(done => {
      crashed = done;
      const filter = (_, entry) => !/Link$/.test(entry.type) && /File$/.test(entry.type);
      const x = tar.x({ cwd, strip: 1, filter, noChmod: true, noMtime: true, preserveOwner: false,
        onwarn: () => {} });
      x.on('error', error => done('refused ' + error.message));
      x.on('end', () => done('ok'));
      try { x.end(fs.readFileSync(path.join(from, name))); } catch (error) { done('refused ' + error); }
    });
    console.log(name + '\t' + fate.replace(/\s+/g, ' '));
  }
})();
";

/// What npm made of one archive.
struct Npm {
    refused: Option<String>,
    files: BTreeMap<String, Vec<u8>>,
}

/// `None`, with a message, where node or npm are not installed.
fn npm_extracts(archives: &[(String, Vec<u8>)]) -> Option<Vec<Npm>> {
    let root = match Command::new("npm").args(["root", "--global"]).output() {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => {
            println!("skipped: npm is not installed");
            return None;
        }
    };
    let module = PathBuf::from(root.trim()).join("npm/node_modules/tar");
    if !module.is_dir() || Command::new("node").arg("--version").output().is_err() {
        println!("skipped: node or npm's tar module is not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::create_dir(&from).unwrap();
    std::fs::create_dir(&to).unwrap();
    for (name, bytes) in archives {
        std::fs::write(from.join(name), bytes).unwrap();
    }
    let output = Command::new("node")
        .args(["-e", EXTRACT])
        .args([&module, &from, &to])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let fates: BTreeMap<String, String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, fate)| (name.to_owned(), fate.to_owned()))
        .collect();
    let npm = archives.iter().map(|(name, _)| {
        let mut files = BTreeMap::new();
        collect(&to.join(name), &to.join(name), &mut files);
        let fate = &fates[name];
        Npm {
            refused: (fate != "ok").then(|| fate.clone()),
            files,
        }
    });
    Some(npm.collect())
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

/// The promise of this crate, for one archive.
fn compare(name: &str, packed: &[u8], npm: &Npm) {
    let (archive, files) = read_all(packed, &Limits::default());
    let verdict = verdict(&archive);
    if !archive.is_ambiguous() {
        assert_eq!(
            npm.refused, None,
            "{name}: npm refuses it, and we say {verdict:?}"
        );
        let ours: BTreeMap<String, Vec<u8>> = files.iter().cloned().collect();
        assert_eq!(ours, npm.files, "{name}: {verdict:?}");
    }
    if npm.refused.is_none() && archive.ended.is_ok() {
        assert_delivered(name, &npm.files, &files, &verdict);
    }
}

fn assert_delivered(
    name: &str,
    installed: &BTreeMap<String, Vec<u8>>,
    delivered: &Files,
    verdict: &[String],
) {
    for (path, data) in installed {
        let found = delivered
            .iter()
            .any(|(other, bytes)| other == path && bytes == data);
        let paths: Vec<&str> = delivered.iter().map(|(path, _)| path.as_str()).collect();
        assert!(
            found,
            "{name}: npm installs {path:?}, we deliver {paths:?}; {verdict:?}"
        );
    }
}

#[test]
fn npm_installs_nothing_that_is_not_delivered_or_refused() {
    let archives: Vec<(String, Vec<u8>)> = differential()
        .into_iter()
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect();
    let Some(npm) = npm_extracts(&archives) else {
        return;
    };
    for ((name, bytes), npm) in archives.iter().zip(&npm) {
        compare(name, bytes, npm);
    }
    // Guards against a script that extracts nothing at all.
    assert_eq!(npm[0].files.len(), 2);
    assert_eq!(npm[3].files["evil.js"], b"EVIL");
}

/// How many damaged archives are tried; more with this environment variable.
const ROUNDS: usize = 400;
const ROUNDS_VARIABLE: &str = "WEIR_ARCHIVE_DIFFERENTIAL_ROUNDS";

#[test]
fn damaged_archives_are_read_as_npm_reads_them_or_refused() {
    let rounds = std::env::var(ROUNDS_VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let archives: Vec<(String, Vec<u8>)> = (0..rounds)
        .map(|seed| (format!("{seed:06}"), damaged(seed as u64 + 1)))
        .collect();
    let Some(npm) = npm_extracts(&archives) else {
        return;
    };
    for ((name, bytes), npm) in archives.iter().zip(&npm) {
        compare(name, bytes, npm);
    }
}

/// An archive of a few entries with a few odd fields, checksums right for the most part.
fn damaged(seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    random.below(2);
    let mut tar = Vec::new();
    for index in 0..2 + random.below(4) {
        tar.extend(odd_entry(&mut random, index));
        if random.below(12) == 0 {
            tar.extend([0; BLOCK]);
        }
    }
    tar.extend(file("package/last.js", b"LAST"));
    match random.below(10) {
        0 => tar.extend([0; BLOCK]),
        1 => tar.truncate(tar.len() - 700),
        2 => {}
        _ => tar.extend(END),
    }
    let mut packed = gzip(&tar);
    if random.below(12) == 0 {
        packed.extend([0, 0, 0]);
    }
    packed
}

fn pick<'a>(random: &mut Random, choices: &[&'a [u8]]) -> &'a [u8] {
    choices[random.below(choices.len() as u64) as usize]
}

/// One entry with up to two oddities.
fn odd_entry(random: &mut Random, index: u64) -> Vec<u8> {
    const NAMES: &[&[u8]] = &[
        b"package/lib/a.js",
        b"package//b.js",
        b"./package/c.js",
        b"package/./d.js",
        b"package/C:e.js",
        b"package/f.js/",
        b"package/last.js/deeper.js",
        b"package/../g.js",
        b"package/LAST.js",
        b"package/last.js",
        b"lone.js",
        b"",
        b"package/h\xe9.js",
        b"package/i.js\0junk",
        b"package/j.js\0junk\nmore",
        b"package/k\\l.js",
        b"other/m.js",
    ];
    const KINDS: &[&[u8]] = &[
        b"0", b"\0", b"1", b"2", b"3", b"5", b"6", b"7", b"D", b"S", b"Z", b"x", b"g", b"L", b"K",
        b"N", b"X", b"\xc0",
    ];
    const SIZES: &[&[u8]] = &[
        b"00000000000\0",
        b"00000002000\0",
        b"         4 \0",
        b"4\0\0\0\0\0\0\0\0\0\0\0",
        b"\0\0\0\0\0\0\0\0\0\0\x004",
        b"-0000000004\0",
        b"000000004x \0",
        b"\x80\0\0\0\0\0\0\0\0\0\0\x04",
        b"\x81\0\0\0\0\0\0\0\0\0\0\x04",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0",
    ];
    const MAGICS: &[&[u8]] = &[b"\0\0\0\0\0\0\0\0", b"ustar  \0", b"ustar\0\0\0"];
    const PAX: &[&[u8]] = &[
        b"23 path=package/pax.js\n",
        b"10 size=4\n",
        b"10 size=0\n",
        b"20 mtime=1700000000\n",
        b"24 linkpath=../../../..\n",
        b"23 path=package/pax.js\n13 size=1024\n",
        b"9 path=\n\n",
        b"99 path=package/pax.js\n",
    ];
    let data = format!("contents {index}");
    let name = format!("package/{index}.js");
    let mut header = Header::file(name.as_bytes(), data.len());
    let mut body = data.into_bytes();
    for _ in 0..random.below(3) {
        header = match random.below(10) {
            0 | 1 => header.put(0, &[0; 100]).put(0, pick(random, NAMES)),
            2 | 3 => header.put(156, pick(random, KINDS)),
            4 => header.put(124, pick(random, SIZES)),
            5 => header.put(257, pick(random, MAGICS)),
            6 => header.prefix(b"package/folder"),
            7 => header.link(b"target"),
            8 => header.wrong_checksum(),
            _ => {
                body = pick(random, PAX).to_vec();
                let size = format!("{:011o}\0", body.len());
                let kind = pick(random, &[b"x", b"x", b"x", b"g", b"L"]);
                header.put(124, size.as_bytes()).put(156, kind)
            }
        };
    }
    header.with(&body)
}
