//! What a new life of the log begins with.

use chancery_canonical::Disclosure;
use chancery_domain::event::{
    IdentityEvent, LogRotated, PasskeyEnrolled, PersonCreated, PolicyActivated, PolicyEvent, TrustEvent,
    to_parts,
};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::Stream;
use chancery_domain::signature::Authority;
use chancery_domain::time::Timestamp;
use chancery_evidence::trust::{GenesisPerson, TrustRoot};
use chancery_policy::engine_version;
use chancery_store::{Append, NewEvent, SqliteStore, Store as _, StreamAppend};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{RotateError, Rotation};
use crate::app::disclosures;
use crate::app::draft_request::digest_text;
use crate::app::seal_successor::document;
use crate::successor::Proposal;
use crate::trust::Trusted;

/// Everything that the new life begins with: where the old one ended, who there is, and the policy.
pub async fn first_append(
    old: &SqliteStore,
    rotation: &Rotation,
    (trusted, next, proposal): (&Trusted, &TrustRoot, &Proposal),
    now: Timestamp,
) -> Result<Append, RotateError> {
    let time = old.newest_time().await?.map_or(now, |newest| newest.max(now));
    let mut append = Append::at(time);
    append.documents = trusted.directory.lineage().roots().map(document).collect();
    append.documents.push(document(next));
    let rotated = TrustEvent::Rotated(LogRotated {
        origin: rotation.from.to_string(),
        size: rotation.closed.size,
        root: rotation.closed.root,
        version: next.document().version,
        sha256: next.sha256(),
        signatures: proposal.signatures.clone(),
    });
    append.streams.push(stream(Stream::Trust, vec![event(&rotated, None)?]));
    for person in &next.document().genesis.persons {
        let name = name_of(old, &person.id).await?;
        append.streams.push(stream(Stream::Identity(person.id.clone()), identity(person, name)?));
        for key in person.passkeys.iter().filter_map(|key| key.attestation_sha256) {
            append.documents.extend(old.document(key).await?);
        }
    }
    let activated = PolicyEvent::Activated(PolicyActivated {
        sequence: 1,
        from: None,
        to: next.document().policy.genesis_sha256,
        engine: engine_version().to_owned(),
        authority: Authority::Genesis,
    });
    append.streams.push(stream(Stream::Policy, vec![event(&activated, None)?]));
    Ok(append)
}

/// The newest name of a person, unless it was erased.
async fn name_of(old: &SqliteStore, person: &PersonId) -> Result<Option<Disclosure>, RotateError> {
    let events = old.stream(&Stream::Identity(person.clone()), 1).await?;
    let names = events.iter().rev().flat_map(|event| disclosures(event.private.as_ref()));
    Ok(names.into_iter().find(|one| one.name() == "name"))
}

fn identity(person: &GenesisPerson, name: Option<Disclosure>) -> Result<Vec<NewEvent>, RotateError> {
    let [first, further @ ..] = person.passkeys.as_slice() else { return Ok(Vec::new()) };
    let created = IdentityEvent::Created(PersonCreated {
        person: person.id.clone(),
        passkey: first.clone(),
        roles: person.roles.clone(),
        attributes: person.attributes.clone(),
        concealed: name.iter().map(digest_text).collect(),
        authority: Authority::Genesis,
    });
    let mut events = vec![event(&created, name.map(|name| json!({ "disclosures": [name] })))?];
    for passkey in further {
        let enrolled = IdentityEvent::PasskeyEnrolled(PasskeyEnrolled {
            person: person.id.clone(),
            passkey: passkey.clone(),
            authority: Authority::Genesis,
        });
        events.push(event(&enrolled, None)?);
    }
    Ok(events)
}

fn event(event: &impl Serialize, private: Option<Value>) -> Result<NewEvent, RotateError> {
    let parts = to_parts(event).map_err(|error| RotateError::Other(error.to_string()));
    let (kind, body): (String, Map<String, Value>) = parts?;
    Ok(NewEvent { kind, body, private, attestation: None })
}

fn stream(stream: Stream, events: Vec<NewEvent>) -> StreamAppend {
    StreamAppend { stream, expected_version: 0, events }
}
