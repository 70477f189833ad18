//! The directory.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chancery_api::person::{PersonList, PersonView};
use chancery_domain::id::PersonId;

use super::view;
use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::path::Path;
use crate::problem::Problem;

/// `GET /api/v1/persons`
pub async fn list(State(app): State<Arc<App>>, _actor: Actor) -> Json<PersonList> {
    let (people, now) = (app.people.now(), app.now());
    Json(PersonList {
        items: people.directory().persons().map(|known| view::person(known, &people, now)).collect(),
    })
}

/// `GET /api/v1/persons/{id}`
pub async fn show(
    State(app): State<Arc<App>>,
    _actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<PersonView>, Problem> {
    let people = app.people.now();
    let id: PersonId = id.parse().map_err(|_| Problem::not_found("person"))?;
    let known = people.directory().person(&id).ok_or_else(|| Problem::not_found("person"))?;
    Ok(Json(view::person(known, &people, app.now())))
}
