//! How long a name takes: `cargo run --release -p weir-signals --example names`. The index holds 20,000
//! popular names and 100,000 of an operator's own; questions are lookalikes of both kinds, honest new
//! names, and names in the index.

use std::time::Instant;

use weir_signals::NameIndex;

/// Popular names wanted; the committed list is filled up with made-up ones.
const POPULAR: usize = 20_000;

/// The operator's own names.
const OWN: usize = 100_000;

/// Questions asked, after as many to warm up.
const QUESTIONS: usize = 20_000;

const WORDS: [&str; 48] = [
    "river", "gate", "table", "query", "form", "chart", "ledger", "mill", "sluice", "gauge",
    "pump", "stream", "parser", "writer", "reader", "server", "client", "router", "store", "cache",
    "queue", "batch", "index", "token", "event", "panel", "theme", "icon", "layout", "grid",
    "input", "modal", "report", "invoice", "order", "stock", "price", "search", "filter", "export",
    "import", "backup", "mailer", "logger", "metric", "health", "deploy", "config",
];

/// A small generator of numbers: the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn word(&mut self) -> &'static str {
        let at = self.next(WORDS.len());
        WORDS.get(at).copied().unwrap_or("river")
    }

    /// A name such as a company has: sometimes scoped, two to four words.
    fn name(&mut self, number: usize) -> String {
        let delimiter = ["-", "-", "-", ".", "_", ""]
            .get(self.next(6))
            .copied()
            .unwrap_or("-");
        let mut words = vec![self.word().to_owned()];
        for _ in 0..=self.next(2) {
            words.push(self.word().to_owned());
        }
        words.push(format!("{}{}", self.word(), number % 997));
        let base = words.join(delimiter);
        match self.next(3) {
            0 => format!("@{}{}/{base}", self.word(), number % 61),
            _ => base,
        }
    }

    /// A name with one slip.
    fn slip(&mut self, name: &str) -> String {
        let characters: Vec<char> = name.chars().collect();
        if characters.len() < 3 {
            return name.to_owned();
        }
        let at = 1 + self.next(characters.len() - 2);
        let mut out: Vec<char> = characters.clone();
        match self.next(4) {
            0 => drop(out.remove(at)),
            1 => out.insert(at, 'e'),
            2 => out.swap(at, at - 1),
            _ => out[at] = 'a',
        }
        out.into_iter().collect()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let mut popular: Vec<String> = include_str!("../data/popular.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .take(POPULAR)
        .map(str::to_owned)
        .collect();
    let listed = popular.len();
    while popular.len() < POPULAR {
        let number = popular.len();
        popular.push(numbers.name(number));
    }
    let own: Vec<String> = (0..OWN)
        .map(|number| numbers.name(number + 7_919))
        .collect();
    let begun = Instant::now();
    let listed_own: std::collections::HashSet<String> = own.iter().cloned().collect();
    let index =
        NameIndex::from_names(&popular)?.with_own(&own, &["millpond".to_owned()], move |name| {
            name.starts_with("@millpond/") || listed_own.contains(name)
        })?;
    println!(
        "{listed} listed and {} made-up popular names, {OWN} own: built in {:.1} s",
        POPULAR - listed,
        begun.elapsed().as_secs_f64()
    );
    let mut questions = Vec::with_capacity(QUESTIONS);
    for number in 0..QUESTIONS {
        let from = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
        questions.push(match number % 5 {
            0 => from(&popular, numbers.next(POPULAR)),
            1 => {
                let name = from(&popular, numbers.next(POPULAR));
                numbers.slip(&name)
            }
            2 => {
                let name = from(&own, numbers.next(OWN));
                numbers.slip(&name)
            }
            3 => numbers.name(number),
            _ => format!("{}-{}-{}", numbers.word(), numbers.word(), numbers.word()),
        });
    }
    let mut found = 0_usize;
    for question in &questions {
        found += index.candidates(question).len();
    }
    let mut times: Vec<f64> = questions
        .iter()
        .map(|question| {
            let begun = Instant::now();
            std::hint::black_box(index.candidates(question));
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * (times.len() - 1) as f64).round() as usize;
        times.get(place).copied().unwrap_or_default()
    };
    println!(
        "{} questions, {found} candidates: median {:.1} µs, 99th percentile {:.1} µs, slowest {:.1} µs",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0),
    );
    Ok(())
}
