//! Who analyses packages, and the thread that takes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use oxc_allocator::Allocator;
use weir_model::contents::Unread;

use crate::analyse::run;
use crate::{Facts, Limits, Package, parse};

/// Analyses packages, one after another. What it parses into is kept from each to the next: most packages are
/// small, and fresh memory and a fresh thread cost more than their code.
///
/// There is none but on a thread whose stack suffices for deeply nested code, see [`Analyst::employ`].
#[expect(missing_debug_implementations, reason = "an arena has nothing to show")]
pub struct Analyst {
    limits: Limits,
    allocator: Allocator,
}

impl Analyst {
    /// Runs `work` on a thread with the stack that `limits` name, which is this thread's guest until it ends.
    /// A caller that reads hostile packages still wants a process with a deadline around it: a parse cannot be
    /// interrupted.
    ///
    /// # Errors
    /// When the system gives no such thread. A panic of `work` goes on in the caller.
    pub fn employ<T: Send>(
        limits: Limits,
        work: impl FnOnce(&mut Self) -> T + Send,
    ) -> std::io::Result<T> {
        let outcome = std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name("weir-js".to_owned())
                .stack_size(limits.stack_bytes)
                .spawn_scoped(scope, move || {
                    work(&mut Self {
                        limits,
                        allocator: Allocator::default(),
                    })
                })
                .map(std::thread::ScopedJoinHandle::join)
        })?;
        Ok(outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    /// Analyses one package. Never panics on hostile input; what it cannot read it names in
    /// [`Facts::unread`].
    #[must_use]
    pub fn analyse(&mut self, package: &Package<'_>) -> Facts {
        let (limits, allocator) = (&self.limits, &mut self.allocator);
        // What is parsed into is emptied before it is used again, whatever state it was left in.
        let work = AssertUnwindSafe(|| run(package, limits, allocator));
        let facts = catch_unwind(work);
        parse::give_back(&mut self.allocator);
        facts.unwrap_or_else(|_| nothing("the analysis broke off", true))
    }
}

/// Analyses one package, on a thread that is started for it. See [`Analyst`] for several.
#[must_use]
pub fn analyse(package: &Package<'_>, limits: &Limits) -> Facts {
    Analyst::employ(*limits, |analyst| analyst.analyse(package))
        .unwrap_or_else(|error| nothing(&format!("no thread for the analysis: {error}"), false))
}

/// Facts of a package that could not be analysed at all.
fn nothing(why: &str, suspicious: bool) -> Facts {
    Facts {
        unread: vec![Unread {
            path: "javascript".to_owned(),
            why: why.to_owned(),
            suspicious,
        }],
        ..Facts::default()
    }
}
