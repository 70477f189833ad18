//! What stands beside a leaf: readable, erasable, and never part of what was signed.

use chancery_canonical::Disclosure;
use chancery_domain::leaf::Stream;
use chancery_store::{Append, Erasure, NewEvent, Refusal, Store};
use serde_json::{Value, json};

use super::{Engine, append, assert_sound, event};

fn disclosure(salt: u8, name: &str, value: &str) -> Disclosure {
    Disclosure::new(&[salt; 16], name, Value::String(value.into())).unwrap()
}

/// An erasure takes the disclosure and its clear copies, and leaves everything else and every leaf as it was.
pub async fn an_erasure_leaves_the_leaf<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let mail = disclosure(1, "mail", "ada@example.com");
    let name = disclosure(2, "name", "Ada");
    let private = json!({
        "disclosures": [mail.as_str(), name.as_str()],
        "clear": {"mail": "ada@example.com", "name": "Ada", "contact": [{"mail": "ada@example.com"}]},
    });
    let told = NewEvent { private: Some(private.clone()), ..event("person.created") };
    store.append(append(Stream::Policy, 0, vec![told])).await.unwrap();
    let before = store.stream(&Stream::Policy, 0).await.unwrap().remove(0);
    assert_eq!(before.private, Some(private));
    let erasure = Erasure { leaf_index: 0, digests: vec![mail.digest()] };
    let redact = Append { erase: vec![erasure], ..append(Stream::Policy, 1, vec![event("redaction")]) };
    store.append(redact).await.unwrap();
    let after = store.stream(&Stream::Policy, 0).await.unwrap().remove(0);
    assert_eq!(
        after.private,
        Some(json!({"disclosures": [name.as_str()], "clear": {"name": "Ada", "contact": [{}]}}))
    );
    assert_eq!((after.leaf_bytes, after.leaf), (before.leaf_bytes, before.leaf));
    assert_sound(&store).await;
}

/// Where nothing is, nothing can be erased, and the redaction's event is refused with it.
pub async fn an_erasure_of_nothing_is_refused<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.append(append(Stream::Policy, 0, vec![event("plain")])).await.unwrap();
    for leaf_index in [0, 7] {
        let erasure = Erasure { leaf_index, digests: vec![disclosure(1, "a", "b").digest()] };
        let redact = Append { erase: vec![erasure], ..append(Stream::Policy, 1, vec![event("redaction")]) };
        let refused = store.append(redact).await.unwrap_err();
        assert_eq!(refused, Refusal::NothingToErase { leaf_index }.into());
    }
    assert_eq!(store.stream(&Stream::Policy, 0).await.unwrap().len(), 1);
}

/// Private values can be put beside an event later, and replace what was there.
pub async fn private_values_are_replaced<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.append(append(Stream::Policy, 0, vec![event("plain")])).await.unwrap();
    for value in [json!({"a": 1}), json!({"b": [true, null]})] {
        assert!(store.put_private(0, value.clone()).await.unwrap());
        assert_eq!(store.stream(&Stream::Policy, 0).await.unwrap()[0].private, Some(value));
    }
    assert!(!store.put_private(1, json!({})).await.unwrap());
    assert_sound(&store).await;
}
