//! The `chancery` program: every role of the product and every client command. A library so that its tests can
//! stage people and servers as `chancery demo` does and feed it hostile bytes; nobody else is meant to use it.
//!
//! Reading order: `cli` (what can be said), `commands` (what each does), `client` and `session` (how the server is
//! spoken to), `draft` (what is checked before anything is signed), [`demo`].

pub mod arguments;
mod browser;
mod cli;
mod client;
mod commands;
mod context;
pub mod demo;
mod draft;
mod exit;
mod failure;
mod files;
mod log_source;
mod moment;
mod output;
mod session;
mod settings;
mod ssh_key;
mod trust_folder;
mod wait;

use std::process::ExitCode;

use clap::Parser;

/// Parses the command line, does what it says, and turns the outcome into an exit code.
pub fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let output = output::Output::new(&arguments.global);
    match commands::run(arguments, &output) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.exit().into()
        }
    }
}
