//! Streams, versions, the tree over them, and what an acknowledgement promises.

use std::collections::BTreeSet;
use std::sync::Arc;

use chancery_canonical::Sha256;
use chancery_domain::id::AlertId;
use chancery_domain::leaf::Stream;
use chancery_ledger::tile::{
    TileKind, decode_bundle, prove_consistency_from_tiles, prove_inclusion_from_tiles,
};
use chancery_ledger::tree::{verify_consistency, verify_inclusion};
use chancery_ledger::{TilePath, leaf_hash};
use chancery_store::{
    Append, AppendError, Appended, Document, NewAttestation, NewEffect, Position, Refusal, Store,
    StreamAppend, Ticket, TicketKey,
};
use serde_json::json;

use super::{
    Engine, append, assert_sound, at, attested, event, log_key, person, request, request_stream, row, text,
    tiles,
};

/// Proves every position of the answer under the checkpoint in it, from the store's own tiles.
async fn assert_proved(store: &impl Store, appended: &Appended) {
    let root = *appended.checkpoint.root();
    appended.checkpoint.note().verify(&log_key()).unwrap();
    let tiles = tiles(store, root.size()).await;
    for position in &appended.positions {
        for index in [Some(position.leaf_index), position.attestation_index].into_iter().flatten() {
            let leaf = store.entries(index..index + 1).await.unwrap().remove(0);
            let path =
                prove_inclusion_from_tiles(root.size(), index, |path| tiles.get(path).cloned()).unwrap();
            verify_inclusion(&root, index, &leaf_hash(&leaf), &path).unwrap();
        }
    }
}

/// Versions start at 1 without gaps, `previous` is the hash of the stream's event before, whatever lies between.
pub async fn versions_and_previous_are_contiguous<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for round in 0..4_u64 {
        for number in 0..3 {
            let events = vec![event("a"), attested("b")];
            let appended = store.append(append(request_stream(number), round * 2, events)).await.unwrap();
            let versions: Vec<u64> = appended.positions.iter().map(|position| position.version).collect();
            assert_eq!(versions, [round * 2 + 1, round * 2 + 2]);
            assert_proved(&store, &appended).await;
        }
    }
    for number in 0..3 {
        let events = store.stream(&request_stream(number), 0).await.unwrap();
        assert_eq!(events.len(), 8);
        let mut previous = None;
        for (version, event) in (1..).zip(&events) {
            assert_eq!((event.leaf.version, event.leaf.previous), (version, previous));
            assert_eq!(event.leaf.to_bytes().unwrap(), event.leaf_bytes);
            previous = Some(Sha256::from_bytes(*leaf_hash(&event.leaf_bytes).as_bytes()));
        }
        assert_eq!(store.stream(&request_stream(number), 7).await.unwrap(), events[6..]);
        assert_eq!(store.stream(&request_stream(number), 9).await.unwrap(), []);
    }
    assert_sound(&store).await;
}

/// An attestation's leaf stands right after its event's, and comes back with it.
pub async fn an_attestation_follows_its_event<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let events = vec![event("x"), attested("y"), event("z")];
    let appended = store.append(append(request_stream(1), 0, events)).await.unwrap();
    let at_leaf = |version, leaf_index, attestation_index| Position {
        stream: request_stream(1),
        version,
        leaf_index,
        attestation_index,
    };
    assert_eq!(appended.positions, [at_leaf(1, 0, None), at_leaf(2, 1, Some(2)), at_leaf(3, 3, None)]);
    let stored = store.events_from(0, 10).await.unwrap();
    let NewAttestation { leaf, envelope } = attested("y").attestation.unwrap();
    let attestation = stored[1].attestation.as_ref().unwrap();
    assert_eq!((attestation.leaf_index, &attestation.leaf, &attestation.envelope), (2, &leaf, &envelope));
    assert_eq!(store.entries(2..3).await.unwrap(), [leaf]);
    let positions: Vec<Position> = stored.into_iter().map(|event| event.position).collect();
    assert_eq!(positions, appended.positions);
}

/// Another version than expected refuses, says both, and leaves nothing behind.
pub async fn a_conflict_names_both_versions<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.append(append(request_stream(1), 0, vec![event("a"), event("b")])).await.unwrap();
    for expected in [0, 1, 3, u64::MAX] {
        let refused = store.append(append(request_stream(1), expected, vec![event("c")])).await.unwrap_err();
        assert_eq!(refused, AppendError::Conflict { stream: request_stream(1), expected, actual: 2 });
    }
    let refused = store.append(append(request_stream(2), 1, vec![event("c")])).await.unwrap_err();
    assert_eq!(refused, AppendError::Conflict { stream: request_stream(2), expected: 1, actual: 0 });
    assert_eq!(store.checkpoint().await.unwrap().root().size(), 2);
}

