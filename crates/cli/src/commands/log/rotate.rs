//! A new life of the log.

use std::path::PathBuf;

use chancery_ledger::Origin;
use chancery_server::{RotateOptions, Rotated, rotate_log};
use clap::Args;
use serde_json::json;

use crate::commands::server::{DataFolder, runtime};
use crate::commands::trust::propose::shown;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Table};

/// `chancery log rotate`
#[derive(Debug, Args)]
#[command(after_help = "\
The first time it closes the log and proposes the trust root that says so. Start the server, have the administrators sign
under People, stop it, and run this again. What was pending or granted ends with the old life, certificates at once.

Example:
  chancery log rotate --data /var/lib/chancery --origin log-2.example.org")]
pub struct Rotate {
    #[command(flatten)]
    data: DataFolder,
    /// Name of the next life: a bare host name that no earlier one had
    #[arg(long, value_name = "NAME")]
    origin: Option<Origin>,
    /// A checkpoint of the old life from a mirror, a witness or evidence, so that it is closed where it really ended
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

impl Rotate {
    /// Does the next step.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let read = |path: &PathBuf| {
            let note = std::fs::read(path).map_err(|fault| Failure::file(path, fault))?;
            Ok((path.display().to_string(), note))
        };
        let checkpoints = self.checkpoint.iter().map(read).collect::<Result<_, Failure>>()?;
        let options = RotateOptions { origin: self.origin, checkpoints, clock: None };
        let rotated = runtime()?.block_on(rotate_log(self.data.path(), options));
        match rotated.map_err(|fault| Failure::Fault(fault.to_string()))? {
            Rotated::Closed { rotation, proposed, revoked } => {
                let closed = &rotation.closed;
                output.note(&format!(
                    "the log `{}` is closed with {} entries, root {}; {revoked} certificates were taken back",
                    rotation.from, closed.size, closed.root
                ));
                if rotation.held < closed.size {
                    let lost =
                        format!("entries {} to {} are lost", rotation.held, closed.size.saturating_sub(1));
                    output
                        .note(&format!("{lost}: whoever was suspended in them is let in again by this root"));
                }
                shown(&proposed, output)?;
                Ok(Exit::Done)
            }
            Rotated::Waiting { signed_by, reason, .. } => Err(Failure::Outcome {
                exit: Exit::Pending,
                message: format!("{} administrators signed: {reason}", signed_by.len()),
                remedy: "start the server, have them sign under People, stop it, and run this again"
                    .to_owned(),
            }),
            Rotated::Finished { origin, kept } => {
                output.show(&json!({"log_origin": origin, "kept": kept}), |output| {
                    let mut table = Table::default();
                    table.pair("log", origin.as_str());
                    table.pair("old life", &kept.display().to_string());
                    table.render(output, "")
                })?;
                output.note("start the server; give the new trust/ to whoever verifies");
                Ok(Exit::Done)
            }
        }
    }
}
