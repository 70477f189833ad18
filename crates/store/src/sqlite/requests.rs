//! The read model `requests`: lists, queues and counts. Derived from events, never evidence.

use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::time::Timestamp;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::TENANT;
use super::events::parse_json;
use crate::append::{RequestFilter, RequestRow};
use crate::error::Fault;
use crate::record::{Past, RequestPage, StateCount};
use crate::store::MAX_PAGE;

const COLUMNS: &str = "id, version, state, revision, requester, beneficiary, participants, entitlement, subject, \
                       grant_seconds, risk_score, created_at, updated_at, due_at, summary";

/// Stores a row in place of the one before, and touches only those indices that a new state is in.
pub(super) fn upsert(connection: &Connection, row: &RequestRow) -> Result<(), Fault> {
    let participants = json_list(row.participants.iter().map(PersonId::as_str));
    let updated = connection
        .prepare_cached(
            "UPDATE requests SET version = ?3, state = ?4, revision = ?5, risk_score = ?6, updated_at = ?7, due_at = ?8,
                 summary = ?9
             WHERE tenant = ?1 AND id = ?2 AND requester = ?10 AND beneficiary = ?11 AND participants = ?12
               AND entitlement = ?13 AND created_at = ?14 AND subject = ?15 AND grant_seconds = ?16",
        )?
        .execute(params![
            TENANT,
            row.id.as_str(),
            row.version,
            row.state,
            row.revision,
            row.risk_score,
            row.updated_at.unix(),
            row.due_at.map(Timestamp::unix),
            row.summary.to_string(),
            row.requester.as_str(),
            row.beneficiary.as_str(),
            participants,
            row.entitlement,
            row.created_at.unix(),
            row.subject,
            row.grant_seconds,
        ])?;
    if updated == 1 { Ok(()) } else { replace(connection, row) }
}

/// Stores a row whole, with who has a part in it.
pub(super) fn replace(connection: &Connection, row: &RequestRow) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO requests
                 (tenant, id, version, state, revision, requester, beneficiary, participants, entitlement,
                  risk_score, created_at, updated_at, due_at, summary, subject, grant_seconds)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            TENANT,
            row.id.as_str(),
            row.version,
            row.state,
            row.revision,
            row.requester.as_str(),
            row.beneficiary.as_str(),
            json_list(row.participants.iter().map(PersonId::as_str)),
            row.entitlement,
            row.risk_score,
            row.created_at.unix(),
            row.updated_at.unix(),
            row.due_at.map(Timestamp::unix),
            row.summary.to_string(),
            row.subject,
            row.grant_seconds,
        ])?;
    let named = [&row.requester, &row.beneficiary];
    let people = json_list(named.into_iter().chain(&row.participants).map(PersonId::as_str));
    connection
        .prepare_cached(
            "DELETE FROM request_people WHERE tenant = ?1 AND request = ?2
             AND person NOT IN (SELECT value FROM json_each(?3))",
        )?
        .execute(params![TENANT, row.id.as_str(), people])?;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO request_people (tenant, person, request)
             SELECT ?1, value, ?2 FROM json_each(?3)",
        )?
        .execute(params![TENANT, row.id.as_str(), people])?;
    Ok(())
}

/// Removes a row that no events stand behind.
pub(super) fn remove(connection: &Connection, id: &RequestId) -> Result<(), Fault> {
    for sql in [
        "DELETE FROM request_people WHERE tenant = ?1 AND request = ?2",
        "DELETE FROM requests WHERE tenant = ?1 AND id = ?2",
    ] {
        connection.prepare_cached(sql)?.execute(params![TENANT, id.as_str()])?;
    }
    Ok(())
}

fn json_list<'text>(texts: impl Iterator<Item = &'text str>) -> String {
    serde_json::Value::from_iter(texts).to_string()
}

/// One row.
pub(super) fn row(connection: &Connection, id: &RequestId) -> Result<Option<RequestRow>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM requests WHERE tenant = ?1 AND id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![TENANT, id.as_str()])?;
    rows.next()?.map(stored_row).transpose()
}

/// The ids of all rows, in order.
pub(super) fn ids(connection: &Connection) -> Result<Vec<RequestId>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id FROM requests WHERE tenant = ?1 ORDER BY id")?;
    let mut rows = statement.query([TENANT])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(parse(&row.get::<_, String>(0)?)?);
    }
    Ok(ids)
}

/// A page of rows, newest first: a ULID begins with its time.
pub(super) fn page(
    connection: &Connection,
    filter: &RequestFilter,
    after: Option<&RequestId>,
    limit: usize,
) -> Result<RequestPage, Fault> {
    let limit = limit.clamp(1, MAX_PAGE);
    // One state at a time, since only then an index has the rows in the order of the page; a page of each is enough.
    let mut rows = Vec::new();
    for only in filter.one_state_each() {
        rows.extend(newest(connection, &only, after, limit + 1)?);
    }
    rows.sort_by(|left, right| right.id.cmp(&left.id));
    // One row more than was asked for says that there is a next page.
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id.clone());
    Ok(RequestPage { rows, next })
}