/// Whatever refuses an append, nothing of it stays: no event, document, row, effect or ticket.
pub async fn an_append_is_all_or_nothing<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    store.append(append(Stream::Policy, 0, vec![event("policy.activate")])).await.unwrap();
    let nonce = Ticket { kind: "nonce".into(), key: "n".into(), value: text("v"), expires_at: at(60) };
    let nonce_key = TicketKey { kind: "nonce".into(), key: "n".into() };
    store.put_ticket(nonce.clone()).await.unwrap();
    let bytes = b"SELECT 1".to_vec();
    let document = Document { sha256: Sha256::of(&bytes), media_type: "application/sql".into(), bytes };
    let whole = Append {
        documents: vec![document.clone()],
        request_rows: vec![row(1, 1, "pending")],
        effects: vec![NewEffect { key: "e".into(), kind: "tell".into(), due_at: at(0), payload: text("p") }],
        consume: vec![nonce_key.clone()],
        remember: vec![Ticket { kind: "seen".into(), ..nonce.clone() }],
        ..append(request_stream(1), 0, vec![event("request.submitted")])
    };
    let second = StreamAppend { stream: Stream::Policy, expected_version: 0, events: vec![event("late")] };
    let long = "x".repeat(5000);
    let wrong = Document { sha256: Sha256::of(b"other"), ..document.clone() };
    type Spoil = Box<dyn Fn(&mut Append)>;
    let spoils: Vec<(&str, Spoil)> = vec![
        ("conflict", Box::new(move |append| append.streams.push(second.clone()))),
        ("leaf", Box::new(move |append| append.streams[0].events.push(event(&long)))),
        ("document", Box::new(move |append| append.documents.push(wrong.clone()))),
        ("row", Box::new(|append| append.request_rows.push(row(1, 2, "approved")))),
        (
            "ticket",
            Box::new(|append| append.consume.push(TicketKey { kind: "nonce".into(), key: "m".into() })),
        ),
        ("taken", Box::new(|append| append.remember.push(append.remember[0].clone()))),
        (
            "attestation",
            Box::new(|append| {
                let attestation = NewAttestation { leaf: vec![b'x'; 4097], envelope: Vec::new() };
                append.streams[0].events[0].attestation = Some(attestation);
            }),
        ),
    ];
    for (name, spoil) in spoils {
        let mut spoilt = whole.clone();
        spoil(&mut spoilt);
        let refused = store.append(spoilt).await.unwrap_err();
        assert!(!matches!(refused, AppendError::Fault(_)), "{name}: {refused}");
        assert_eq!(store.checkpoint().await.unwrap().root().size(), 1, "{name}");
        assert_eq!(store.stream(&request_stream(1), 0).await.unwrap(), [], "{name}");
        assert_eq!(store.document(document.sha256).await.unwrap(), None, "{name}");
        assert_eq!(store.request_row(&request(1)).await.unwrap(), None, "{name}");
        assert_eq!(store.claim_effects(at(9), 9, 9).await.unwrap(), [], "{name}");
        assert_eq!(store.ticket(&nonce_key, at(0)).await.unwrap(), Some(nonce.clone()), "{name}");
        assert_eq!(store.tickets("seen", at(0)).await.unwrap(), [], "{name}");
    }
    store.append(whole).await.unwrap();
    assert_eq!(store.document(document.sha256).await.unwrap(), Some(document));
    assert_eq!(store.request_row(&request(1)).await.unwrap(), Some(row(1, 1, "pending")));
    assert_eq!(store.claim_effects(at(9), 9, 9).await.unwrap().len(), 1);
    assert_eq!(store.ticket(&nonce_key, at(0)).await.unwrap(), None);
    assert_sound(&store).await;
}

/// What is wrong with an append is said by name.
pub async fn refusals_are_named<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let long = event(&"x".repeat(5000));
    let refused = store.append(append(request_stream(1), 0, vec![long])).await.unwrap_err();
    assert!(matches!(refused, AppendError::Refused(Refusal::Event { .. })), "{refused}");
    let mut float = event("float");
    float.body.insert("ratio".into(), json!(0.5));
    let refused = store.append(append(request_stream(1), 0, vec![float])).await.unwrap_err();
    assert!(matches!(refused, AppendError::Refused(Refusal::Event { .. })), "{refused}");
    let early = Append {
        request_rows: vec![row(1, 2, "pending")],
        ..append(request_stream(1), 0, vec![event("request.submitted")])
    };
    let refused = store.append(early).await.unwrap_err();
    assert_eq!(refused, Refusal::RowVersion { id: request(1), row: 2, stream: 1 }.into());
}

