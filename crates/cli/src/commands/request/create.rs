//! `chancery request create`: form, draft, check, sign, submit, wait.

use std::path::{Path, PathBuf};

use chancery_api::entitlement::{EntitlementView, StoredArtifact};
use chancery_api::request::{ArtifactReference, Draft, DraftRequest, RequestView, SubmitRequest};
use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_url;
use chancery_domain::time::Timestamp;
use clap::Args;
use serde_json::Value;

use super::idempotency::Kept;
use super::{finish, follow, read, show};
use crate::arguments::{parameters, split};
use crate::client::{Client, Extras, random_text};
use crate::commands::segment;
use crate::context::Context;
use crate::draft::{Asking, CheckedDraft, check};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::clean;
use crate::ssh_key::{GrantKey, KeyFolder};

/// What is asked when `--ttl` is left out, in seconds; never more than the entitlement allows.
const DEFAULT_SECONDS: u64 = 900;
const MAX_ARTIFACT_BYTES: u64 = 16 * 1024 * 1024;

/// `chancery request create`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chancery request create ssh-admin --set host=web-1 --set principal=deploy \\
      --set environment=production --reason 'disk full' --ticket OPS-7
  chancery request create ssh-admin …  --dry-run             # submits nothing
  chancery request create ssh-admin …  --no-wait -o json     # exits 8
  chancery request create ssh-admin …  --timeout 30m --idempotency-key $JOB")]
pub struct Create {
    /// What to ask for (`chancery entitlement list`)
    entitlement: String,
    /// A field of its form
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A file that belongs to it
    #[arg(long = "artifact", value_name = "NAME=FILE")]
    artifacts: Vec<String>,
    /// The artifact that undoes it
    #[arg(long, value_name = "NAME")]
    undo: Vec<String>,
    /// Why; concealed in the log, shown to approvers
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Number of a ticket elsewhere
    #[arg(long, value_name = "TEXT")]
    ticket: Option<String>,
    /// For how long, from the first use [default: 15m, or less where the entitlement allows less]
    #[arg(long, value_name = "LENGTH", value_parser = moment::parse_seconds)]
    ttl: Option<u64>,
    /// Not to start earlier
    #[arg(long, value_name = "TIME", value_parser = moment::parse_time)]
    start: Option<Timestamp>,
    /// For somebody else, by id
    #[arg(long = "for", value_name = "PERSON")]
    beneficiary: Option<String>,
    /// Your own SSH key, private half beside it or in the agent [default: a fresh key for this request]
    #[arg(long, value_name = "FILE.pub")]
    key: Option<PathBuf>,
    /// Say what would come of it, and submit nothing
    #[arg(long, conflicts_with_all = ["no_wait", "timeout", "idempotency_key"])]
    dry_run: bool,
    /// Exit with 8 as soon as it is submitted
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
    /// How long to wait for the decision; then exit with 8
    #[arg(long, value_name = "LENGTH", value_parser = moment::parse_seconds)]
    timeout: Option<u64>,
    /// The same key again rejoins the same request
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
}

