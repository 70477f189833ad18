//! Grants, and the credentials under them.

use std::path::{Path, PathBuf};

use chancery_api::grant::{Credential, GrantView};
use chancery_domain::document::RequestDocument;
use chancery_issuer::issue::read_certificate;
use clap::Subcommand;
use serde::Serialize;
use serde_json::{Value, json};

use crate::client::{Client, Extras, random_text};
use crate::commands::decide::{Waiting, revoke};
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, Table, Tone, clean};
use crate::ssh_key::{GrantKey, KeyFolder};

/// `chancery grant`
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Grants that you may see
    List,
    /// One grant
    View {
        /// Its id, which is the request's
        id: String,
    },
    /// Get a credential; the first one starts the grant's clock
    #[command(
        after_help = "Example:\n  chancery grant credential 01JD3Z5YQX8M0V4K2T7B9C6E1A\n  ssh -i ~/.local/state/chancery/keys/01JD…/id_ed25519 deploy@web-1"
    )]
    Credential {
        /// The grant
        id: String,
        /// Your own key, where the request was made elsewhere and names it
        #[arg(long, value_name = "FILE.pub")]
        key: Option<PathBuf>,
    },
    /// End a grant early: opens the page on which your passkey signs
    Revoke {
        /// The grant
        id: String,
        /// Why; to be entered on the page, where it is signed with the decision
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        waiting: Waiting,
    },
}

/// A credential that is ready to be used.
#[derive(Debug, Serialize)]
pub struct Ready {
    /// As the server gave it.
    #[serde(flatten)]
    pub credential: Credential,
    /// What `ssh -i` takes.
    pub identity: PathBuf,
    /// The certificate's file.
    pub certificate_file: PathBuf,
    /// `LOGIN@HOST`, for which alone it is good.
    pub destination: String,
}

impl Grant {
    /// Does it.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::List => {
                let items: Vec<GrantView> = context.client()?.list("/api/v1/grants", &[], usize::MAX)?;
                context.output.show_all(&items, |output| table(&items, output))?;
                Ok(Exit::Done)
            }
            Self::View { id } => {
                let view: GrantView = read(&context.client()?, &id)?;
                context.output.show(&view, |output| one(&view, output))?;
                Ok(Exit::Done)
            }
            Self::Credential { id, key } => {
                let client = context.client()?;
                if let Some(file) = key {
                    take_key(&client, &id, &file)?;
                }
                let ready = credential(&client, &id)?;
                context.output.show(&ready, |output| how_to_use(&ready, output))?;
                Ok(Exit::Done)
            }
            Self::Revoke { id, reason, waiting } => revoke(context, &id, &reason, &waiting),
        }
    }
}

/// Reads one grant.
pub fn read(client: &Client, id: &str) -> Result<GrantView, Failure> {
    client.read(&format!("/api/v1/grants/{}", segment(id)?))
}

/// Remembers a key of the user's own for a request that was made elsewhere, such as on the console.
fn take_key(client: &Client, id: &str, file: &Path) -> Result<(), Failure> {
    let key = GrantKey::own(file)?;
    let document = super::request::read(client, id)?.document;
    let document: RequestDocument = serde_json::from_str(&document)
        .map_err(|fault| Failure::Fault(format!("the request that the server sent: {fault}")))?;
    if document.beneficiary.public_key.as_deref() != Some(key.line().as_str()) {
        return Err(Failure::file(file, "is another key than the one that the request names"));
    }
    key.keep(&KeyFolder::of(id)?, id)
}

/// Has a credential issued, and keeps it beside its key.
pub fn credential(client: &Client, id: &str) -> Result<Ready, Failure> {
    credential_into(client, id, &KeyFolder::of(id)?)
}

/// The same with the key in another folder.
pub fn credential_into(client: &Client, id: &str, folder: &KeyFolder) -> Result<Ready, Failure> {
    // First of all: a credential whose key is elsewhere would only run down the clock.
    let identity = folder.identity()?;
    let key = random_text()?;
    let extras = Extras { idempotency_key: Some(&key), ..Extras::default() };
    let path = format!("/api/v1/grants/{}/credentials", segment(id)?);
    let credential: Credential = client.send_with(&path, &json!({}), extras)?;
    let facts = read_certificate(&credential.certificate)
        .map_err(|fault| Failure::Fault(format!("the certificate that the server sent: {fault}")))?;
    if facts.public_key != folder.public_key()?.to_string() {
        return Err(Failure::Fault("the certificate that the server sent is for another key".to_owned()));
    }
    let certificate_file = folder.keep_certificate(&credential.certificate)?;
    let destination = facts.principals.into_iter().next().unwrap_or_default();
    Ok(Ready { credential, identity, certificate_file, destination })
}

/// Ends a grant as its requester.
pub fn end(client: &Client, id: &str) -> Result<Option<Value>, Failure> {
    let answer = client.post_empty(&format!("/api/v1/grants/{}/end", segment(id)?))?;
    Ok(serde_json::from_slice(&answer).ok())
}

fn table(items: &[GrantView], output: &Output) -> String {
    let mut table = Table::with_header(&["GRANT", "STATE", "ENTITLEMENT", "FOR", "LEASES", "ENDS"]);
    for item in items {
        table.row([
            item.id.clone(),
            item.state.clone(),
            item.entitlement.clone(),
            item.beneficiary.name.clone().unwrap_or_else(|| item.beneficiary.person.clone()),
            item.leases.len().to_string(),
            item.ends_at.as_deref().map(moment::with_distance).unwrap_or_default(),
        ]);
    }
    table.render(output, "no grants")
}

fn one(view: &GrantView, output: &Output) -> String {
    let mut table = Table::default();
    table.pair("grant", &view.id);
    table.pair("state", &view.state);
    table.pair("of", &view.entitlement);
    table.pair("by", view.requester.name.as_deref().unwrap_or(&view.requester.person));
    table.pair("for", view.beneficiary.name.as_deref().unwrap_or(&view.beneficiary.person));
    for (name, moment) in
        [("start by", &view.starts_by), ("started", &view.started_at), ("ends", &view.ends_at)]
    {
        if let Some(moment) = moment {
            table.pair(name, &moment::with_distance(moment));
        }
    }
    for lease in &view.leases {
        table.pair(
            "lease",
            &format!("{} {} serial {} until {}", lease.lease, lease.status, lease.serial, lease.not_after),
        );
    }
    for sessions in &view.sessions_may_stay_open {
        let told = format!(
            "sessions that the host's log names `{}`; only the host can end them",
            sessions.named_in_log
        );
        table.pair("may stay open", &told);
    }
    table.render(output, "")
}

fn how_to_use(ready: &Ready, output: &Output) -> String {
    let mut table = Table::default();
    table.pair("lease", &ready.credential.lease);
    table.pair("serial", &ready.credential.serial);
    table.pair("good for", &ready.destination);
    table.pair("until", &moment::with_distance(&ready.credential.not_after));
    table.pair("certificate", &ready.certificate_file.display().to_string());
    let identity = clean(&ready.identity.display().to_string());
    let certificate = clean(&ready.certificate_file.display().to_string());
    let destination = clean(&ready.destination);
    format!(
        "{}\n{}\n",
        table.render(output, ""),
        output.paint(
            Tone::Strong,
            &format!("ssh -i '{identity}' -o CertificateFile='{certificate}' {destination}")
        )
    )
}
