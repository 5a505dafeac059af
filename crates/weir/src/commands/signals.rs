//! `weir signals`: what weir looks for.

use std::process::ExitCode;

use anyhow::{Result, bail};
use weir_signals::{CATALOGUE, find};

use crate::cli::SignalsCommand;
use crate::exit;

/// Lists the signals or shows one.
pub(super) fn run(command: SignalsCommand) -> Result<ExitCode> {
    match command {
        SignalsCommand::List => {
            for signal in CATALOGUE {
                crate::out::println!("{:24} {:10} {}", signal.id, signal.group, signal.summary);
            }
        }
        SignalsCommand::Show { id } => {
            let Some(signal) = find(&id) else {
                bail!("there is no signal {id:?}; `weir signals list` names all of them");
            };
            let page = &signal.documentation;
            crate::out::println!("{}: {}\n", signal.id, signal.summary);
            crate::out::println!(
                "group {}, severity {}, confidence {}, {}, {}\n",
                signal.group,
                signal.severity,
                signal.confidence.as_str(),
                signal.kind.as_str(),
                signal.maturity.as_str()
            );
            for (title, text) in [
                ("What it sees", page.sees),
                ("Why that matters", page.matters),
                ("When it is wrong", page.wrong),
                ("What to do about it", page.todo),
            ] {
                crate::out::println!("{title}\n{text}\n");
            }
        }
    }
    Ok(ExitCode::from(exit::FINE))
}
