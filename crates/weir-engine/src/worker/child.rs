//! The worker's side: read a job, look, answer, until the gateway hangs up.

use std::io::{self, Read, Write};

use weir_files::rules::{RuleSet, Sources};
use weir_js::Analyst;

use super::contents;
use super::limits::{self, WorkerLimits};
use super::protocol::{self, Answer, Job, Misbehaviour};

/// What the worker command was started with.
#[derive(Debug, Clone, Copy)]
pub struct WorkerOptions {
    /// Limits to live under.
    pub limits: WorkerLimits,
    /// Most bytes a tarball may unpack to.
    pub unpacked_bytes: u64,
    /// Most files a tarball may hold.
    pub files: u64,
    /// Whether jobs may order a misbehaviour. For tests only.
    pub may_misbehave: bool,
}

/// Serves jobs from standard input until it ends.
///
/// # Errors
/// When limits cannot be set or a frame is broken.
pub fn run(options: WorkerOptions) -> io::Result<()> {
    limits::apply(options.limits)?;
    Analyst::employ(weir_js::Limits::default(), |analyst| {
        serve(options, analyst)
    })?
}

fn serve(options: WorkerOptions, analyst: &mut Analyst) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut rules = None;
    while let Some(frame) = protocol::read_frame(&mut input, protocol::FRAME_LIMIT)? {
        let job: Job = serde_json::from_slice(&frame)?;
        if matches!(job, Job::Rules) {
            rules = Some(read_rules(&mut input)?);
            continue;
        }
        let answer = answer(
            job,
            &mut input,
            &mut output,
            options,
            rules.as_ref(),
            analyst,
        )?;
        protocol::write_frame(&mut output, &serde_json::to_vec(&answer)?)?;
    }
    Ok(())
}

/// Compiles the rules in the next frame, once for all jobs. The gateway has compiled them before, so
/// a failure is none of the operator's making.
fn read_rules(input: &mut impl Read) -> io::Result<RuleSet> {
    let frame =
        protocol::read_frame(input, protocol::FRAME_LIMIT)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let sources: Sources = serde_json::from_slice(&frame)?;
    RuleSet::compile(&sources).map_err(io::Error::other)
}

fn answer(
    job: Job,
    input: &mut impl Read,
    output: &mut impl Write,
    options: WorkerOptions,
    rules: Option<&RuleSet>,
    analyst: &mut Analyst,
) -> io::Result<Answer> {
    let result = match job {
        Job::Tarball => {
            let bytes = protocol::read_frame(input, protocol::FRAME_LIMIT)?
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            let limits = weir_archive::Limits {
                unpacked_bytes: options.unpacked_bytes,
                entries: options.files,
                ..weir_archive::Limits::default()
            };
            contents::of_tarball_with(&bytes, &limits, rules, analyst)
        }
        Job::Folder(path) => contents::of_folder(&path, rules, analyst),
        Job::Rules => Err("rules are no job of their own".to_owned()),
        Job::Misbehave(how) if options.may_misbehave => return misbehave(how, output),
        Job::Misbehave(_) => Err("this worker does not misbehave on order".to_owned()),
    };
    Ok(match result {
        Ok(contents) => Answer::Contents(Box::new(contents)),
        Err(why) => Answer::Failed(why),
    })
}

/// Goes wrong as ordered, the way hostile input would make it go wrong.
fn misbehave(how: Misbehaviour, output: &mut impl Write) -> io::Result<Answer> {
    match how {
        Misbehaviour::Crash => std::process::abort(),
        Misbehaviour::Hang => loop {
            std::thread::park();
        },
        Misbehaviour::EatMemory => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 16 << 20]);
            }
        }
        Misbehaviour::OverflowStack => Ok(Answer::Failed(descend(1).to_string())),
        Misbehaviour::Babble => {
            output.write_all(b"\x05\x00\x00\x00hello")?;
            Ok(Answer::Failed("babbled".to_owned()))
        }
    }
}

#[expect(unconditional_recursion, reason = "this is how a stack overflows")]
fn descend(depth: u64) -> u64 {
    let pad = [depth; 64];
    std::hint::black_box(&pad);
    descend(depth + 1) + pad.iter().sum::<u64>()
}
