//! Rules that wait for their turn.

use std::collections::VecDeque;

/// Rules that wait for their turn, each once.
#[derive(Debug, Default)]
pub(super) struct Queue {
    order: VecDeque<u32>,
    waits: Vec<bool>,
}

impl Queue {
    pub(super) fn push(&mut self, rule: u32) {
        let at = rule as usize;
        if at >= self.waits.len() {
            self.waits.resize(at + 1, false);
        }
        if let Some(waits @ false) = self.waits.get_mut(at) {
            *waits = true;
            self.order.push_back(rule);
        }
    }

    pub(super) fn pop(&mut self) -> Option<u32> {
        let rule = self.order.pop_front()?;
        if let Some(waits) = self.waits.get_mut(rule as usize) {
            *waits = false;
        }
        Some(rule)
    }
}
