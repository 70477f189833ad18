//! One module for each noun: its arguments, and what is done.

pub mod alert;
pub mod audit;
pub mod backup;
pub mod decide;
pub mod entitlement;
pub mod evidence;
pub mod exec;
pub mod grant;
pub mod init;
pub mod issuer;
pub mod log;
pub mod login;
pub mod manual;
pub mod person;
pub mod policy;
pub mod request;
pub mod server;
pub mod trust;
pub mod verify;

use crate::cli::{Arguments, Command};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::settings::Settings;

/// Does what the command line says.
///
/// # Errors
/// Why it was not done.
pub fn run(arguments: Arguments, output: &Output) -> Result<Exit, Failure> {
    let context = || Ok::<_, Failure>(Context { settings: Settings::load(&arguments.global)?, output });
    match arguments.command {
        // Those that work alone, whatever the settings say
        Command::Policy(command) => command.run(output),
        Command::Completion(command) => command.run(output),
        Command::Verify(command) => command.run(output),
        Command::Init(command) => command.run(output),
        Command::Trust(command) => command.run(output),
        Command::Issuer(command) => command.run(output),
        Command::Server(command) => command.run(output),
        Command::Doctor(command) => command.run(output),
        Command::Backup(command) => command.run(output),
        Command::Restore(command) => command.run(output),
        Command::Demo(command) => command.run(output),
        Command::Man => manual::page(output),

        Command::Login(command) => command.run(&context()?),
        Command::Logout => login::logout(&context()?),
        Command::Whoami => login::whoami(&context()?),
        Command::Request(command) => command.run(&context()?),
        Command::Approve(command) => command.run(&context()?),
        Command::Reject(command) => command.run(&context()?),
        Command::Withdraw(command) => command.run(&context()?),
        Command::Exec(command) => command.run(&context()?),
        Command::Grant(command) => command.run(&context()?),
        Command::Entitlement(command) => command.run(&context()?),
        Command::Person(command) => command.run(&context()?),
        Command::Passkey(command) => command.run(&context()?),
        Command::Alert(command) => command.run(&context()?),
        Command::Audit(command) => command.run(&context()?),
        Command::Evidence(command) => command.run(&context()?),
        Command::Log(command) => command.run(&context()?),
    }
}

/// One path segment, so that nothing typed can lead elsewhere on the server.
///
/// # Errors
/// [`Failure::Usage`] for what is empty or holds other characters than names have.
pub fn segment(text: &str) -> Result<&str, Failure> {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let only_dots = text.chars().all(|character| character == '.');
    if !only_dots && text.len() <= 128 && text.chars().all(plain) {
        return Ok(text);
    }
    Err(Failure::Usage(format!("`{text}` is not an id or name")))
}
