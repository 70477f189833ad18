//! What is offered to whom: the table of routes, and one module for each noun. A handler connects, authorises,
//! finds, acts, answers.

pub(crate) mod view;

mod alerts;
mod artifacts;
mod audit;
mod console;
mod enrolments;
mod entitlements;
mod events;
mod grants;
mod identity;
mod log;
mod pages;
mod persons;
mod policy;
mod recoveries;
mod requests;
mod server;
mod sessions;
mod trust;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use chancery_api as api;
use utoipa::openapi::OpenApi;

use crate::app::App;
use crate::http::table::{Documented, Table, word};
use crate::http::{boundary, headers};
use crate::problem::Problem;

/// The router, with what every answer carries around it.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let table = interface(pages(operations(Table::new())));
    let router = table.into_router().fallback(console::elsewhere).method_not_allowed_fallback(no_method);
    let router = router.layer(middleware::from_fn_with_state(Arc::clone(app), boundary::observe));
    router.layer(middleware::from_fn_with_state(Arc::clone(app), headers::guard)).with_state(Arc::clone(app))
}

/// The description of the interface (OpenAPI 3.1).
pub fn openapi() -> OpenApi {
    interface(operations(Table::new())).into_openapi()
}

/// Every route of the interface, as `(method, path)`.
pub fn listed() -> Vec<(&'static str, &'static str)> {
    let table = interface(operations(Table::new()));
    table.listed().iter().map(|(method, path)| (word(method), *path)).collect()
}

/// The problem that an address without a route is.
pub(crate) fn no_route() -> Problem {
    let remedy = "`docs/spec/openapi.json` lists the routes";
    Problem::refused(axum::http::StatusCode::NOT_FOUND, "route_unknown", "there is no such route", remedy)
}

async fn no_method() -> Problem {
    let remedy = "`docs/spec/openapi.json` lists the methods of this route";
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    Problem::refused(status, "method_unknown", "this route has no such method", remedy)
}

/// The console, and beside it the signing page under each of the addresses that links name.
fn pages(table: Table) -> Table {
    let page = Documented::new("The signing page").open().media_type("text/html");
    let table = table
        .get("/", console::home, Documented::new("The console").open().media_type("text/html"))
        .get("/assets/{*path}", console::asset, Documented::new("A file of it").open());
    ["/sign", "/enrol", "/sign-in", "/people", "/trust", "/review/{id}"]
        .into_iter()
        .fold(table, |table, path| table.get(path, pages::page, page))
}

/// What operators and verifiers read.
fn operations(table: Table) -> Table {
    let text = "text/plain; version=0.0.4";
    table
        .get("/healthz", server::alive, Documented::new("Alive").open().gives::<api::server::Health>())
        .get(
            "/readyz",
            server::ready,
            Documented::new("Able to decide").open().gives::<api::server::Health>().also(&[409]),
        )
        .get("/metrics", server::metrics, Documented::new("Counters").open().media_type(text))
        .get(
            "/log/checkpoint",
            log::checkpoint,
            Documented::new("The newest signed checkpoint").open().media_type("text/plain"),
        )
        .get(
            "/log/tile/{*path}",
            log::tile,
            Documented::new("A tile (c2sp.org/tlog-tiles)").open().media_type("application/octet-stream"),
        )
        .get(
            "/lives/{origin}/checkpoint",
            log::last_checkpoint,
            Documented::new("The last checkpoint of an earlier life of the log")
                .open()
                .media_type("text/plain"),
        )
        .get(
            "/lives/{origin}/tile/{*path}",
            log::former_tile,
            Documented::new("A tile of it").open().media_type("application/octet-stream"),
        )
}