impl Create {
    /// Asks, and waits.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        // What is mistyped is said before anybody is asked.
        for (flag, given) in [("--set", &self.set), ("--artifact", &self.artifacts)] {
            given.iter().try_for_each(|given| split(given, flag).map(|_| ()))?;
        }
        let client = context.client()?;
        let view = match self.rejoin(&client)? {
            Some(view) => view,
            None => {
                let key = self.grant_key(&client)?;
                let wanted = self.wanted(&client, key.as_ref())?;
                let draft: Draft = client.send("/api/v1/drafts", &wanted)?;
                let checked = check_draft(&client, &wanted, &draft)?;
                if self.dry_run {
                    return preview(context, &draft);
                }
                self.submit(&client, key.as_ref(), &draft, &checked)?
            }
        };
        context.output.note(&format!("request {}", view.id));
        if let Some(digits) = &view.matching_number {
            context.output.note(&format!("approvers will ask you for the digits {}", clean(digits)));
        }
        if self.no_wait || Exit::of_state(&view.state).is_some() {
            return finish(context.output, &view, view.revision);
        }
        follow(context, &client, &view.id, self.timeout)
    }

    /// The request that the same idempotency key led to before.
    fn rejoin(&self, client: &Client) -> Result<Option<RequestView>, Failure> {
        let Some(key) = &self.idempotency_key else { return Ok(None) };
        let Some(kept) = Kept::load(client, key)? else { return Ok(None) };
        kept.require_same(&self.fingerprint())?;
        let extras = Extras { idempotency_key: Some(key), ..Extras::default() };
        match client.send_with("/api/v1/requests", kept.body(), extras) {
            Ok(view) => {
                let view: RequestView = view;
                read(client, &view.id).map(Some)
            }
            // The server forgets keys after a day, never requests
            Err(Failure::Problem(problem)) if problem.code == "request_exists" => {
                read(client, kept.request()).map(Some)
            }
            Err(failure) => Err(failure),
        }
    }

    /// What makes two invocations the same request.
    fn fingerprint(&self) -> Sha256 {
        let said = format!(
            "{:?}",
            (
                (&self.entitlement, &self.set, &self.artifacts, &self.undo, &self.reason, &self.ticket),
                (self.ttl, self.start, &self.beneficiary, &self.key)
            )
        );
        Sha256::of(said.as_bytes())
    }

    fn wanted(&self, client: &Client, key: Option<&GrantKey>) -> Result<DraftRequest, Failure> {
        let entitlement = entitlement(client, &self.entitlement)?;
        let longest = entitlement.data.pointer("/clocks/grant_seconds").and_then(Value::as_u64);
        let artifacts =
            self.artifacts.iter().map(|given| upload(client, given)).collect::<Result<Vec<_>, _>>()?;
        Ok(DraftRequest {
            entitlement: self.entitlement.clone(),
            parameters: parameters(&self.set, &entitlement.form)?,
            justification: self.reason.clone(),
            ticket: self.ticket.clone(),
            artifacts,
            undo: self.undo.clone(),
            beneficiary: self.beneficiary.clone(),
            beneficiary_key: key.map(GrantKey::line),
            grant_seconds: self
                .ttl
                .unwrap_or_else(|| longest.map_or(DEFAULT_SECONDS, |l| l.min(DEFAULT_SECONDS))),
            not_before: self.start.map(|moment| moment.to_string()),
            revises: None,
        })
    }

    /// Only what ends in an SSH certificate is bound to an SSH key.
    fn grant_key(&self, client: &Client) -> Result<Option<GrantKey>, Failure> {
        if let Some(file) = &self.key {
            return GrantKey::own(file).map(Some);
        }
        let entitlement = entitlement(client, &self.entitlement)?;
        let is_ssh = entitlement.data.pointer("/connector/ssh").is_some();
        is_ssh.then(GrantKey::fresh).transpose()
    }

    fn submit(
        &self,
        client: &Client,
        key: Option<&GrantKey>,
        draft: &Draft,
        checked: &CheckedDraft,
    ) -> Result<RequestView, Failure> {
        let session = client.session()?;
        let possession = key.map(|key| key.prove_possession(&checked.challenge)).transpose()?;
        let body = SubmitRequest {
            document: checked.document.as_str().to_owned(),
            disclosures: draft.disclosures.clone(),
            signature: session.sign_request(&checked.challenge),
            possession: possession.map(|blob| encode_url(&blob)),
        };
        // Before it is sent: a request whose key is lost could never be used, and one without its body not rejoined.
        let request = checked.request.id.as_str();
        if let Some(key) = key {
            key.keep(&KeyFolder::of(request)?, request)?;
        }
        let idempotency_key = match &self.idempotency_key {
            Some(key) => {
                Kept::new(request, &self.fingerprint(), &body).save(client, key)?;
                key.clone()
            }
            None => random_text()?,
        };
        let extras = Extras { idempotency_key: Some(&idempotency_key), ..Extras::default() };
        client.send_with("/api/v1/requests", &body, extras)
    }
}

/// Compares the server's draft with what was asked for, at this machine's clock.
pub fn check_draft(client: &Client, wanted: &DraftRequest, draft: &Draft) -> Result<CheckedDraft, Failure> {
    let session = client.session()?;
    let asking = Asking {
        person: session.person(),
        log_origin: session.log_origin(),
        now: moment::unix_now(),
        revision: 1,
    };
    Ok(check(wanted, &asking, draft)?)
}

fn preview(context: &Context<'_>, draft: &Draft) -> Result<Exit, Failure> {
    context.output.show(draft, |output| show::draft(draft, output))?;
    if draft.preview.verdict.get("verdict").and_then(Value::as_str) == Some("deny") {
        return Ok(Exit::Denied);
    }
    Ok(if draft.preview.missing.is_empty() { Exit::Done } else { Exit::Error })
}

fn entitlement(client: &Client, name: &str) -> Result<EntitlementView, Failure> {
    client.read(&format!("/api/v1/entitlements/{}", segment(name)?)).map_err(|failure| match failure {
        Failure::Problem(mut problem) if problem.code == "not_found" => {
            problem.reason = format!("there is no entitlement `{name}`");
            "`chancery entitlement list` shows what may be asked for".clone_into(&mut problem.remedy);
            Failure::Problem(problem)
        }
        other => other,
    })
}

fn upload(client: &Client, given: &str) -> Result<ArtifactReference, Failure> {
    let (name, file) = split(given, "--artifact")?;
    let path = Path::new(file);
    let size = std::fs::metadata(path).map_err(|fault| Failure::file(path, fault))?.len();
    if size > MAX_ARTIFACT_BYTES {
        return Err(Failure::file(
            path,
            format!("{size} bytes, where at most {MAX_ARTIFACT_BYTES} are taken"),
        ));
    }
    let bytes = std::fs::read(path).map_err(|fault| Failure::file(path, fault))?;
    let sha256 = Sha256::of(&bytes).to_hex();
    let media_type = media_type(path);
    let answer = client.put(&format!("/api/v1/artifacts/{sha256}"), bytes, media_type)?;
    let stored: StoredArtifact = serde_json::from_slice(&answer)
        .map_err(|fault| Failure::Fault(format!("the server's answer: {fault}")))?;
    if stored.sha256 != sha256 || stored.size != size {
        return Err(Failure::file(path, "the server stored something else"));
    }
    Ok(ArtifactReference { name: name.to_owned(), media_type: media_type.to_owned(), size, sha256 })
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("sql") => "application/sql",
        Some("json") => "application/json",
        Some("yaml" | "yml") => "application/yaml",
        Some("txt" | "diff" | "patch" | "sh") => "text/plain",
        Some(_) | None => "application/octet-stream",
    }
}
