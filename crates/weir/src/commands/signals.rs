//! `weir signals`: what weir looks for.

use std::process::ExitCode;

use anyhow::{Result, bail};
use weir_signals::{BESIDE, CATALOGUE, Documentation, find};

use crate::cli::SignalsCommand;
use crate::exit;

/// What is said of names that no signal has, where a signal has its group.
const NO_SIGNAL: &str = "no signal, cannot be switched off";

/// Lists the signals or shows one.
pub(super) fn run(command: SignalsCommand) -> Result<ExitCode> {
    match command {
        SignalsCommand::List => {
            for signal in CATALOGUE {
                crate::out::println!("{:24} {:10} {}", signal.id, signal.group, signal.summary);
            }
            for name in BESIDE {
                let summary = name.summary;
                crate::out::println!("{:24} {:10} {summary} ({NO_SIGNAL})", name.id, "-");
            }
        }
        SignalsCommand::Show { id } => show(&id)?,
    }
    Ok(ExitCode::from(exit::FINE))
}

fn show(id: &str) -> Result<()> {
    if let Some(signal) = find(id) {
        crate::out::println!("{}: {}\n", signal.id, signal.summary);
        crate::out::println!(
            "group {}, severity {}, confidence {}, {}, {}\n",
            signal.group,
            signal.severity,
            signal.confidence.as_str(),
            signal.kind.as_str(),
            signal.maturity.as_str()
        );
        page(&signal.documentation);
    } else if let Some(name) = BESIDE.iter().find(|name| name.id == id) {
        crate::out::println!("{}: {}\n", name.id, name.summary);
        crate::out::println!("{NO_SIGNAL}\n");
        page(&name.documentation);
    } else {
        bail!("there is no signal {id:?}; `weir signals list` names all of them");
    }
    Ok(())
}

fn page(page: &Documentation) {
    for (title, text) in [
        ("What it sees", page.sees),
        ("Why that matters", page.matters),
        ("When it is wrong", page.wrong),
        ("What to do about it", page.todo),
    ] {
        crate::out::println!("{title}\n{text}\n");
    }
}

#[cfg(test)]
mod tests {
    use weir_policy::config::{AGE_SIGNAL, INCOMPLETE_SIGNAL, NEVER_SILENT};

    use super::*;

    #[test]
    fn whatever_a_policy_may_name_can_be_shown_and_once() {
        let known = |id: &str| {
            let beside = BESIDE.iter().any(|name| name.id == id);
            (find(id).is_some(), beside)
        };
        assert_eq!(known(AGE_SIGNAL), (true, false));
        for id in NEVER_SILENT.iter().chain([&INCOMPLETE_SIGNAL]) {
            let (signal, beside) = known(id);
            assert!(signal != beside, "{id}");
        }
        assert_eq!(known(INCOMPLETE_SIGNAL), (false, true));
        for name in BESIDE {
            assert!(find(name.id).is_none(), "{}", name.id);
        }
    }
}
