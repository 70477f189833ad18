//! What can be said on the command line.

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::output::{Color, Format};

/// Version and policy engine: verdicts are only comparable between equal engines.
fn long_version() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        format!("{}\npolicy engine {}", env!("CARGO_PKG_VERSION"), chancery_policy::engine_version())
    })
}

const EXIT_CODES: &str = "\
Exit codes:
  0 done                       6 expired or lapsed
  1 error                      7 revoked, changed, conflicting or cancelled
  2 usage                      8 still pending (never 0)
  3 denied by policy           9 verification failed
  4 login or step-up needed   10 server unreachable
  5 rejected by a person      11 outcome unknown   130 interrupted

Settings: a flag, else CHANCERY_… in the environment, else the project's
.chancery.toml, else $XDG_CONFIG_HOME/chancery/config.toml";

/// Ask for something dangerous, have the right people decide, use it for a short while, and prove it later.
#[derive(Debug, Parser)]
#[command(name = "chancery", version, long_version = long_version(), after_help = EXIT_CODES, max_term_width = 110)]
#[command(propagate_version = false, disable_help_subcommand = true)]
pub struct Arguments {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The server's web origin, like https://chancery.example
    #[arg(long, global = true, env = "CHANCERY_SERVER", hide_env = true, value_name = "URL")]
    pub server: Option<String>,
    /// Which of several sessions and servers to use
    #[arg(long, global = true, env = "CHANCERY_PROFILE", hide_env = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// The form of data on stdout
    #[arg(long, short, global = true, env = "CHANCERY_OUTPUT", hide_env = true, value_enum, default_value_t)]
    pub output: Format,
    /// Never ask and never open a browser
    #[arg(long, global = true, env = "CHANCERY_NO_INPUT", hide_env = true)]
    pub no_input: bool,
    /// When to colour (NO_COLOR is heeded)
    #[arg(long, global = true, env = "CHANCERY_COLOR", hide_env = true)]
    #[arg(value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// Say nothing but data and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more about what is done
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole way of a request on real parts, told step by step
    Demo(crate::demo::Demo),
    /// A new installation: keys, configuration, policy, and a link for the first administrator
    Init(commands::init::Init),
    /// What a stranger needs beforehand to verify anything
    #[command(subcommand)]
    Trust(commands::trust::Trust),
    /// The issuer's keys
    #[command(subcommand)]
    Issuer(commands::issuer::Issuer),
    /// Run a server, and look after one
    #[command(subcommand)]
    Server(commands::server::Server),
    /// Examine an installation
    Doctor(commands::server::Doctor),
    /// Copy everything that cannot be made again, beside the running server
    Backup(commands::backup::Backup),
    /// Put a backup into an empty folder; it signs nothing before it is adopted
    Restore(commands::backup::Restore),
    /// Sign in with a passkey in a browser, for at most 12 hours
    Login(commands::login::Login),
    /// Sign out and forget the session key
    Logout,
    /// Who is signed in
    Whoami,
    /// Ask for something, and follow what becomes of it
    #[command(subcommand)]
    Request(commands::request::Request),
    /// Approve a request: opens the page on which your passkey signs
    Approve(commands::decide::Approve),
    /// Reject a request, for good
    Reject(commands::decide::Reject),
    /// Take your approval back, before the grant starts
    Withdraw(commands::decide::Withdraw),
    /// Run a command with a grant, and end the grant when the command ends
    Exec(commands::exec::Exec),
    /// What was granted, and the credentials under it
    #[command(subcommand)]
    Grant(commands::grant::Grant),
    /// What may be asked for
    #[command(subcommand)]
    Entitlement(commands::entitlement::Entitlement),
    /// The directory of people
    #[command(subcommand)]
    Person(commands::person::Person),
    /// Passkeys of people
    #[command(subcommand)]
    Passkey(commands::person::Passkey),
    /// What somebody has to look at
    #[command(subcommand)]
    Alert(commands::alert::Alert),
    /// What happened, from the log
    #[command(subcommand)]
    Audit(commands::audit::Audit),
    /// Everything needed to verify a request offline
    #[command(subcommand)]
    Evidence(commands::evidence::Evidence),
    /// Verify evidence offline, against your own trust directory
    Verify(commands::verify::Verify),
    /// The transparency log itself
    #[command(subcommand)]
    Log(commands::log::Log),
    /// Check, test and measure a policy bundle
    #[command(subcommand)]
    Policy(commands::policy::Policy),
    /// Completions for a shell
    Completion(commands::manual::Completion),
    /// The manual page, as roff
    Man,
}
