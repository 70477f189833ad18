//! `chancery audit replay`: the same bundle, input and engine must say the same again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chancery_api::request::RequestSummary;
use chancery_canonical::{Canonical, Disclosure};
use chancery_evidence::bundle::{BundleFiles, layout, unpack};
use chancery_policy::replay::{Replay as Outcome, replay};
use clap::Args;
use serde::Serialize;

use crate::client::Client;
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Table, Tone};

/// `chancery audit replay`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chancery audit replay                       # every request that you may see\n  chancery audit replay --file evidence.zip   # without a server"
)]
pub struct Replay {
    /// Requests; all that you may see when left out
    ids: Vec<String>,
    /// An evidence bundle instead of a server
    #[arg(long, value_name = "FILE", conflicts_with = "ids")]
    file: Option<PathBuf>,
    /// A verdict that cannot be replayed (redacted, another engine) is a failure too
    #[arg(long)]
    require: bool,
}

#[derive(Debug, Serialize)]
struct Line {
    request: String,
    /// `same`, `different` or `not_replayable`.
    outcome: &'static str,
    detail: String,
}

impl Replay {
    /// Replays, and exits with 9 when something else comes out.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let mut lines = Vec::new();
        if let Some(path) = &self.file {
            let zip = std::fs::read(path).map_err(|fault| Failure::file(path, fault))?;
            lines.push(judge(&path.display().to_string(), &zip)?);
        } else {
            let client = context.client()?;
            let ids = if self.ids.is_empty() { all(&client)? } else { self.ids };
            for id in &ids {
                let zip = client.bytes(&format!("/api/v1/requests/{}/evidence", segment(id)?))?;
                lines.push(judge(id, &zip)?);
            }
        }
        let count = |outcome: &str| lines.iter().filter(|line| line.outcome == outcome).count();
        let (different, lost) = (count("different"), count("not_replayable"));
        context.output.show_all(&lines, |output| {
            let mut table = Table::with_header(&["REQUEST", "OUTCOME", ""]);
            for line in &lines {
                let tone = if line.outcome == "same" { Tone::Good } else { Tone::Bad };
                table.toned(vec![
                    (None, line.request.clone()),
                    (Some(tone), line.outcome.replace('_', " ")),
                    (None, line.detail.clone()),
                ]);
            }
            table.render(output, "no requests")
        })?;
        context.output.note(&format!("{} decisions, {different} flips, {lost} not replayable", lines.len()));
        Ok(if different > 0 || (self.require && lost > 0) { Exit::Unverified } else { Exit::Done })
    }
}

fn all(client: &Client) -> Result<Vec<String>, Failure> {
    let items: Vec<RequestSummary> = client.list("/api/v1/requests", &[], usize::MAX)?;
    Ok(items.into_iter().map(|item| item.id).collect())
}

fn judge(name: &str, zip: &[u8]) -> Result<Line, Failure> {
    let unverified = |fault: &dyn std::fmt::Display| Failure::Outcome {
        exit: Exit::Unverified,
        message: format!("the evidence of `{name}` cannot be replayed: {fault}"),
        remedy: "look at it with `chancery verify`".to_owned(),
    };
    let files = unpack(zip).map_err(|fault| unverified(&fault))?;
    let needed = |path: &str| files.get(path).ok_or_else(|| unverified(&format!("`{path}` is missing")));
    let input = Canonical::parse(needed(layout::INPUT)?).map_err(|fault| unverified(&fault))?;
    let disclosures = disclosures(&files).map_err(|fault| unverified(&fault))?;
    let outcome = replay(&policy(&files), &input, &disclosures, needed(layout::VERDICT)?)
        .map_err(|fault| unverified(&fault))?;
    let (outcome, detail) = match outcome {
        Outcome::Same => ("same", String::new()),
        Outcome::Different { pointers, .. } => ("different", pointers.join(" ")),
        Outcome::NotReplayable { missing } => ("not_replayable", missing.join(" ")),
    };
    Ok(Line { request: name.to_owned(), outcome, detail })
}

fn policy(files: &BundleFiles) -> BTreeMap<String, Vec<u8>> {
    files
        .iter()
        .filter_map(|(path, bytes)| {
            Some((path.strip_prefix(layout::POLICY_PREFIX)?.to_owned(), bytes.clone()))
        })
        .collect()
}

/// Absent when everything was erased, or nothing was concealed.
fn disclosures(files: &BundleFiles) -> Result<Vec<Disclosure>, serde_json::Error> {
    files.get(layout::INPUT_DISCLOSURES).map_or(Ok(Vec::new()), |bytes| serde_json::from_slice(bytes))
}
