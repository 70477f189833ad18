//! The read model `requests`.

use chancery_domain::leaf::Stream;
use chancery_store::{
    Append, Check, MAX_PAGE, Past, Rebuild, RequestFilter, RequestPage, RequestRow, StateCount, Store,
};
use serde_json::json;

use super::{Engine, append, at, event, person, projection, request, request_stream, row};

async fn submit(store: &impl Store, row: RequestRow) {
    let stream = Stream::Request(row.id.clone());
    let kind = row.state.clone();
    let expected = row.version - 1;
    let next = Append { request_rows: vec![row], ..append(stream, expected, vec![event(&kind)]) };
    store.append(next).await.unwrap();
}

fn numbers(page: &RequestPage) -> Vec<u32> {
    let number = |row: &RequestRow| row.id.as_str()[18..].parse().unwrap();
    page.rows.iter().map(number).collect()
}

/// Each filter restricts, all together restrict more.
pub async fn filters_restrict<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for number in 0..12 {
        let state = ["pending", "approved", "denied"][number as usize % 3];
        let entitlement = ["prod-database", "firewall"][number as usize % 2];
        submit(
            &store,
            RequestRow {
                requester: person(number % 4),
                beneficiary: person(50 + number % 2),
                participants: if number == 5 { vec![person(90), person(91)] } else { Vec::new() },
                entitlement: entitlement.into(),
                created_at: at(u64::from(number)),
                updated_at: at(u64::from(number)),
                ..row(number, 1, state)
            },
        )
        .await;
    }
    let any = RequestFilter::default();
    let pending = RequestFilter { states: vec!["pending".into()], ..any.clone() };
    for (filter, expected) in [
        (any.clone(), vec![11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (pending.clone(), vec![9, 6, 3, 0]),
        (
            RequestFilter { states: vec!["pending".into(), "denied".into()], ..any.clone() },
            vec![11, 9, 8, 6, 5, 3, 2, 0],
        ),
        (RequestFilter { requester: Some(person(1)), ..any.clone() }, vec![9, 5, 1]),
        (RequestFilter { participant: Some(person(1)), ..any.clone() }, vec![9, 5, 1]),
        (RequestFilter { participant: Some(person(51)), ..any.clone() }, vec![11, 9, 7, 5, 3, 1]),
        (RequestFilter { participant: Some(person(91)), ..any.clone() }, vec![5]),
        (RequestFilter { participant: Some(person(77)), ..any.clone() }, vec![]),
        (RequestFilter { entitlement: Some("firewall".into()), ..pending.clone() }, vec![9, 3]),
        (
            RequestFilter { entitlement: Some("firewall".into()), requester: Some(person(1)), ..pending },
            vec![9],
        ),
        (RequestFilter { updated_since: Some(at(9)), ..any.clone() }, vec![11, 10, 9]),
        (
            RequestFilter { updated_since: Some(at(4)), participant: Some(person(1)), ..any.clone() },
            vec![9, 5],
        ),
        (RequestFilter { states: vec!["' OR 1=1 --".into()], ..any.clone() }, vec![]),
    ] {
        let page = store.request_rows(filter.clone(), None, 100).await.unwrap();
        assert_eq!(numbers(&page), expected, "{filter:?}");
        assert_eq!(page.next, None);
        assert_paged(&store, &filter, &page).await;
        for since in [0_u32, 6, 12] {
            let counted = store.count_requests(filter.clone(), at(u64::from(since))).await.unwrap();
            let after = expected.iter().filter(|number| **number >= since).count();
            assert_eq!(counted, after as u64, "{filter:?} since {since}");
        }
    }
}

/// A filter gives the same rows in pages of two.
async fn assert_paged(store: &impl Store, filter: &RequestFilter, whole: &RequestPage) {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.request_rows(filter.clone(), after, 2).await.unwrap();
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return assert_eq!(rows, whole.rows, "{filter:?}");
        }
    }
}

