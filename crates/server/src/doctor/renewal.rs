//! What has to be renewed in time: who may sign the next trust root, and the SSH authority.

use std::fs;

use chancery_domain::event::Passkey;
use chancery_domain::id::PersonId;
use chancery_domain::people::{Directory, IDENTITY_ADMIN};
use chancery_domain::time::Timestamp;
use chancery_evidence::trust::TrustDocument;
use chancery_issuer::ssh::authority_files;

use super::Report;
use crate::config::Config;
use crate::rotate_log::Rotation;
use crate::successor::{self, Proposal};
use crate::trust::Trusted;

/// An SSH authority that is older than this is to be replaced, in days.
const AUTHORITY_DAYS: u64 = 730;
const DAY_SECONDS: u64 = 24 * 3600;

/// Whether the next trust root can be signed, and whether one waits.
pub async fn examine(config: &Config, trusted: &Trusted, now: Timestamp, report: &mut Report) {
    match Proposal::read(&config.data) {
        Ok(None) => {}
        Ok(Some(_)) => report.notice(
            "successor",
            "a successor of the trust root waits for signatures",
            "administrators sign it under People; `chancery trust propose --replace` begins anew",
        ),
        Err(error) => report.bad("successor", error.to_string(), "remove `successor.json` and propose again"),
    }
    match Rotation::read(&config.data) {
        Ok(None) => {}
        Ok(Some(rotation)) => report.notice(
            "log",
            format!("`{}` is closed, and `{}` has not begun", rotation.from, rotation.to),
            "have the administrators sign under People, stop the server, and run `chancery log rotate` again",
        ),
        Err(error) => {
            report.bad("log", error.to_string(), "`rotation.json` says that this log is closed: restore it")
        }
    }
    signers(config, trusted, report).await;
    authority(config, now, report);
}

/// Those whom the root lists and who still administrate with a key that it lists.
async fn signers(config: &Config, trusted: &Trusted, report: &mut Report) {
    let chain = match successor::people(config, trusted).await {
        Ok(chain) => chain,
        Err(error) => return report.bad("successor", error.to_string(), "look at the journal first"),
    };
    let document = trusted.root().document();
    let people = chain.directory();
    let count = listed(document).into_iter().filter(|(id, keys)| can_sign(people, id, keys)).count();
    let needed = usize::try_from(document.administrators_needed).unwrap_or(usize::MAX);
    let said = format!(
        "{count} of those whom version {} lists can sign the next, {needed} are needed",
        document.version
    );
    let renew = "renew it while they can: `chancery trust propose`, docs/operations/rotation.md";
    match count {
        count if count < needed => report.bad(
            "successor",
            said,
            "give their role or passkeys back; without them verifiers need a new trust directory by another way",
        ),
        // As many as are needed is all there may be; where there are others, they belong into the next root.
        count if count == needed && administrators(people) > needed => {
            report.notice("successor", said, renew);
        }
        _ => report.good("successor", said),
    }
}

/// Who signs the next version, by this one.
fn listed(document: &TrustDocument) -> Vec<(&PersonId, &[Passkey])> {
    if document.version > 1 {
        return document.administrators.iter().map(|one| (&one.id, one.passkeys.as_slice())).collect();
    }
    let genesis = document.genesis.persons.iter().filter(|person| person.roles.contains(IDENTITY_ADMIN));
    genesis.map(|person| (&person.id, person.passkeys.as_slice())).collect()
}

fn can_sign(people: &Directory, id: &PersonId, keys: &[Passkey]) -> bool {
    let person = people.person(id).filter(|person| !person.suspended);
    let person = person.filter(|person| person.roles.contains(IDENTITY_ADMIN));
    person.is_some_and(|person| {
        keys.iter().any(|key| person.passkeys.contains_key(key.credential_id.as_bytes()))
    })
}

fn administrators(people: &Directory) -> usize {
    let active = people.persons().filter(|person| !person.suspended);
    active.filter(|person| person.roles.contains(IDENTITY_ADMIN)).count()
}

/// How long the newest authority has been there.
fn authority(config: &Config, now: Timestamp, report: &mut Report) {
    // A file that cannot be read is a finding of the issuer's.
    let newest = authority_files(&config.ssh_ca_key()).ok().and_then(|mut files| files.pop());
    let made = newest.and_then(|path| fs::metadata(path).and_then(|file| file.modified()).ok());
    let made = made.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let Some(made) = made.and_then(|at| i64::try_from(at.as_secs()).ok()) else { return };
    let days = u64::try_from(now.unix().saturating_sub(made)).unwrap_or(0) / DAY_SECONDS;
    let said = format!("{days} days old");
    if days > AUTHORITY_DAYS {
        report.notice("SSH authority", said, "`chancery issuer rotate-ca`: docs/operations/rotation.md");
    } else {
        report.good("SSH authority", said);
    }
}
