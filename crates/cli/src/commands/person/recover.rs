//! `chancery person recover`: a link for somebody who lost their keys, stopping a recovery, and the way of a document
//! to offline recovery keys and back.

use std::path::{Path, PathBuf};

use chancery_api::enrolment::Invitation;
use chancery_api::identity::IdentityOutcome;
use chancery_api::recovery::{
    RecoveryDocument, RecoveryDocumentRequest, RecoveryRequest, RecoverySubmission,
};
use clap::Args;
use serde_json::json;

use super::act::{Act, Waiting, passkey, person};
use crate::commands::segment;
use crate::commands::trust::recovery::RecoveryFile;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::moment;
use crate::output::Table;

/// `chancery person recover`
#[derive(Debug, Args)]
#[command(after_help = "\
Two other administrators sign on the page; the new passkey counts a day later, and until then any administrator,
and the person with a passkey from before, can stop it. With no administrators left, recovery keys sign instead:
--document and --submit need nobody to be signed in.

Examples:
  chancery person recover 01JD3Z5YQX8M0V4K2T7B9C6E1A
  chancery person recover 01JD3Z5YQX8M0V4K2T7B9C6E1A --stop
  chancery person recover --document 01JD41… --out recovery.json
  chancery trust recovery-sign recovery.json --key /media/safe/recovery.key
  chancery person recover --submit recovery.json")]
pub struct Recover {
    /// Who lost their passkeys
    #[arg(required_unless_present_any = ["document", "submit"])]
    id: Option<String>,
    /// Stop the recovery that is running; opens the page to sign
    #[arg(long, requires = "id", conflicts_with_all = ["out", "document", "submit"])]
    stop: bool,
    /// Where to write the link, or the document [default for a link: recovery-link-ID]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fetch what recovery keys sign for an enrolment that waits; the page named it to the person
    #[arg(long, value_name = "ENROLMENT", requires = "out", conflicts_with_all = ["id", "submit"])]
    document: Option<String>,
    /// Hand in what recovery keys signed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "out"])]
    submit: Option<PathBuf>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Recover {
    /// Does the one that was asked for.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match (&self.id, &self.document, &self.submit, &self.out) {
            (Some(id), _, _, _) if self.stop => self.stop(context, id),
            (Some(id), _, _, out) => begin(context, id, out.as_deref()),
            (None, Some(enrolment), _, Some(out)) => document(context, enrolment, out),
            (None, _, Some(file), _) => submit(context, file),
            (None, _, None, _) => Err(Failure::Usage("name a person, an enrolment or a file".to_owned())),
        }
    }

    fn stop(&self, context: &Context<'_>, id: &str) -> Result<Exit, Failure> {
        let client = context.client()?;
        let Some(recovery) = person(&client, id)?.recovery else {
            return Err(Failure::Outcome {
                exit: Exit::Ended,
                message: "no recovery of this person can be stopped now".to_owned(),
                remedy: "a passkey that counts already is taken away with `chancery passkey revoke`"
                    .to_owned(),
            });
        };
        let made = passkey(&recovery.credential_id)?;
        let act = Act { act: "recovery.cancelled", person: id, credential_id: Some(&made) };
        act.sign(context, &client, &self.waiting, |view| view.recovery.is_none())
    }
}

/// The link is a secret: it stays in its file.
fn begin(context: &Context<'_>, id: &str, out: Option<&Path>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let file = out.map_or_else(|| PathBuf::from(format!("recovery-link-{id}")), Path::to_owned);
    refuse_existing(&file)?;
    let person = segment(id)?.to_owned();
    let link: Invitation = client.send("/api/v1/recoveries", &RecoveryRequest { person })?;
    files::write_private(&file, format!("{}\n", link.url).as_bytes())?;
    let said = json!({"person": id, "link_file": file, "expires_at": link.expires_at});
    context.output.show(&said, |output| {
        let mut table = Table::default();
        table.pair("person", id);
        table.pair("link", &file.display().to_string());
        table.pair("ends", &moment::with_distance(&link.expires_at));
        table.render(output, "")
    })?;
    context.output.note(&format!(
        "next: give the link to the person alone; compare the fingerprint that their page shows, and let two other \
         administrators sign under {}/sign#/people",
        context.settings.server()?
    ));
    Ok(Exit::Done)
}

fn document(context: &Context<'_>, enrolment: &str, out: &Path) -> Result<Exit, Failure> {
    refuse_existing(out)?;
    let asked = RecoveryDocumentRequest { enrolment: segment(enrolment)?.to_owned() };
    let offered: RecoveryDocument = context.anonymous()?.send("/api/v1/recoveries/documents", &asked)?;
    let file = RecoveryFile {
        document: offered.document,
        needed: offered.needed,
        keys: offered.keys,
        signatures: Vec::new(),
    };
    file.write(out)?;
    let said = json!({"file": out, "needed": offered.needed, "expires_at": offered.expires_at});
    context.output.show(&said, |output| {
        let mut table = Table::default();
        table.pair("file", &out.display().to_string());
        table.pair("needs", &format!("{} of {} recovery keys", offered.needed, file.keys.len()));
        table.pair("ends", &moment::with_distance(&offered.expires_at));
        table.render(output, "")
    })?;
    context.output.note(&format!(
        "next: chancery trust recovery-sign {} --key FILE, once by each holder, away from the network",
        out.display()
    ));
    Ok(Exit::Done)
}

fn submit(context: &Context<'_>, file: &Path) -> Result<Exit, Failure> {
    let read = RecoveryFile::read(file)?;
    let asked = RecoverySubmission { document: read.document, signatures: read.signatures };
    let outcome: IdentityOutcome = context.anonymous()?.send("/api/v1/recoveries/signatures", &asked)?;
    context.output.show(&outcome, |output| {
        let mut table = Table::default();
        table.pair("person", &outcome.person);
        table.pair("leaf", &outcome.leaf_index.map(|index| index.to_string()).unwrap_or_default());
        table.pair("signed by", &outcome.signed_by.join(" "));
        table.render(output, "")
    })?;
    context.output.note("recorded: the new passkey signs in now, and counts in a day");
    Ok(Exit::Done)
}

fn refuse_existing(file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Err(Failure::Usage(format!("`{}` exists: name another file", file.display())));
    }
    Ok(())
}