/// Sixty-four writers: no position is lost or given twice, and each answer is proved by its own checkpoint.
pub async fn group_commit_loses_and_doubles_nothing<E: Engine>() {
    const WRITERS: u32 = 64;
    const EACH: u64 = 12;
    let (place, store) = E::fresh().open_kept();
    let store = Arc::new(store);
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for version in 0..EACH {
                    let event = if version % 3 == 0 { attested("a") } else { event("e") };
                    answers.push(
                        store.append(append(request_stream(number), version, vec![event])).await.unwrap(),
                    );
                }
                answers
            })
        })
        .collect();
    let mut answers = Vec::new();
    for writer in writers {
        answers.extend(writer.await.unwrap());
    }
    let taken: Vec<u64> = answers
        .iter()
        .flat_map(|answer| &answer.positions)
        .flat_map(|position| [Some(position.leaf_index), position.attestation_index])
        .flatten()
        .collect();
    let distinct: BTreeSet<u64> = taken.iter().copied().collect();
    let size = store.checkpoint().await.unwrap().root().size();
    assert_eq!((taken.len() as u64, distinct.len() as u64), (size, size));
    assert_eq!(size, u64::from(WRITERS) * (EACH + EACH / 3));
    assert_eq!(*store.watch_size().borrow(), size);
    for answer in &answers {
        assert!(
            answer.positions.iter().all(|position| position.leaf_index < answer.checkpoint.root().size())
        );
    }
    assert_consistent(&*store, &answers).await;
    for answer in answers.iter().step_by(37) {
        assert_proved(&*store, answer).await;
    }
    assert_sound(&*store).await;
    drop(store);
    let reopened = place.open();
    assert_eq!(reopened.checkpoint().await.unwrap().root().size(), size);
    assert_sound(&reopened).await;
}

/// Every checkpoint that was answered is a prefix of the newest.
async fn assert_consistent(store: &impl Store, answers: &[Appended]) {
    let newest = *store.checkpoint().await.unwrap().root();
    let tiles = tiles(store, newest.size()).await;
    for answer in answers {
        let old = answer.checkpoint.root();
        let path =
            prove_consistency_from_tiles(old.size(), newest.size(), |path| tiles.get(path).cloned()).unwrap();
        verify_consistency(old, &newest, &path).unwrap();
    }
}

