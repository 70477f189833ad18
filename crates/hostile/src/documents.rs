//! JSON in all its uses: strict reading, documents that are signed, leaves of the log, bodies of requests.

use std::fmt::Debug;
use std::path::Path;
use std::sync::LazyLock;

use chancery_api::{decision, enrolment, identity, login, recovery, request, session, trust};
use chancery_canonical::json::{self, Value};
use chancery_canonical::{Canonical, Disclosure};
use chancery_domain::document::{DecisionDocument, IdentityDocument, RequestDocument, SessionDocument};
use chancery_domain::event::{IdentityEvent, RequestEvent, TrustEvent, from_parts, to_parts};
use chancery_domain::leaf::EventLeaf;
use chancery_evidence::trust::TrustRoot;
use chancery_policy::Bundle;
use chancery_policy::form::Form;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub fn json(bytes: &[u8]) -> bool {
    let parsed = json::parse(bytes);
    let canonical = Canonical::parse(bytes);
    assert_eq!(json::is_canonical(bytes), canonical.is_ok());
    let Ok(value) = parsed else {
        assert!(canonical.is_err(), "what cannot be read is not canonical");
        return false;
    };
    assert_eq!(serde_json::from_slice::<Value>(bytes).ok().as_ref(), Some(&value), "readers agree");
    let written = json::to_canonical(&value).unwrap();
    assert_eq!(json::parse_canonical(written.as_bytes()), Ok(value), "what was written is read the same");
    assert_eq!(canonical.is_ok(), written.as_bytes() == bytes, "one value has one canonical form");
    true
}

/// Any document that somebody signs, or that everything else is verified with.
pub fn document(bytes: &[u8]) -> bool {
    let Ok(canonical) = Canonical::parse(bytes) else { return false };
    assert_eq!(canonical.as_bytes(), bytes);
    let taken = [
        is_kept_whole::<RequestDocument>(&canonical),
        is_kept_whole::<DecisionDocument>(&canonical),
        is_kept_whole::<SessionDocument>(&canonical),
        is_kept_whole::<IdentityDocument>(&canonical),
        is_trust_root(&canonical),
    ];
    let kinds = taken.iter().filter(|taken| **taken).count();
    assert!(kinds <= 1, "a document is of one kind");
    kinds == 1
}

/// Whether the document is a `T`, and then that a `T` is all that it says.
fn is_kept_whole<T: DeserializeOwned + Serialize>(document: &Canonical) -> bool {
    let Ok(value) = document.decode::<T>() else { return false };
    assert_eq!(Canonical::of(&value).as_ref(), Ok(document), "one meaning has one spelling");
    true
}

/// Whether it is a `trust.json`. What it leaves out of a floor is false, so writing it again may say more.
fn is_trust_root(document: &Canonical) -> bool {
    let Ok(root) = TrustRoot::parse(document.as_bytes()) else { return false };
    assert_eq!(root.canonical(), document, "what was read is what is hashed");
    let again = TrustRoot::new(root.document().clone()).unwrap();
    assert_eq!(again.document(), root.document(), "what was written is read the same");
    true
}

pub fn event_leaf(bytes: &[u8]) -> bool {
    let Ok(leaf) = EventLeaf::from_bytes(bytes) else { return false };
    assert_eq!(leaf.to_bytes().as_deref(), Ok(bytes), "a leaf has one spelling");
    [is_event::<RequestEvent>(&leaf), is_event::<IdentityEvent>(&leaf), is_event::<TrustEvent>(&leaf)]
        .contains(&true)
}

/// Whether the leaf holds such an event, which then stays the same. Sets in it may stand in any order.
fn is_event<E: DeserializeOwned + Serialize + PartialEq + Debug>(leaf: &EventLeaf) -> bool {
    let Ok(event) = from_parts::<E>(&leaf.kind, &leaf.body) else { return false };
    let (kind, body) = to_parts(&event).unwrap();
    assert_eq!(kind, leaf.kind);
    assert_eq!(from_parts::<E>(&kind, &body).ok(), Some(event), "what was written is read the same");
    true
}

pub fn disclosure(bytes: &[u8]) -> bool {
    crate::text(bytes, |text| {
        let Ok(disclosure) = Disclosure::parse(text) else { return false };
        assert_eq!(disclosure.as_str(), text);
        let again = Disclosure::new(&[7; 16], disclosure.name(), disclosure.value().clone());
        // Another salt may be longer than the one that it came with.
        if let Ok(again) = again {
            assert_eq!((again.name(), again.value()), (disclosure.name(), disclosure.value()));
            assert_eq!(Disclosure::parse(again.as_str()), Ok(again));
        }
        true
    })
}

/// The body of any route.
pub fn request_body(bytes: &[u8]) -> bool {
    let Ok(body) = json::parse(bytes) else { return false };
    if let Some(draft) = read::<request::DraftRequest>(&body) {
        for form in FORMS.iter() {
            assert_eq!(form.violations(&draft.parameters), form.violations(&draft.parameters));
        }
    }
    READERS.iter().map(|reads| reads(&body)).fold(false, |taken, reads| taken | reads)
}

const READERS: &[fn(&Value) -> bool] = &[
    reads::<request::DraftRequest>,
    reads::<request::SubmitRequest>,
    reads::<request::RedactionRequest>,
    reads::<decision::DecisionOptionsRequest>,
    reads::<decision::DecisionRequest>,
    reads::<enrolment::InvitationRequest>,
    reads::<enrolment::EnrolmentOptionsRequest>,
    reads::<enrolment::EnrolmentRequest>,
    reads::<enrolment::PasskeyRequest>,
    reads::<identity::IdentityOptionsRequest>,
    reads::<identity::IdentityRequest>,
    reads::<session::SessionOptionsRequest>,
    reads::<session::SessionRequest>,
    reads::<login::LoginRequest>,
    reads::<recovery::RecoveryRequest>,
    reads::<recovery::RecoveryDocumentRequest>,
    reads::<recovery::RecoverySubmission>,
    reads::<trust::TrustSignature>,
];

fn reads<T: DeserializeOwned + Serialize>(body: &Value) -> bool {
    read::<T>(body).is_some()
}

/// A body as this type, which is all that it keeps.
fn read<T: DeserializeOwned + Serialize>(body: &Value) -> Option<T> {
    let value = serde_json::from_value::<T>(body.clone()).ok()?;
    let written = serde_json::to_value(&value).unwrap();
    let again: T = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(again).unwrap(), written, "a body that was written is read the same");
    Some(value)
}

/// The forms of the default policy.
static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let bundle = Bundle::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")).unwrap();
    bundle.entitlements().values().map(|entitlement| entitlement.form().clone()).collect()
});
