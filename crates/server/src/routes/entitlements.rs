//! What may be asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chancery_api::entitlement::{EntitlementList, EntitlementView};
use chancery_policy::Entitlement;

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::path::Path;
use crate::problem::Problem;

/// `GET /api/v1/entitlements`
pub async fn list(State(app): State<Arc<App>>, _actor: Actor) -> Json<EntitlementList> {
    Json(EntitlementList { items: app.policy.bundle().entitlements().values().map(view).collect() })
}

/// `GET /api/v1/entitlements/{name}`
pub async fn show(
    State(app): State<Arc<App>>,
    _actor: Actor,
    Path(name): Path<String>,
) -> Result<Json<EntitlementView>, Problem> {
    let found = app.policy.bundle().entitlement(&name);
    Ok(Json(view(found.ok_or_else(|| Problem::not_found("entitlement"))?)))
}

fn view(entitlement: &Entitlement) -> EntitlementView {
    let kind = entitlement.data().get("kind").and_then(serde_json::Value::as_str);
    EntitlementView {
        name: entitlement.name().to_owned(),
        sha256: entitlement.digest().to_hex(),
        title: entitlement.title().to_owned(),
        kind: kind.unwrap_or_default().to_owned(),
        form: entitlement.form().schema().clone(),
        data: entitlement.data().clone(),
    }
}
