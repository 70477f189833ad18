use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chancery_canonical::Bytes;
use chancery_domain::time::Timestamp;

use super::{End, Listener, MAX_WAITING};
use crate::app::sign_in::Session;

fn listener() -> Listener {
    let session = Session {
        person: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
        public_key: None,
        started_at: None,
        expires_at: Timestamp::from_unix(1_000).unwrap(),
        credential_id: Bytes::new(b"key").unwrap(),
    };
    Listener::new(session, "token".to_owned())
}

/// Everything that can be read now.
fn read(listener: &Listener) -> (Vec<String>, bool) {
    let mut context = Context::from_waker(Waker::noop());
    let mut read = Vec::new();
    loop {
        match listener.poll(&mut context) {
            Poll::Ready(Some(bytes)) => read.push(String::from_utf8(bytes.to_vec()).unwrap()),
            Poll::Ready(None) => return (read, true),
            Poll::Pending => return (read, false),
        }
    }
}

fn texts(range: std::ops::Range<usize>) -> Vec<Arc<str>> {
    range.map(|number| number.to_string().into()).collect()
}

#[test]
fn who_never_reads_is_let_go_and_is_told_where_to_go_on() {
    let listener = listener();
    for start in (0..10 * MAX_WAITING).step_by(100) {
        listener.hand(&texts(start..start + 100));
        assert!(listener.locked().waiting.len() <= MAX_WAITING);
    }
    let (read, ended) = read(&listener);
    assert!(ended);
    assert_eq!(read.len(), MAX_WAITING + 1);
    for (number, text) in read.iter().take(MAX_WAITING).enumerate() {
        assert_eq!(*text, number.to_string(), "nothing is left out before the end");
    }
    assert_eq!(read.last().map(String::as_str), Some("event: end\ndata: {\"reason\":\"behind\"}\n\n"));
}

#[test]
fn the_room_of_a_burst_is_not_kept() {
    let listener = listener();
    listener.hand(&texts(0..MAX_WAITING));
    assert_eq!(read(&listener).0.len(), MAX_WAITING);
    assert_eq!(listener.locked().waiting.capacity(), 0);
    listener.beat();
    listener.beat();
    assert_eq!(read(&listener), (vec![": heartbeat\n\n".to_owned()], false));
}

#[test]
fn what_waits_when_a_session_ends_is_not_sent() {
    let listener = listener();
    listener.hand(&texts(0..3));
    listener.end(End::SessionOver);
    listener.hand(&texts(3..6));
    let (read, ended) = read(&listener);
    assert_eq!((read.len(), ended), (1, true));
    assert!(read.iter().all(|text| text.contains("session_over")), "{read:?}");
}
