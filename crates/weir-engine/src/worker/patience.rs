//! How long a worker is waited for: by the processor time it gets, so that a busy machine does not make honest
//! packages look like ones that cannot be read.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

/// How many times its deadline a worker may take by the clock, should others leave it no processor time. One that
/// sleeps instead of reading is ended then.
const STARVED: u32 = 3;

/// Shortest wait before the clock is looked at again.
const LEAST: Duration = Duration::from_millis(100);

/// Waits for an answer until the process has used up `deadline` of processor time, or of time by the clock where the
/// system does not tell; see [`STARVED`] for the most.
///
/// # Errors
/// A sentence saying what ran out, for the list of what could not be checked.
pub(super) async fn wait_for<T>(
    answer: impl Future<Output = T>,
    process: Option<u32>,
    deadline: Duration,
) -> Result<T, String> {
    let mut answer = pin!(answer);
    let started = Instant::now();
    let time = || process.and_then(processor_time);
    let before = time();
    let mut wait = deadline;
    loop {
        if let Ok(answer) = timeout(wait, &mut answer).await {
            return Ok(answer);
        }
        let waited = started.elapsed();
        let used = match (before, time()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => waited,
        };
        if used >= deadline {
            return Err(format!(
                "the analysis took longer than {} s and was ended",
                deadline.as_secs()
            ));
        }
        let most = deadline.saturating_mul(STARVED);
        if waited >= most {
            return Err(format!(
                "the analysis got {:.1} s of processor time in {} s and was ended",
                used.as_secs_f64(),
                waited.as_secs()
            ));
        }
        wait = deadline.saturating_sub(used).min(most - waited).max(LEAST);
    }
}

/// The processor time that a process has used so far, in all its threads.
#[cfg(target_os = "linux")]
fn processor_time(process: u32) -> Option<Duration> {
    /// Ticks are hundredths of a second to programs on every architecture that Rust builds weir for (proc(5)
    /// has them as `USER_HZ`).
    const TICKS: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold blanks and parentheses; the state is the first field behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(Duration::from_millis((user + system) * 1_000 / TICKS))
}

#[cfg(not(target_os = "linux"))]
fn processor_time(_process: u32) -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn an_answer_in_time_is_taken() {
        assert_eq!(wait_for(async { 3 }, None, DEADLINE).await, Ok(3));
    }

    #[tokio::test]
    async fn where_the_system_does_not_tell_the_clock_counts() {
        let why = wait_for(pending::<()>(), None, DEADLINE).await.unwrap_err();
        assert!(why.contains("took longer than 0 s"), "{why}");
    }

    /// Another process that only sleeps stands for one that gets nothing of a busy machine.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_got_no_processor_time_is_waited_for_longer() {
        let mut sleeping = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Some(sleeping.id());
        let late = async {
            tokio::time::sleep(DEADLINE * 2).await;
            7
        };
        assert_eq!(wait_for(late, process, DEADLINE).await, Ok(7));
        let why = wait_for(pending::<()>(), process, DEADLINE)
            .await
            .unwrap_err();
        assert!(why.starts_with("the analysis got 0.0 s"), "{why}");
        sleeping.kill().unwrap();
        sleeping.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_uses_its_time_up_is_ended() {
        let mut busy = std::process::Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        let why = wait_for(pending::<()>(), Some(busy.id()), DEADLINE).await;
        busy.kill().unwrap();
        busy.wait().unwrap();
        let why = why.unwrap_err();
        assert!(why.starts_with("the analysis "), "{why}");
        assert!(processor_time(std::process::id()).is_some());
    }
}
