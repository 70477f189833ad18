//! What happened, from the log; and whether the verdicts in it come out again.

mod replay;

use std::io::Write as _;
use std::path::PathBuf;

use chancery_api::audit::{AuditEntry, AuditPage};
use chancery_api::request::RedactionRequest;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::Client;
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Table, clean};

/// `chancery audit`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Events, filtered
    #[command(
        after_help = "Examples:\n  chancery audit search --kind decision.recorded --limit 20\n  chancery audit search --stream request/01JD3Z5YQX8M0V4K2T7B9C6E1A"
    )]
    Search {
        #[command(flatten)]
        filter: Filter,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Every event that you may see, one JSON document a line
    Export {
        #[command(flatten)]
        filter: Filter,
        /// Where to [default: stdout]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Evaluate recorded verdicts again, byte for byte, from evidence
    Replay(replay::Replay),
    /// Erase disclosures of a request, visibly: the erasure is an entry of the log
    Redact {
        /// The request
        id: String,
        /// Digest of a disclosure, as it stands in `_sd`
        #[arg(long = "digest", required = true, value_name = "DIGEST")]
        digests: Vec<String>,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only of this stream, like request/ID, identity/PERSON, policy
    #[arg(long)]
    stream: Option<String>,
    /// Only of this kind, like decision.recorded
    #[arg(long)]
    kind: Option<String>,
    /// From this leaf index on
    #[arg(long, default_value_t = 0)]
    from: u64,
}

impl Audit {
    /// Does it.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let output = context.output;
        match self {
            Self::Search { filter, limit } => {
                let mut items = Vec::new();
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                filter.each(&context.client()?, limit, |entry| {
                    items.push(entry);
                    Ok(())
                })?;
                output.show_all(&items, |output| table(&items, output))?;
                Ok(Exit::Done)
            }
            Self::Export { filter, out } => export(&filter, out, &context.client()?, output),
            Self::Replay(replay) => replay.run(context),
            Self::Redact { id, digests } => {
                let client = context.client()?;
                let path = format!("/api/v1/requests/{}/redactions", segment(&id)?);
                let answer: serde_json::Value = client.send(&path, &RedactionRequest { digests })?;
                output.show(&answer, |_| format!("erased; request {}", clean(&id)))?;
                Ok(Exit::Done)
            }
        }
    }
}

impl Filter {
    /// Reads page after page, in the order of the log.
    fn each(
        &self,
        client: &Client,
        limit: usize,
        mut take: impl FnMut(AuditEntry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut query = String::new();
        if let Some(stream) = &self.stream {
            let (kind, id) = stream.split_once('/').unwrap_or((stream, ""));
            query.push_str(&format!("&stream={}", segment(kind)?));
            if !id.is_empty() {
                query.push_str(&format!("%2F{}", segment(id)?));
            }
        }
        if let Some(kind) = &self.kind {
            query.push_str(&format!("&kind={}", segment(kind)?));
        }
        let (mut from, mut taken) = (self.from, 0);
        loop {
            let count = (limit - taken).min(200);
            let page: AuditPage = client.read(&format!("/api/v1/audit?from={from}&limit={count}{query}"))?;
            taken += page.items.len();
            page.items.into_iter().try_for_each(&mut take)?;
            match page.next {
                Some(next) if taken < limit && next > from => from = next,
                Some(_) | None => return Ok(()),
            }
        }
    }
}

fn export(filter: &Filter, out: Option<PathBuf>, client: &Client, output: &Output) -> Result<Exit, Failure> {
    let line =
        |entry: &AuditEntry| serde_json::to_string(entry).map_err(|fault| Failure::Fault(fault.to_string()));
    let mut count = 0u64;
    match &out {
        None => filter.each(client, usize::MAX, |entry| {
            count += 1;
            output.bytes(format!("{}\n", line(&entry)?).as_bytes())
        })?,
        Some(path) => {
            let fault = |fault: std::io::Error| Failure::file(path, fault);
            let mut file = std::io::BufWriter::new(std::fs::File::create(path).map_err(fault)?);
            filter.each(client, usize::MAX, |entry| {
                count += 1;
                writeln!(file, "{}", line(&entry)?).map_err(fault)
            })?;
            file.flush().map_err(fault)?;
            output.show(&json!({"file": path, "events": count}), |_| clean(&path.display().to_string()))?;
        }
    }
    output.note(&format!("{count} events"));
    Ok(Exit::Done)
}

fn table(items: &[AuditEntry], output: &Output) -> String {
    let mut table = Table::with_header(&["LEAF", "TIME", "STREAM", "V", "EVENT"]);
    for item in items {
        table.row([
            item.leaf_index.to_string(),
            item.time.clone(),
            item.stream.clone(),
            item.version.to_string(),
            item.kind.clone(),
        ]);
    }
    table.render(output, "no such events")
}