#[rustfmt::skip]
fn interface(table: Table) -> Table {
    let table = table
        .get("/api/v1/server", server::show, Documented::new("What a client needs to know first").open().gives::<api::server::ServerInformation>())
        .post("/api/v1/enrolments/options", enrolments::options, Documented::new("What to make a passkey with").open().takes::<api::enrolment::EnrolmentOptionsRequest>().gives::<api::enrolment::EnrolmentOptions>().also(&[410]))
        .post("/api/v1/enrolments", enrolments::create, Documented::new("Enrol by a link").open().takes::<api::enrolment::EnrolmentRequest>().gives::<api::enrolment::EnrolmentOutcome>().status(201).also(&[410]))
        .get("/api/v1/enrolments", enrolments::list, Documented::new("Passkeys that wait for signatures").gives::<api::enrolment::EnrolmentList>())
        .post("/api/v1/invitations", enrolments::invite, Documented::new("Invite a person").takes::<api::enrolment::InvitationRequest>().gives::<api::enrolment::Invitation>().status(201))
        .post("/api/v1/passkeys/options", enrolments::passkey_options, Documented::new("What to make a further passkey with").gives::<api::enrolment::PasskeyOptions>().also(&[404]))
        .post("/api/v1/passkeys", enrolments::add_passkey, Documented::new("A further passkey for oneself").takes::<api::enrolment::PasskeyRequest>().gives::<api::enrolment::EnrolmentOutcome>().status(201))
        .post("/api/v1/identity/options", identity::options, Documented::new("An act on people, to be signed").takes::<api::identity::IdentityOptionsRequest>().gives::<api::identity::IdentityOptions>().also(&[404]))
        .post("/api/v1/identity", identity::sign, Documented::new("A signature under an act").takes::<api::identity::IdentityRequest>().gives::<api::identity::IdentityOutcome>().also(&[404, 410]))
        .get("/api/v1/identity/waiting", identity::waiting, Documented::new("Acts that wait for another signature").gives::<api::identity::WaitingActList>())
        .get("/api/v1/trust/successor", trust::successor, Documented::new("A successor of the trust root that waits for signatures").gives::<api::trust::TrustSuccessor>().also(&[404]))
        .post("/api/v1/trust/successor/signatures", trust::sign, Documented::new("An administrator's signature under it").takes::<api::trust::TrustSignature>().gives::<api::trust::TrustOutcome>().also(&[404]))
        .post("/api/v1/recoveries", recoveries::begin, Documented::new("Begin the recovery of a person who lost their keys").takes::<api::recovery::RecoveryRequest>().gives::<api::enrolment::Invitation>().status(201).also(&[404]))
        .post("/api/v1/recoveries/documents", recoveries::document, Documented::new("What recovery keys sign for a key that waits").open().takes::<api::recovery::RecoveryDocumentRequest>().gives::<api::recovery::RecoveryDocument>().also(&[404, 410]))
        .post("/api/v1/recoveries/signatures", recoveries::submit, Documented::new("What recovery keys signed").open().takes::<api::recovery::RecoverySubmission>().gives::<api::identity::IdentityOutcome>().also(&[403, 404]))
        .post("/api/v1/sessions/options", sessions::options, Documented::new("A session, to be signed").open().takes::<api::session::SessionOptionsRequest>().gives::<api::session::SessionOptions>().also(&[403, 410]))
        .post("/api/v1/sessions", sessions::create, Documented::new("Sign in").open().takes::<api::session::SessionRequest>().gives::<api::session::SessionOutcome>().status(201).also(&[401, 403, 410]))
        .get("/api/v1/sessions", sessions::list, Documented::new("The sessions of the reader").gives::<api::session::SessionList>())
        .delete("/api/v1/sessions/{id}", sessions::end_one, Documented::new("End one of them").status(204))
        .delete("/api/v1/sessions/current", sessions::end, Documented::new("Sign out").status(204))
        .post("/api/v1/logins", sessions::begin_login, Documented::new("A command line begins to sign in").open().takes::<api::login::LoginRequest>().gives::<api::login::Login>().status(201))
        .get("/api/v1/logins/{login}", sessions::poll_login, Documented::new("How far a login has come").open().gives::<api::login::LoginStatus>().also(&[410]))
        .get("/api/v1/whoami", sessions::whoami, Documented::new("Who is signed in").gives::<api::session::WhoAmI>().also(&[404]));
    requests_interface(table)
}

