//! Evidence of a request: one file that a stranger can verify.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::clean;

/// `chancery evidence`
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// Write the evidence bundle of a request
    #[command(
        after_help = "Example:\n  chancery evidence export 01JD3Z5YQX8M0V4K2T7B9C6E1A --out evidence.zip\n  chancery verify evidence.zip --trust ./trust"
    )]
    Export {
        /// The request
        id: String,
        /// Where to; `-` is stdout [default: evidence-ID.zip]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Evidence {
    /// Writes it.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let Self::Export { id, out } = self;
        let bytes = context.client()?.bytes(&format!("/api/v1/requests/{}/evidence", segment(&id)?))?;
        let out = out.unwrap_or_else(|| PathBuf::from(format!("evidence-{id}.zip")));
        if out.as_os_str() == "-" {
            context.output.bytes(&bytes)?;
            return Ok(Exit::Done);
        }
        std::fs::write(&out, &bytes).map_err(|fault| Failure::file(&out, fault))?;
        let sha256 = chancery_canonical::Sha256::of(&bytes).to_hex();
        let summary = json!({"file": out, "bytes": bytes.len(), "sha256": sha256});
        context.output.show(&summary, |_| clean(&out.display().to_string()))?;
        Ok(Exit::Done)
    }
}
