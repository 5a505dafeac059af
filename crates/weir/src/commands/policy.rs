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
            anstream::print!("{}", print::policy(&policy, setup::clock(global).now()));
        }
        PolicyCommand::Schema => {
            anstream::println!(
                "{}",
                serde_json::to_string_pretty(&weir_policy::config::schema())?
            );
        }
        PolicyCommand::Check { file } => {
            let Some(file) =
                file.map_or_else(|| setup::policy_file(global), |file| Ok(Some(file)))?
            else {
                bail!("there is no policy file to check: the defaults are in force");
            };
            let policy = setup::read_policy(&file)?;
            let expired = policy.expired_waivers(setup::clock(global).now());
            for waiver in &expired {
                anstream::eprintln!("weir: {waiver}");
            }
            if !expired.is_empty() {
                return Ok(ExitCode::from(exit::FAILED));
            }
            anstream::println!("{}: no mistakes", file.display());
        }
    }
    Ok(ExitCode::from(exit::FINE))
}
