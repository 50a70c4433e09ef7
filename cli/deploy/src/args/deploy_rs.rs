//! Flags of deploy-rs that `deploy` does not need. Only `deploy` without a command's name accepts
//! them, because deploy-rs has no commands.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Flags of deploy-rs that are accepted and do nothing; each says so. `--file` is refused, as it
/// means something else than what is done.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accepted for deploy-rs's users, without effect")]
pub struct DeployRs {
    /// deploy-rs's way to name a file that is no flake; refused
    #[arg(short = 'f', long, value_name = "FILE", hide = true)]
    pub file: Option<PathBuf>,
    /// Checks are not run unless --checks asks for them
    #[arg(short = 's', long)]
    pub skip_checks: bool,
    /// Signatures are not looked at: root at the machine takes the closure
    #[arg(short = 'c', long)]
    pub checksigs: bool,
    /// The closure is rooted on the machine
    #[arg(short = 'k', long)]
    pub keep_result: bool,
    /// See --keep-result
    #[arg(short = 'r', long, value_name = "PATH")]
    pub result_path: Option<String>,
    /// The machine's journal has the logs
    #[arg(long, value_name = "DIR")]
    pub log_dir: Option<String>,
    /// No file in /tmp takes part in the confirmation
    #[arg(long, value_name = "DIR")]
    pub temp_path: Option<String>,
    /// Machines that succeeded are never rolled back for others that did not
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub rollback_succeeded: Option<bool>,
}

impl DeployRs {
    /// A line for each flag that was given and has no effect.
    pub fn notes(&self) -> Vec<String> {
        let Self {
            // `--file` is refused, not ignored.
            file: _,
            skip_checks,
            checksigs,
            keep_result,
            result_path,
            log_dir,
            temp_path,
            rollback_succeeded,
        } = self;
        let flags = [
            (*skip_checks, "--skip-checks: checks run with --checks only"),
            (*checksigs, "--checksigs: root on the machine takes the closure"),
            (*keep_result || result_path.is_some(), "--keep-result: the machine roots the closure"),
            (log_dir.is_some(), "--log-dir: the machine's journal has the logs, see deploy logs"),
            (temp_path.is_some(), "--temp-path: no file takes part in the confirmation"),
            (
                *rollback_succeeded == Some(true),
                "--rollback-succeeded: each machine is decided alone",
            ),
        ];
        let given = flags.into_iter().filter(|(given, _)| *given);
        given.map(|(_, note)| format!("no effect: {note}")).collect()
    }
}
