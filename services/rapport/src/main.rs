//! The one binary: parses the command line, does what was asked, and says by its exit code how that went.

use std::{io, process::ExitCode};

use clap::Parser;
use rapport::{cli::Cli, exit::Exit};

/// Calls, imports and assessments are many small allocations, freed by other threads than asked for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(told) => {
            let exit = if told.use_stderr() { Exit::Usage } else { Exit::Ok };
            // Help that nobody reads any more is no failure.
            let _: io::Result<()> = told.print();
            exit.into()
        }
    }
}
