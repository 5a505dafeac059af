//! `weir policy`: what is in force, and what is wrong with a file.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cli::{Global, PolicyCommand};
use crate::{exit, print, setup};

/// Shows or checks the policy.
pub(super) fn run(global: &Global, command: PolicyCommand) -> Result<ExitCode> {
    match command {
        PolicyCommand::Show => {
            let policy = setup::policy(global)?;
            crate::out::print!("{}", print::policy(&policy, setup::clock(global).now()));
        }
        PolicyCommand::Schema => {
            crate::out::println!(
                "{}",
                serde_json::to_string_pretty(&weir_policy::config::schema())?
            );
        }
        PolicyCommand::Check { file } => {
            let Some(file) =
                file.map_or_else(|| setup::policy_file(global), |file| Ok(Some(file)))?
            else {
                bail!(
                    "there is no policy file to check, and the defaults are in force: make a weir.toml, or name \
                     the file"
                );
            };
            let policy = setup::read_policy(&file)?;
            let expired = policy.expired_waivers(setup::clock(global).now());
            for waiver in &expired {
                anstream::eprintln!("weir: {waiver}");
            }
            // An engine compiles them when it starts, and does not start with a mistake in them.
            let rules = policy.rules_folder();
            let wrong = rules.map_or_else(Vec::new, |it| weir_engine::mistakes_in_rules(&it));
            for mistake in &wrong {
                let at = policy.origin("rules.folder");
                anstream::eprintln!("weir: {at}: rules.folder: {mistake}");
            }
            if !expired.is_empty() || !wrong.is_empty() {
                return Ok(ExitCode::from(exit::FAILED));
            }
            crate::out::println!("{}: no mistakes", file.display());
        }
    }
    Ok(ExitCode::from(exit::FINE))
}