/// The newest rows that match.
fn newest(
    connection: &Connection,
    filter: &RequestFilter,
    after: Option<&RequestId>,
    limit: usize,
) -> Result<Vec<RequestRow>, Fault> {
    let mut query = Query::matching(filter);
    if let Some(after) = after {
        query.and("id < ?", after.as_str());
    }
    let sql = format!("SELECT {COLUMNS} FROM requests {} ORDER BY id DESC LIMIT {limit}", query.condition);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(params_from_iter(query.values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(stored_row(row)?);
    }
    Ok(rows)
}

/// How many requests of a requester were made at or after `since`, by state. Read from one index alone.
pub(super) fn count_of_requester(
    connection: &Connection,
    past: &Past,
    since: Timestamp,
) -> Result<Vec<StateCount>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT state, count(*), sum(entitlement = ?3), sum(entitlement = ?3 AND subject = ?4),
             coalesce(max(grant_seconds) FILTER (WHERE entitlement = ?3), 0)
         FROM requests INDEXED BY requests_of_requester_by_time
         WHERE tenant = ?1 AND requester = ?2 AND created_at >= ?5 GROUP BY state",
    )?;
    let asked = params![TENANT, past.requester.as_str(), past.entitlement, past.subject, since.unix()];
    let mut found = statement.query(asked)?;
    let mut counts = Vec::new();
    while let Some(row) = found.next()? {
        counts.push(StateCount {
            state: row.get(0)?,
            requests: row.get(1)?,
            of_entitlement: row.get(2)?,
            of_subject: row.get(3)?,
            longest_grant_seconds: row.get(4)?,
        });
    }
    Ok(counts)
}

/// How many rows match and were made at or after `since`.
pub(super) fn count(connection: &Connection, filter: &RequestFilter, since: Timestamp) -> Result<u64, Fault> {
    let mut query = Query::matching(filter);
    // The plus sign keeps the engine from walking through all that a requester ever asked to find a few of one state.
    query.and("+created_at >= ?", since.unix());
    let sql = format!("SELECT count(*) FROM requests {}", query.condition);
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(params_from_iter(query.values), |row| row.get(0))?)
}

/// A WHERE clause from fixed texts, with its values apart.
struct Query {
    condition: String,
    values: Vec<SqlValue>,
}

impl Query {
    fn matching(filter: &RequestFilter) -> Self {
        let mut query =
            Self { condition: "WHERE tenant = ?".to_owned(), values: vec![TENANT.to_owned().into()] };
        if let [state] = filter.states.as_slice() {
            query.and("state = ?", state.as_str());
        } else if !filter.states.is_empty() {
            let states = json_list(filter.states.iter().map(String::as_str));
            query.and("state IN (SELECT value FROM json_each(?))", states);
        }
        if let Some(person) = &filter.requester {
            query.and("requester = ?", person.as_str());
        }
        if let Some(person) = &filter.participant {
            query.and(
                "(tenant, id) IN (SELECT tenant, request FROM request_people WHERE person = ?)",
                person.as_str(),
            );
        }
        if let Some(entitlement) = &filter.entitlement {
            query.and("entitlement = ?", entitlement.as_str());
        }
        if let Some(since) = filter.updated_since {
            query.and("updated_at >= ?", since.unix());
        }
        query
    }

    fn and(&mut self, condition: &str, value: impl Into<QueryValue>) {
        self.condition.push_str(" AND ");
        self.condition.push_str(condition);
        self.values.push(value.into().0);
    }
}

/// What a condition may be compared with.
struct QueryValue(SqlValue);

impl From<&str> for QueryValue {
    fn from(text: &str) -> Self {
        Self(SqlValue::Text(text.to_owned()))
    }
}

impl From<String> for QueryValue {
    fn from(text: String) -> Self {
        Self(SqlValue::Text(text))
    }
}

impl From<i64> for QueryValue {
    fn from(number: i64) -> Self {
        Self(SqlValue::Integer(number))
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|e| Fault::Damaged(format!("{e}")))
}

fn moment(seconds: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_unix(seconds).map_err(|e| Fault::Damaged(e.to_string()))
}

fn stored_row(row: &Row<'_>) -> Result<RequestRow, Fault> {
    let text = |column: usize| row.get::<_, String>(column);
    let participants: Vec<PersonId> = serde_json::from_str(&text(6)?)
        .map_err(|e| Fault::Damaged(format!("participants of a request: {e}")))?;
    Ok(RequestRow {
        id: parse(&text(0)?)?,
        version: row.get(1)?,
        state: text(2)?,
        revision: row.get(3)?,
        requester: parse(&text(4)?)?,
        beneficiary: parse(&text(5)?)?,
        participants,
        entitlement: text(7)?,
        subject: text(8)?,
        grant_seconds: row.get(9)?,
        risk_score: row.get(10)?,
        created_at: moment(row.get(11)?)?,
        updated_at: moment(row.get(12)?)?,
        due_at: row.get::<_, Option<i64>>(13)?.map(moment).transpose()?,
        summary: parse_json(&text(14)?)?,
    })
}
