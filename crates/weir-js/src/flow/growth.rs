//! How much solving makes beyond what was lowered. Steps count what travels; rules that make rules and copies of what
//! is still empty travel nowhere and cost memory all the same.

use super::graph::Graph;
use super::solve::{Outcome, Solver};

/// Most nodes, rules, objects and copies that solving may add to one graph, each some hundred bytes.
const MADE: u64 = 1_000_000;

impl Graph {
    /// What is in the graph, however small.
    pub(super) fn weight(&self) -> u64 {
        let parts = self.size() + self.rules.len() + self.objects.len();
        self.links.saturating_add(parts as u64)
    }
}

/// What solving made so far, lowering aside.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// Of all earlier runs.
    before: u64,
    /// The graph's weight when this run began.
    start: u64,
}

impl Growth {
    /// A run of the solver begins.
    pub(super) fn begin(&mut self, graph: &Graph) {
        self.start = graph.weight();
    }

    /// A run is over: what is added next was lowered.
    pub(super) fn end(&mut self, graph: &Graph) {
        self.before = self.made(graph);
        self.start = graph.weight();
    }

    fn made(&self, graph: &Graph) -> u64 {
        let now = graph.weight().saturating_sub(self.start);
        self.before.saturating_add(now)
    }
}

impl Solver<'_> {
    /// Why solving has to end here, if it has to.
    pub(super) fn spent(&self) -> Option<Outcome> {
        if self.growth.made(&self.graph) > MADE {
            return Some(Outcome::Overgrown);
        }
        (self.graph.steps > self.budget).then_some(Outcome::Stopped)
    }
}
