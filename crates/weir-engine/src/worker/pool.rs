//! The gateway's side: a few worker processes, each busy with one package at a time.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, Semaphore};
use weir_model::Contents;

use super::patience;
use super::protocol::{ANSWER_LIMIT, Answer, Job};

/// How to start a worker: the program and its arguments.
#[derive(Debug, Clone)]
pub struct WorkerProgram {
    /// The program, normally this one.
    pub program: PathBuf,
    /// Its arguments, normally `worker` and the limits.
    pub arguments: Vec<String>,
}

impl WorkerProgram {
    /// This same program, with its hidden `worker` command.
    ///
    /// # Errors
    /// When the path of the running program is not known.
    pub fn this_program(limits: &weir_policy::config::Limits) -> std::io::Result<Self> {
        let arguments = vec![
            "worker".to_owned(),
            format!("--memory={}", limits.worker_memory.bytes()),
            format!("--unpacked={}", limits.unpacked_size.bytes()),
            format!("--files={}", limits.files),
        ];
        Ok(Self {
            program: std::env::current_exe()?,
            arguments,
        })
    }
}

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A client does.
    Foreground,
    /// Nobody does: the release is served already or was never asked for.
    Background,
}

/// A few worker processes, started when first needed and ended when idle for long. There are two sets
/// of them: those that a client waits for, and those nobody waits for, which run at a lower priority
/// so that they take only what clients leave over.
#[derive(Debug)]
pub struct WorkerPool {
    program: WorkerProgram,
    /// The operator's own rules, which every new worker is given first; empty where there are none.
    rules: Bytes,
    foreground: Lane,
    background: Lane,
    deadline: Deadline,
}

/// One set of workers.
#[derive(Debug)]
struct Lane {
    /// One permit per worker process that may run at a time.
    permits: Semaphore,
    idle: Mutex<Vec<Worker>>,
    arguments: &'static [&'static str],
}

impl Lane {
    fn new(size: usize, arguments: &'static [&'static str]) -> Self {
        Self {
            permits: Semaphore::new(size),
            idle: Mutex::default(),
            arguments,
        }
    }
}

/// How long one package may take, in processor time where the system tells it.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// For any package.
    pub base: Duration,
    /// More, for each megabyte of tarball.
    pub per_megabyte: Duration,
}

impl Deadline {
    fn for_bytes(self, bytes: usize) -> Duration {
        let megabytes = u32::try_from(bytes >> 20).unwrap_or(u32::MAX);
        self.base + self.per_megabyte.saturating_mul(megabytes)
    }
}

#[derive(Debug)]
struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    used: tokio::time::Instant,
    /// Whether it has done a job before.
    has_read: bool,
}

/// Idle workers are ended after this long, so that an idle service is small.
const IDLE: Duration = Duration::from_secs(20);

impl WorkerPool {
    /// A pool of at most `size` workers.
    #[must_use]
    pub fn new(program: WorkerProgram, size: usize, deadline: Deadline) -> Arc<Self> {
        Self::with_rules(program, size, deadline, Bytes::new())
    }

    /// The same, where every worker is given the operator's own rules first: what
    /// [`weir_files::rules::Sources`] is as JSON, or nothing.
    #[must_use]
    pub fn with_rules(
        program: WorkerProgram,
        size: usize,
        deadline: Deadline,
        rules: Bytes,
    ) -> Arc<Self> {
        let size = size.max(1);
        Arc::new(Self {
            program,
            rules,
            foreground: Lane::new(size, &[]),
            background: Lane::new(size, &["--background"]),
            deadline,
        })
    }

    /// The facts about a tarball, or why there are none.
    ///
    /// # Errors
    /// A sentence for the assessment's list of what could not be checked.
    pub async fn tarball(
        self: &Arc<Self>,
        tarball: Bytes,
        priority: Priority,
    ) -> Result<Contents, String> {
        self.run(Job::Tarball, Some(tarball), priority).await
    }

    /// The facts about a folder, or why there are none.
    ///
    /// # Errors
    /// A sentence for the assessment's list of what could not be checked.
    pub async fn folder(self: &Arc<Self>, folder: PathBuf) -> Result<Contents, String> {
        self.run(Job::Folder(folder), None, Priority::Foreground)
            .await
    }

    /// Runs one job on a worker and gives the worker back if it is still sound.
    ///
    /// # Errors
    /// A sentence saying how the worker failed.
    pub async fn run(
        self: &Arc<Self>,
        job: Job,
        tarball: Option<Bytes>,
        priority: Priority,
    ) -> Result<Contents, String> {
        let lane = self.lane(priority);
        let permit = lane.permits.acquire().await;
        let _permit = permit.map_err(|_| "the service is ending".to_owned())?;
        let worker = self.take(lane).await?;
        // What a worker has read before takes some of its memory: of one that ended it is not known whether this job
        // or those before it were too much, so that a new one has to tell.
        let had_others = worker.has_read;
        match self.ask(worker, &job, tarball.as_ref(), priority).await {
            Err(Failure::Ended(_)) if had_others => {
                let worker = self.start(lane).await?;
                let answer = self.ask(worker, &job, tarball.as_ref(), priority).await;
                answer.map_err(Failure::into_words)?
            }
            answer => answer.map_err(Failure::into_words)?,
        }
    }

