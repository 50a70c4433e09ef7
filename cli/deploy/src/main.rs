//! `deploy`: deploys NixOS machines and keeps a system only once it is confirmed.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use deploy::{args::CommandLine, run};
use zeroizing_alloc::ZeroAlloc;

/// Memory that is given back is cleared: a library that encrypts, and a vector that grows, leave the
/// clear text of secrets behind. `a_secret_that_was_written_is_nowhere_in_memory` proves it.
#[global_allocator]
static CLEARED: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    deploy::as_ssh().unwrap_or_else(|| {
        CommandLine::complete();
        deploys()
    })
}

#[tokio::main(flavor = "current_thread")]
async fn deploys() -> ExitCode {
    ExitCode::from(run(CommandLine::read()).await)
}