/// Of many writers who expect the same version one wins, and the others learn it.
pub async fn one_writer_wins_a_version<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let store = Arc::new(store);
    for version in 0..8 {
        let racers: Vec<_> = (0..16)
            .map(|number| {
                let store = Arc::clone(&store);
                let mine = event(&format!("by-{number}"));
                tokio::spawn(async move { store.append(append(Stream::Policy, version, vec![mine])).await })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(_) => won += 1,
                Err(AppendError::Conflict { expected, actual, .. }) => {
                    assert_eq!((expected, actual), (version, version + 1));
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(won, 1);
    }
    assert_eq!(store.stream(&Stream::Policy, 0).await.unwrap().len(), 8);
    assert_sound(&*store).await;
}

/// Tiles of narrower widths stay readable, wider ones than the log are absent, bundles hold the entries.
pub async fn tiles_answer_at_every_width<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let events = (0..300).map(|number| event(&format!("e{number}"))).collect();
    store.append(append(request_stream(1), 0, events)).await.unwrap();
    let tile = |kind, index, width| store.tile(TilePath::new(kind, index, width).unwrap());
    let hashes = TileKind::Hashes { level: 0 };
    let full = tile(hashes, 0, 256).await.unwrap().unwrap();
    for (kind, index, width, there) in [
        (hashes, 0, 1, true),
        (hashes, 0, 255, true),
        (hashes, 1, 44, true),
        (hashes, 1, 45, false),
        (hashes, 2, 1, false),
        (TileKind::Hashes { level: 1 }, 0, 1, true),
        (TileKind::Hashes { level: 1 }, 0, 2, false),
        (TileKind::Hashes { level: 9 }, 0, 1, false),
        (TileKind::Entries, 0, 256, true),
        (TileKind::Entries, 0, 100, true),
        (TileKind::Entries, 1, 44, true),
        (TileKind::Entries, 1, 45, false),
        (TileKind::Entries, 2, 1, false),
    ] {
        assert_eq!(tile(kind, index, width).await.unwrap().is_some(), there, "{kind:?} {index} {width}");
    }
    assert_eq!(tile(hashes, 0, 7).await.unwrap().unwrap(), full[..7 * 32]);
    let bundle = tile(TileKind::Entries, 1, 44).await.unwrap().unwrap();
    let entries = store.entries(256..1000).await.unwrap();
    assert_eq!(decode_bundle(&bundle).unwrap(), entries);
    for (leaf, hash) in store.entries(0..256).await.unwrap().iter().zip(full.as_chunks::<32>().0) {
        assert_eq!(leaf_hash(leaf).as_bytes(), hash);
    }
}

/// Events of all streams come in log order, in pages.
pub async fn events_come_in_log_order<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    assert_eq!(store.newest_time().await.unwrap(), None);
    for number in 0..5 {
        let mut next = append(request_stream(number), 0, vec![attested("a"), event("b")]);
        next.time = at(u64::from(number % 3));
        store.append(next).await.unwrap();
    }
    let (mut from, mut seen) = (0, Vec::new());
    loop {
        let page = store.events_from(from, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        from = last.position.leaf_index + 1;
        seen.extend(page.into_iter().map(|event| event.position.leaf_index));
    }
    assert_eq!(seen, [0, 2, 3, 5, 6, 8, 9, 11, 12, 14]);
    assert_eq!(store.newest_time().await.unwrap(), Some(at(2)), "the greatest, not the last");
    store.append(append(Stream::Policy, 0, vec![event("c")])).await.unwrap();
    let names = |heads: Vec<chancery_store::StreamHead>| -> Vec<String> {
        heads.into_iter().map(|head| format!("{}@{}", head.stream, head.version)).collect()
    };
    assert_eq!(names(store.streams_with_prefix("pol").await.unwrap()), ["policy@1"]);
    assert_eq!(store.streams_with_prefix("request/").await.unwrap().len(), 5);
    assert_eq!(store.streams_with_prefix("identity/").await.unwrap(), []);
}

/// Identity events come in log order, and nothing else with them; so do those of alerts.
pub async fn identity_events_come_alone<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for number in 0..6 {
        store.append(append(request_stream(number), 0, vec![attested("a")])).await.unwrap();
        let stream = Stream::Identity(person(number % 2));
        store.append(append(stream, u64::from(number / 2), vec![event("b")])).await.unwrap();
        store.append(append(Stream::Policy, u64::from(number), vec![event("c")])).await.unwrap();
        let alert = AlertId::of_request(&request(number % 3));
        store.append(append(Stream::Alert(alert), u64::from(number / 3), vec![event("d")])).await.unwrap();
    }
    let mut alerts = store.events_from(0, 100).await.unwrap();
    alerts.retain(|event| matches!(event.leaf.stream, Stream::Alert(_)));
    assert_eq!(alerts.len(), 6);
    assert_eq!(store.alert_events_from(0, 100).await.unwrap(), alerts);
    let second = alerts[1].position.leaf_index;
    assert_eq!(store.alert_events_from(second, 2).await.unwrap(), alerts[1..3]);
    assert_eq!(store.alert_events_from(second + 1, 100).await.unwrap(), alerts[2..]);
    let mut expected = Vec::new();
    for event in store.events_from(0, 100).await.unwrap() {
        expected.extend(matches!(event.leaf.stream, Stream::Identity(_)).then_some(event));
    }
    assert_eq!(expected.len(), 6);
    assert_eq!(store.identity_events_from(0, 100).await.unwrap(), expected);
    let third = expected[2].position.leaf_index;
    assert_eq!(store.identity_events_from(third, 2).await.unwrap(), expected[2..4]);
    assert_eq!(store.identity_events_from(third + 1, 100).await.unwrap(), expected[3..]);
}

/// After a restart the log goes on where it was, under the same key.
pub async fn a_restart_changes_nothing<E: Engine>() {
    let place = E::fresh();
    let mut before = None;
    for round in 0..5 {
        let store = place.open();
        if let Some(before) = before.take() {
            assert_eq!(store.events_from(0, 1000).await.unwrap(), before);
        }
        let events = (0..70).map(|_| attested("e")).collect();
        let appended = store.append(append(request_stream(1), round * 70, events)).await.unwrap();
        assert_proved(&store, &appended).await;
        before = Some(store.events_from(0, 1000).await.unwrap());
        assert_sound(&store).await;
    }
    assert_eq!(place.open().checkpoint().await.unwrap().root().size(), 700);
}