    /// Has a worker do one job, and gives it back if it is still sound.
    async fn ask(
        self: &Arc<Self>,
        mut worker: Worker,
        job: &Job,
        tarball: Option<&Bytes>,
        priority: Priority,
    ) -> Result<Result<Contents, String>, Failure> {
        let deadline = self.deadline.for_bytes(tarball.map_or(0, Bytes::len));
        let process = worker.child.id();
        match patience::wait_for(worker.ask(job, tarball), process, deadline).await {
            Ok(Ok(answer)) => {
                worker.used = tokio::time::Instant::now();
                worker.has_read = true;
                self.give_back(worker, priority).await;
                Ok(match answer {
                    Answer::Contents(contents) => Ok(*contents),
                    Answer::Failed(why) => Err(why),
                })
            }
            Ok(Err(error)) => Err(Failure::Ended(worker.obituary(&error).await)),
            Err(why) => {
                worker.end().await;
                Err(Failure::Late(why))
            }
        }
    }

    async fn take(&self, lane: &Lane) -> Result<Worker, String> {
        while let Some(mut worker) = lane.idle.lock().await.pop() {
            if matches!(worker.child.try_wait(), Ok(None)) {
                return Ok(worker);
            }
        }
        self.start(lane).await
    }

    async fn start(&self, lane: &Lane) -> Result<Worker, String> {
        let failed = |error| {
            format!(
                "no worker process could be started ({}: {error})",
                self.program.program.display()
            )
        };
        let mut worker = Worker::start(&self.program, lane.arguments).map_err(failed)?;
        if !self.rules.is_empty() {
            let job = serde_json::to_vec(&Job::Rules).map_err(|error| error.to_string())?;
            worker.send(&job).await.map_err(failed)?;
            worker.send(&self.rules).await.map_err(failed)?;
        }
        Ok(worker)
    }

    async fn give_back(self: &Arc<Self>, worker: Worker, priority: Priority) {
        self.lane(priority).idle.lock().await.push(worker);
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            if let Some(pool) = pool.upgrade() {
                let mut idle = pool.lane(priority).idle.lock().await;
                idle.retain(|worker| worker.used.elapsed() < IDLE);
            }
        });
    }

    const fn lane(&self, priority: Priority) -> &Lane {
        match priority {
            Priority::Foreground => &self.foreground,
            Priority::Background => &self.background,
        }
    }
}

/// How a worker failed, in words.
enum Failure {
    /// It ended, or answered nonsense.
    Ended(String),
    /// It took too long.
    Late(String),
}

impl Failure {
    fn into_words(self) -> String {
        match self {
            Self::Ended(why) | Self::Late(why) => why,
        }
    }
}

impl Worker {
    fn start(program: &WorkerProgram, arguments: &[&str]) -> std::io::Result<Self> {
        let mut child = Command::new(&program.program)
            .args(&program.arguments)
            .args(arguments)
            // Whatever runs in there must find no secret.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || std::io::Error::other("no pipe to the worker");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        Ok(Self {
            child,
            stdin,
            stdout,
            used: tokio::time::Instant::now(),
            has_read: false,
        })
    }

    async fn ask(&mut self, job: &Job, tarball: Option<&Bytes>) -> std::io::Result<Answer> {
        self.send(&serde_json::to_vec(job)?).await?;
        if let Some(tarball) = tarball {
            self.send(tarball).await?;
        }
        let length = self.stdout.read_u32_le().await?;
        if length > ANSWER_LIMIT {
            return Err(std::io::Error::other("the worker's answer is too long"));
        }
        let mut bytes = Vec::new();
        (&mut self.stdout)
            .take(u64::from(length))
            .read_to_end(&mut bytes)
            .await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
        self.stdin.write_all(&length.to_le_bytes()).await?;
        self.stdin.write_all(bytes).await?;
        self.stdin.flush().await
    }

    async fn end(&mut self) {
        // It may be gone already; either way nothing is left to do about it.
        let _ = self.child.kill().await;
    }

    /// Ends a worker that failed and says how it went, for the list of what could not be checked.
    async fn obituary(mut self, error: &std::io::Error) -> String {
        if error
            .get_ref()
            .is_some_and(|inner| inner.is::<serde_json::Error>())
            || error.kind() == std::io::ErrorKind::InvalidData
        {
            self.end().await;
            return "the worker process answered something that is not an answer".to_owned();
        }
        let ended = tokio::time::timeout(Duration::from_secs(1), self.child.wait()).await;
        self.end().await;
        match ended {
            Ok(Ok(status)) => format!("the worker process ended while it was reading ({status})"),
            _ => format!("the worker process broke off ({error})"),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn pool(script: &str) -> Arc<WorkerPool> {
        let program = WorkerProgram {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), script.to_owned()],
        };
        let deadline = Deadline {
            base: Duration::from_secs(60),
            per_megabyte: Duration::ZERO,
        };
        WorkerPool::new(program, 1, deadline)
    }

    /// Memory that earlier jobs took is none of the next one's making.
    #[tokio::test]
    async fn a_worker_that_ends_after_others_says_nothing_of_this_one() {
        let folder = PathBuf::from("/nowhere");
        let job = serde_json::to_vec(&Job::Folder(folder.clone())).unwrap();
        let answer = serde_json::to_string(&Answer::Failed("read".to_owned())).unwrap();
        // Answers one job, and ends when the next one comes.
        let script = format!(
            "head -c {} > /dev/null; printf '\\{:03o}\\000\\000\\000%s' '{answer}'; head -c 1 > /dev/null; exit 1",
            job.len() + 4,
            answer.len()
        );
        let pool = pool(&script);
        for _ in 0..3 {
            let found = pool.folder(folder.clone()).await.unwrap_err();
            assert_eq!(found, "read");
        }
    }

    #[tokio::test]
    async fn a_new_worker_that_ends_is_the_jobs_doing() {
        let pool = pool("head -c 1 > /dev/null; exit 1");
        let found = pool.folder(PathBuf::from("/nowhere")).await.unwrap_err();
        assert!(found.contains("ended while it was reading"), "{found}");
    }
}