#[rustfmt::skip]
fn requests_interface(table: Table) -> Table {
    table
        .get("/api/v1/entitlements", entitlements::list, Documented::new("What may be asked for").gives::<api::entitlement::EntitlementList>())
        .get("/api/v1/entitlements/{name}", entitlements::show, Documented::new("One of them, with its form").gives::<api::entitlement::EntitlementView>())
        .put("/api/v1/artifacts/{sha256}", artifacts::store, Documented::new("Store a file by its content").gives::<api::entitlement::StoredArtifact>())
        .post("/api/v1/drafts", requests::draft, Documented::new("Draft a request; also the dry run").takes::<api::request::DraftRequest>().gives::<api::request::Draft>().also(&[404]))
        .post("/api/v1/requests", requests::create, Documented::new("Submit a signed request; takes `Idempotency-Key`").takes::<api::request::SubmitRequest>().gives::<api::request::RequestView>().status(201))
        .get("/api/v1/requests", requests::list, Documented::new("Requests, newest first").queries(&["view", "state", "role", "entitlement", "cursor", "limit"]).gives::<api::request::RequestList>())
        .get("/api/v1/requests/{id}", requests::show, Documented::new("A request, with `ETag`").gives::<api::request::RequestView>())
        .get("/api/v1/requests/{id}/artifacts/{sha256}", artifacts::fetch, Documented::new("A file that it lists").media_type("application/octet-stream"))
        .post("/api/v1/requests/{id}/revisions", requests::revise, Documented::new("Submit the next revision; needs `If-Match`").takes::<api::request::SubmitRequest>().gives::<api::request::RequestView>().status(201).also(&[412, 428]))
        .post("/api/v1/requests/{id}/seen", requests::seen, Documented::new("Say that one looked at it").status(204))
        .post("/api/v1/requests/{id}/cancel", requests::cancel, Documented::new("Take it back").gives::<api::request::RequestView>())
        .post("/api/v1/requests/{id}/decisions/options", requests::decision_options, Documented::new("A decision, to be signed").takes::<api::decision::DecisionOptionsRequest>().gives::<api::decision::DecisionOptions>())
        .post("/api/v1/requests/{id}/decisions", requests::decide, Documented::new("Decide").takes::<api::decision::DecisionRequest>().gives::<api::decision::DecisionOutcome>().status(201))
        .get("/api/v1/requests/{id}/evidence", requests::evidence, Documented::new("Everything to verify it offline").media_type("application/zip"))
        .post("/api/v1/requests/{id}/redactions", requests::redact, Documented::new("Erase personal values; for auditors").takes::<api::request::RedactionRequest>().gives::<api::request::RequestView>().status(201))
        .get("/api/v1/grants", grants::list, Documented::new("Grants, newest first").queries(&["state", "cursor", "limit"]).gives::<api::grant::GrantList>())
        .get("/api/v1/grants/{id}", grants::show, Documented::new("A grant").gives::<api::grant::GrantView>())
        .post("/api/v1/grants/{id}/credentials", grants::issue, Documented::new("Issue a credential; takes `Idempotency-Key`").gives::<api::grant::Credential>().status(201).also(&[422]))
        .post("/api/v1/grants/{id}/end", grants::end, Documented::new("Be done with it").gives::<api::grant::GrantView>())
        .get("/api/v1/persons", persons::list, Documented::new("The directory").gives::<api::person::PersonList>())
        .get("/api/v1/persons/{id}", persons::show, Documented::new("A person").gives::<api::person::PersonView>())
        .get("/api/v1/alerts", alerts::list, Documented::new("Alerts, newest first").queries(&["state", "cursor", "limit"]).gives::<api::alert::AlertList>())
        .post("/api/v1/alerts/{id}/acknowledge", alerts::acknowledge, Documented::new("Say that one looked at it; for administrators").gives::<api::alert::AlertView>())
        .get("/api/v1/policy", policy::show, Documented::new("The active bundle").gives::<api::policy::PolicyView>())
        .get("/api/v1/policy/files/{*path}", policy::file, Documented::new("A file of it").media_type("text/plain"))
        .get("/api/v1/trust", trust::show, Documented::new("The sealed trust root").gives::<api::trust::TrustView>())
        .get("/api/v1/log", log::show, Documented::new("How the log stands").gives::<api::log::LogView>())
        .get("/api/v1/audit", audit::list, Documented::new("Leaves of the log; as CSV with `Accept: text/csv`").queries(&["stream", "kind", "person", "since", "until", "text", "order", "from", "limit"]).gives::<api::audit::AuditPage>())
        .get("/api/v1/revocations/ssh", server::revocations, Documented::new("The OpenSSH revocation list").open().media_type("application/octet-stream"))
        .get("/api/v1/events", events::follow, Documented::new("Server-sent events; takes `Last-Event-ID`").media_type("text/event-stream").also(&[422]))
}
