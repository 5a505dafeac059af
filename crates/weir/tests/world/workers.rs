//! Worker processes that go wrong in every way: each costs one assessment and is replaced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_engine::worker::protocol::{Job, MISBEHAVE_FLAG, Misbehaviour};
use weir_engine::worker::{Deadline, Priority, WorkerPool, WorkerProgram};
use weir_testing::{Package, Registry, Release};

const MEMORY: u64 = 256 << 20;

fn pool(size: usize, deadline: Duration) -> Arc<WorkerPool> {
    let arguments = ["worker", "--memory", &MEMORY.to_string(), MISBEHAVE_FLAG].map(str::to_owned);
    let program = WorkerProgram {
        program: env!("CARGO_BIN_EXE_weir").into(),
        arguments: arguments.into(),
    };
    WorkerPool::new(
        program,
        size,
        Deadline {
            base: deadline,
            per_megabyte: Duration::ZERO,
        },
    )
}

async fn still_works(pool: &Arc<WorkerPool>) {
    let registry = Registry::start();
    registry.add(
        Package::new("gauge-reader")
            .maintainer("mill")
            .release(Release::new("1.0.0")),
    );
    let tarball = registry.tarball("gauge-reader", "1.0.0").unwrap();
    let contents = pool.tarball(tarball, Priority::Foreground).await.unwrap();
    assert_eq!(
        contents.manifest.unwrap().name.as_deref(),
        Some("gauge-reader")
    );
}

async fn misbehaves(pool: &Arc<WorkerPool>, how: Misbehaviour) -> String {
    pool.run(Job::Misbehave(how), None, Priority::Foreground)
        .await
        .unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_misbehaviour_costs_one_assessment_and_the_next_one_works() {
    let pool = pool(1, Duration::from_secs(15));
    for (how, said) in [
        (Misbehaviour::Crash, "ended while it was reading"),
        (Misbehaviour::EatMemory, "ended while it was reading"),
        (Misbehaviour::OverflowStack, "ended while it was reading"),
        (Misbehaviour::Babble, "not an answer"),
    ] {
        let why = misbehaves(&pool, how).await;
        assert!(why.contains(said), "{how:?}: {why}");
        still_works(&pool).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_hangs_is_ended_at_its_deadline() {
    let pool = pool(1, Duration::from_millis(700));
    let started = Instant::now();
    let why = misbehaves(&pool, Misbehaviour::Hang).await;
    assert!(why.ends_with("was ended"), "{why}");
    assert!(started.elapsed() < Duration::from_secs(10));
    still_works(&pool).await;
}

/// The memory limit is on the worker, whatever the machine has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_misbehaving_at_once_leaves_a_working_pool() {
    let pool = pool(3, Duration::from_secs(5));
    let jobs = [
        Misbehaviour::Crash,
        Misbehaviour::Hang,
        Misbehaviour::EatMemory,
        Misbehaviour::OverflowStack,
        Misbehaviour::Babble,
        Misbehaviour::Crash,
    ];
    let tasks = jobs.map(|how| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { misbehaves(&pool, how).await })
    });
    for task in tasks {
        assert!(!task.await.unwrap().is_empty());
    }
    for _ in 0..4 {
        still_works(&pool).await;
    }
}

#[tokio::test]
async fn workers_in_service_do_not_misbehave_on_order() {
    let arguments = ["worker", "--memory", &MEMORY.to_string()].map(str::to_owned);
    let program = WorkerProgram {
        program: env!("CARGO_BIN_EXE_weir").into(),
        arguments: arguments.into(),
    };
    let deadline = Deadline {
        base: Duration::from_secs(15),
        per_megabyte: Duration::ZERO,
    };
    let pool = WorkerPool::new(program, 1, deadline);
    assert!(
        misbehaves(&pool, Misbehaviour::Crash)
            .await
            .contains("does not misbehave")
    );
    still_works(&pool).await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said() {
    let program = WorkerProgram {
        program: "/nowhere/weir".into(),
        arguments: Vec::new(),
    };
    let deadline = Deadline {
        base: Duration::from_secs(15),
        per_megabyte: Duration::ZERO,
    };
    let pool = WorkerPool::new(program, 1, deadline);
    let why = pool.folder("/".into()).await.unwrap_err();
    assert!(why.contains("no worker process could be started"), "{why}");
}
