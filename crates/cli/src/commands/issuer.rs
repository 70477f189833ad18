//! The issuer's own keys.

use chancery_server::{ProposeOptions, retire_ca, rotate_ca};
use clap::Subcommand;
use serde_json::json;

use super::server::{DataFolder, runtime};
use super::trust::propose::shown;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// `chancery issuer`
#[derive(Debug, Subcommand)]
pub enum Issuer {
    /// Make a new SSH authority beside the old one, and propose a trust root in which it signs
    #[command(after_help = "\
Prints what belongs into TrustedUserCAKeys on every host, all lines of it, before the administrators sign.

Example:
  chancery issuer rotate-ca --data /var/lib/chancery > ssh-ca.pub")]
    RotateCa {
        #[command(flatten)]
        data: DataFolder,
        /// In place of a proposal that waits already, and of its signatures
        #[arg(long)]
        replace: bool,
    },
    /// Propose a trust root without the older SSH authorities; sealed, all their certificates are refused
    #[command(after_help = "Example:\n  chancery issuer retire-ca --data /var/lib/chancery")]
    RetireCa {
        #[command(flatten)]
        data: DataFolder,
        /// Although certificates of theirs are still valid: they end with the seal
        #[arg(long)]
        now: bool,
        /// In place of a proposal that waits already, and of its signatures
        #[arg(long)]
        replace: bool,
    },
}

impl Issuer {
    /// Does it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let failed = |fault: chancery_server::ProposeError| Failure::Fault(fault.to_string());
        match self {
            Self::RotateCa { data, replace } => {
                let options = ProposeOptions { replace, ..ProposeOptions::default() };
                let made = runtime()?.block_on(rotate_ca(data.path(), options)).map_err(failed)?;
                let sha256 = made.proposed.root.sha256().to_hex();
                let said = json!({"trusted_user_ca_keys": made.lines, "sha256": sha256});
                output.show(&said, |_| made.lines.iter().map(|line| format!("{line}\n")).collect())?;
                output.note(
                    "put all of these lines into TrustedUserCAKeys on every host; then have the administrators sign the \
                     trust root under People",
                );
            }
            Self::RetireCa { data, now, replace } => {
                let options = ProposeOptions { replace, ..ProposeOptions::default() };
                shown(&runtime()?.block_on(retire_ca(data.path(), now, options)).map_err(failed)?, output)?;
            }
        }
        Ok(Exit::Done)
    }
}
