//! Requests that are told their address after they were made: `request.open('POST', address)`.

use super::graph::{Atom, Call, Node};
use super::solve::Solver;
use crate::hash::Map;
use crate::tables::network;

/// Most addresses of one request that are kept.
const ADDRESSES: usize = 8;

/// The addresses that requests were opened with, by instance.
#[derive(Debug, Default)]
pub(super) struct Opened(Map<u32, Vec<Node>>);

impl Solver<'_> {
    /// A method that may open a request.
    pub(super) fn open(&mut self, name: &str, call: &Call) {
        if name != "open" {
            return;
        }
        let address = Self::argument(call, 1);
        for atom in self.graph.held(call.receiver) {
            let Atom::Instance(instance) = atom else {
                continue;
            };
            if !self.is_request(instance) {
                continue;
            }
            let addresses = self.opened.0.entry(instance).or_default();
            if addresses.len() < ADDRESSES && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }

    /// The host that a request was opened to. A helper that is given addresses with and without one
    /// does not say which of them goes with what is sent.
    pub(super) fn opened_host(&self, instance: u32) -> Option<String> {
        let mut hosts = self.opened.0.get(&instance)?.iter().filter_map(|&node| {
            let texts = self.known_texts(node);
            let are_whole = texts.iter().all(|text| network::host_of(text).is_some());
            are_whole.then(|| self.host(&[node])).flatten()
        });
        let first = hosts.next()?;
        let other = match network::is_local(&first) {
            true => hosts.find(|host| !network::is_local(host)),
            false => None,
        };
        Some(other.unwrap_or(first))
    }
}
