//! Tickets: used once, and gone in time.

use std::sync::Arc;

use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_store::{Append, AppendError, Store, Ticket, TicketKey};
use serde_json::json;

use super::{Engine, append, at, event, request_stream};

fn ticket(key: &str, expires_at: Timestamp) -> Ticket {
    Ticket { kind: "nonce".into(), key: key.into(), value: json!({"for": key}), expires_at }
}

fn key(key: &str) -> TicketKey {
    TicketKey { kind: "nonce".into(), key: key.into() }
}

/// Of many appends that consume the same nonce exactly one happens.
pub async fn a_nonce_is_consumed_once<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let store = Arc::new(store);
    for round in 0..6_u32 {
        let name = format!("n{round}");
        store.put_ticket(ticket(&name, at(60))).await.unwrap();
        let racers: Vec<_> = (0..24)
            .map(|number| {
                let (store, nonce) = (Arc::clone(&store), key(&name));
                let stream = request_stream(round * 100 + number);
                let mine = Append { consume: vec![nonce], ..append(stream, 0, vec![event("e")]) };
                tokio::spawn(async move { store.append(mine).await })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(_) => won += 1,
                Err(gone) => {
                    assert_eq!(gone, AppendError::TicketGone { kind: "nonce".into(), key: name.clone() });
                }
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
    assert_eq!(store.checkpoint().await.unwrap().root().size(), 6);
}

/// Of many takers one gets the ticket.
pub async fn a_ticket_is_taken_once<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let store = Arc::new(store);
    store.put_ticket(ticket("t", at(60))).await.unwrap();
    let takers: Vec<_> = (0..32)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.take_ticket(&key("t"), at(0)).await.unwrap() })
        })
        .collect();
    let mut taken = Vec::new();
    for taker in takers {
        taken.extend(taker.await.unwrap());
    }
    assert_eq!(taken, [ticket("t", at(60))]);
}

/// A ticket is good before the moment it expires, and not at it.
pub async fn a_ticket_expires<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for (now, good) in [(0, true), (59, true), (60, false), (61, false)] {
        store.put_ticket(ticket("t", at(60))).await.unwrap();
        assert_eq!(store.ticket(&key("t"), at(now)).await.unwrap().is_some(), good, "read at {now}");
        assert_eq!(store.tickets("nonce", at(now)).await.unwrap().len(), usize::from(good), "list at {now}");
        assert_eq!(store.take_ticket(&key("t"), at(now)).await.unwrap().is_some(), good, "take at {now}");
        assert_eq!(store.ticket(&key("t"), at(0)).await.unwrap(), None, "gone after a take at {now}");
        store.put_ticket(ticket("t", at(60))).await.unwrap();
        let version = store.stream(&Stream::Policy, 0).await.unwrap().len() as u64;
        let late = Append {
            time: at(now),
            consume: vec![key("t")],
            ..append(Stream::Policy, version, vec![event("e")])
        };
        assert_eq!(store.append(late).await.is_ok(), good, "consume at {now}");
    }
}

/// A key that is remembered already refuses the repeat, until it has expired or is consumed in the same append.
pub async fn a_repeat_is_recognised<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let remember = |expected, time, consume| Append {
        time,
        remember: vec![ticket("idem", time.plus(60))],
        consume,
        ..append(Stream::Policy, expected, vec![event("e")])
    };
    store.append(remember(0, at(0), vec![])).await.unwrap();
    let repeat = store.append(remember(1, at(59), vec![])).await.unwrap_err();
    assert_eq!(repeat, AppendError::TicketTaken { kind: "nonce".into(), key: "idem".into() });
    store.append(remember(1, at(60), vec![])).await.unwrap();
    store.append(remember(2, at(61), vec![key("idem")])).await.unwrap();
    assert_eq!(store.stream(&Stream::Policy, 0).await.unwrap().len(), 3);
}

/// Sweeping removes what has expired and nothing else; putting replaces.
pub async fn sweeping_and_replacing<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for (name, expires) in [("a", 10), ("b", 20), ("c", 30)] {
        store.put_ticket(ticket(name, at(expires))).await.unwrap();
    }
    assert_eq!(store.sweep_tickets(at(20)).await.unwrap(), 2);
    assert_eq!(store.sweep_tickets(at(20)).await.unwrap(), 0);
    assert_eq!(store.tickets("nonce", at(0)).await.unwrap(), [ticket("c", at(30))]);
    let changed = Ticket { value: json!("new"), ..ticket("c", at(90)) };
    store.put_ticket(changed.clone()).await.unwrap();
    assert_eq!(store.tickets("nonce", at(0)).await.unwrap(), [changed]);
    assert_eq!(store.tickets("session", at(0)).await.unwrap(), []);
}

/// Whose tickets they are stands at the beginning of their keys.
pub async fn tickets_by_the_beginning_of_their_keys<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for (key, seconds) in
        [("ada/2", 60), ("ada/1", 60), ("ada/3", 5), ("adam/1", 60), ("ad", 60), ("b/1", 60)]
    {
        store.put_ticket(ticket(key, at(seconds))).await.unwrap();
    }
    let other = Ticket { kind: "session".into(), ..ticket("ada/9", at(60)) };
    store.put_ticket(other).await.unwrap();
    for (prefix, now, keys) in [
        ("ada/", 0, vec!["ada/1", "ada/2", "ada/3"]),
        ("ada/", 5, vec!["ada/1", "ada/2"]),
        ("ada/", 60, vec![]),
        ("c", 0, vec![]),
        ("", 0, vec!["ad", "ada/1", "ada/2", "ada/3", "adam/1", "b/1"]),
    ] {
        let found = store.tickets_of("nonce", prefix, at(now)).await.unwrap();
        let found: Vec<String> = found.into_iter().map(|ticket| ticket.key).collect();
        assert_eq!(found, keys, "`{prefix}` at {now}");
    }
}