/// The counts of one requester are those of the filter.
pub async fn counts_of_a_requester<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let states = ["pending", "denied", "revoked"];
    for number in 0..18 {
        let entitlement = ["prod-database", "firewall"][number as usize % 2].to_owned();
        let created_at = at(u64::from(number));
        let new = RequestRow {
            requester: person(number % 3),
            entitlement,
            subject: format!("db-{}", number % 4),
            grant_seconds: u64::from(number) * 60,
            created_at,
            ..row(number, 1, "pending")
        };
        submit(&store, new.clone()).await;
        // A row that changes is counted as what it is now.
        submit(&store, RequestRow { version: 2, state: states[number as usize / 3 % 3].to_owned(), ..new })
            .await;
    }
    let moments = [at(0), at(7), at(18)];
    for requester in [person(0), person(2), person(9)] {
        let past =
            Past { requester: requester.clone(), entitlement: "firewall".into(), subject: "db-1".into() };
        let counted = store.count_of_requester(&past, moments.to_vec()).await.unwrap();
        for (since, counts) in moments.iter().zip(&counted) {
            for state in states {
                let mut filter =
                    RequestFilter { requester: Some(requester.clone()), ..RequestFilter::default() };
                filter.states = vec![state.to_owned()];
                let all = store.count_requests(filter.clone(), *since).await.unwrap();
                filter.entitlement = Some("firewall".to_owned());
                let same = store.request_rows(filter, None, MAX_PAGE).await.unwrap().rows;
                let same: Vec<RequestRow> = same.into_iter().filter(|row| row.created_at >= *since).collect();
                let expected = StateCount {
                    state: state.to_owned(),
                    requests: all,
                    of_entitlement: same.len() as u64,
                    of_subject: same.iter().filter(|row| row.subject == "db-1").count() as u64,
                    longest_grant_seconds: same.iter().map(|row| row.grant_seconds).max().unwrap_or(0),
                };
                let none = StateCount { state: state.to_owned(), ..StateCount::default() };
                let found = counts.iter().find(|count| count.state == state).unwrap_or(&none);
                assert_eq!(*found, expected, "{requester:?} {state} since {since}");
            }
        }
        assert_eq!(counted.len(), moments.len());
    }
}

/// Pages join without a gap or a repeat, and are never longer than allowed.
pub async fn pages_join<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    let count = u32::try_from(MAX_PAGE).unwrap() + 10;
    for number in 0..count {
        submit(&store, row(number, 1, "pending")).await;
    }
    let any = RequestFilter::default;
    let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = store.request_rows(any(), after, 30).await.unwrap();
        seen.extend(numbers(&page));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 7, "210 rows in pages of 30, and none after the last");
    assert_eq!(seen, (0..count).rev().collect::<Vec<_>>());
    assert_eq!(store.request_rows(any(), None, 100_000).await.unwrap().rows.len(), MAX_PAGE);
}

/// A newer row replaces the older one, people who left included.
pub async fn a_row_is_replaced<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    submit(&store, RequestRow { participants: vec![person(8)], ..row(1, 1, "pending") }).await;
    let newer = RequestRow {
        participants: vec![person(9)],
        due_at: None,
        summary: json!([1, {"deep": "value"}]),
        risk_score: u32::MAX,
        ..row(1, 2, "approved")
    };
    submit(&store, newer.clone()).await;
    assert_eq!(store.request_row(&request(1)).await.unwrap(), Some(newer));
    assert_eq!(store.request_row(&request(2)).await.unwrap(), None);
    for (number, rows) in [(8, 0), (9, 1), (1, 1)] {
        let filter = RequestFilter { participant: Some(person(number)), ..RequestFilter::default() };
        assert_eq!(store.request_rows(filter, None, 9).await.unwrap().rows.len(), rows, "person {number}");
    }
}

/// A row that lies is found by comparing and put right by rewriting.
pub async fn a_rebuild_finds_and_repairs<E: Engine>() {
    let (_place, store) = E::fresh().open_kept();
    for number in 0..4 {
        submit(&store, row(number, 1, "pending")).await;
    }
    assert_eq!(store.rebuild(Rebuild::Compare, projection()).await.unwrap(), []);
    let lie = RequestRow { risk_score: 1, ..row(2, 2, "approved") };
    submit(&store, lie.clone()).await;
    // An event without a row: its request never shows in a list.
    store.append(append(request_stream(9), 0, vec![event("pending")])).await.unwrap();
    let findings = store.integrity(Some(projection())).await.unwrap();
    assert_eq!(findings.iter().map(|finding| finding.check).collect::<Vec<_>>(), [Check::ReadModel; 2]);
    for mode in [Rebuild::Compare, Rebuild::Rewrite] {
        let found = store.rebuild(mode, projection()).await.unwrap();
        let ids: Vec<_> = found.iter().map(|difference| difference.id.clone()).collect();
        assert_eq!(ids, [request(2), request(9)], "{mode:?}");
        assert_eq!(found[0].stored, Some(lie.clone()));
        assert_eq!(found[0].rebuilt, Some(row(2, 2, "approved")));
        assert_eq!(found[1].stored, None);
    }
    assert_eq!(store.rebuild(Rebuild::Compare, projection()).await.unwrap(), []);
    assert_eq!(store.request_row(&request(2)).await.unwrap(), Some(row(2, 2, "approved")));
    assert_eq!(store.integrity(Some(projection())).await.unwrap(), []);
}
