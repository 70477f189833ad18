//! The read model `requests`: lists, queues and counts. Derived from events, never evidence.

use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::time::Timestamp;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::TENANT;
use super::events::parse_json;
use crate::append::{RequestFilter, RequestRow};
use crate::error::Fault;
use crate::record::RequestPage;
use crate::store::MAX_PAGE;

const COLUMNS: &str = "id, version, state, revision, requester, beneficiary, participants, entitlement, risk_score, \
                       created_at, updated_at, due_at, summary";

/// Stores a row in place of the one before.
pub(super) fn upsert(connection: &Connection, row: &RequestRow) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO requests
                 (tenant, id, version, state, revision, requester, beneficiary, participants, entitlement,
                  risk_score, created_at, updated_at, due_at, summary)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
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
    let mut query = Query::matching(filter);
    if let Some(after) = after {
        query.and("id < ?", after.as_str());
    }
    let sql =
        format!("SELECT {COLUMNS} FROM requests {} ORDER BY id DESC LIMIT {}", query.condition, limit + 1);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(params_from_iter(query.values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(stored_row(row)?);
    }
    // One row more than was asked for says that there is a next page.
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id.clone());
    Ok(RequestPage { rows, next })
}

/// How many rows match and were made at or after `since`.
pub(super) fn count(connection: &Connection, filter: &RequestFilter, since: Timestamp) -> Result<u64, Fault> {
    let mut query = Query::matching(filter);
    query.and("created_at >= ?", since.unix());
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
        if !filter.states.is_empty() {
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
        risk_score: row.get(8)?,
        created_at: moment(row.get(9)?)?,
        updated_at: moment(row.get(10)?)?,
        due_at: row.get::<_, Option<i64>>(11)?.map(moment).transpose()?,
        summary: parse_json(&text(12)?)?,
    })
}
