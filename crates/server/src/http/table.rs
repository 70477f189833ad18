//! The table of routes: one line each makes both the router and its description, so that neither can be without
//! the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, post, put};
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder,
};

use super::statuses::{Traits, refusals};
use crate::app::App;

/// Name of the answer of every refusal.
const PROBLEM: &str = "Problem";

/// Routes so far.
pub struct Table {
    router: Router<Arc<App>>,
    items: BTreeMap<&'static str, PathItem>,
    schemas: Schemas,
    listed: Vec<(HttpMethod, &'static str)>,
}

/// Named types of the description.
type Schemas = Vec<(String, RefOr<Schema>)>;

/// Puts a type among them, and returns its name.
type Collect = fn(&mut Schemas) -> String;

/// What a route takes and gives, for its description.
#[derive(Clone, Copy)]
pub struct Documented {
    summary: &'static str,
    status: u16,
    /// Whether somebody must be signed in.
    open: bool,
    queries: &'static [&'static str],
    takes: Option<Collect>,
    gives: Option<Collect>,
    media_type: &'static str,
    also: &'static [u16],
}

impl Documented {
    /// A route for those who are signed in, which answers 200 and nothing.
    pub const fn new(summary: &'static str) -> Self {
        Self {
            summary,
            status: 200,
            open: false,
            queries: &[],
            takes: None,
            gives: None,
            media_type: "application/json",
            also: &[],
        }
    }

    /// A route for everybody.
    pub const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The body it takes.
    pub const fn takes<T: ToSchema>(mut self) -> Self {
        self.takes = Some(collect::<T>);
        self
    }

    /// The body it gives.
    pub const fn gives<T: ToSchema>(mut self) -> Self {
        self.gives = Some(collect::<T>);
        self
    }

    /// The status of success, when it is not 200.
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The media type of the answer, when it is not JSON.
    pub const fn media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }

    /// Statuses of refusals that follow from what it does (`http/statuses.rs` has those of its kind).
    pub const fn also(mut self, statuses: &'static [u16]) -> Self {
        self.also = statuses;
        self
    }

    /// Query parameters, all optional.
    pub const fn queries(mut self, queries: &'static [&'static str]) -> Self {
        self.queries = queries;
        self
    }
}

/// Puts a type and everything in it into the components, and returns its name.
fn collect<T: ToSchema>(schemas: &mut Schemas) -> String {
    let name = T::name().into_owned();
    schemas.push((name.clone(), T::schema()));
    T::schemas(schemas);
    name
}

impl Table {
    /// No routes.
    pub fn new() -> Self {
        Self { router: Router::new(), items: BTreeMap::new(), schemas: Vec::new(), listed: Vec::new() }
    }

    /// A `GET` route.
    #[must_use]
    pub fn get<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, Arc<App>>,
        said: Documented,
    ) -> Self {
        self.add(HttpMethod::Get, path, get(handler), said)
    }

    /// A `POST` route.
    #[must_use]
    pub fn post<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, Arc<App>>,
        said: Documented,
    ) -> Self {
        self.add(HttpMethod::Post, path, post(handler), said)
    }

    /// A `PUT` route.
    #[must_use]
    pub fn put<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, Arc<App>>,
        said: Documented,
    ) -> Self {
        self.add(HttpMethod::Put, path, put(handler), said)
    }

    /// A `DELETE` route.
    #[must_use]
    pub fn delete<T: 'static>(
        self,
        path: &'static str,
        handler: impl Handler<T, Arc<App>>,
        said: Documented,
    ) -> Self {
        self.add(HttpMethod::Delete, path, delete(handler), said)
    }

    fn add(
        mut self,
        method: HttpMethod,
        path: &'static str,
        handler: MethodRouter<Arc<App>>,
        said: Documented,
    ) -> Self {
        let operation = self.operation(&method, path, said);
        match self.items.get_mut(path) {
            Some(item) => item.merge_operations(PathItem::new(method.clone(), operation)),
            None => {
                self.items.insert(path, PathItem::new(method.clone(), operation));
            }
        }
        self.listed.push((method, path));
        // A wildcard is written with braces in both notations; axum's star is not part of OpenAPI's.
        self.router = self.router.route(path, handler);
        self
    }

    fn operation(
        &mut self,
        method: &HttpMethod,
        path: &str,
        said: Documented,
    ) -> utoipa::openapi::path::Operation {
        let mut operation = OperationBuilder::new()
            .summary(Some(said.summary))
            .operation_id(Some(operation_id(method, path)));
        for name in parameters(path) {
            operation = operation.parameter(parameter(name, ParameterIn::Path, Required::True));
        }
        for name in said.queries {
            operation = operation.parameter(parameter(name, ParameterIn::Query, Required::False));
        }
        if let Some(takes) = said.takes {
            let name = takes(&mut self.schemas);
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
            let body =
                RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
            operation = operation.request_body(Some(body.build()));
        }
        let mut answer = ResponseBuilder::new().description("Done");
        if let Some(gives) = said.gives {
            let name = gives(&mut self.schemas);
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
            answer = answer.content(said.media_type, content);
        } else if said.media_type != "application/json" {
            answer = answer.content(said.media_type, ContentBuilder::new().build());
        }
        operation = operation.response(said.status.to_string(), answer);
        // A file has no type of its own.
        let body = said.takes.is_some() || *method == HttpMethod::Put;
        let traits = Traits { open: said.open, body, queries: !said.queries.is_empty() };
        let mut statuses = refusals(method, path, traits);
        statuses.extend(said.also);
        for status in statuses {
            operation = operation.response(status.to_string(), Ref::from_response_name(PROBLEM));
        }
        operation.build()
    }

    /// Every route, in the order of the table.
    pub fn listed(&self) -> &[(HttpMethod, &'static str)] {
        &self.listed
    }

    /// The router.
    pub fn into_router(self) -> Router<Arc<App>> {
        self.router
    }

    /// The description (OpenAPI 3.1).
    pub fn into_openapi(self) -> OpenApi {
        let mut schemas = self.schemas;
        let mut components = ComponentsBuilder::new().response(PROBLEM, problem(&mut schemas));
        for (name, schema) in schemas {
            components = components.schema(name, schema);
        }
        let mut paths = PathsBuilder::new();
        for (path, item) in self.items {
            paths = paths.path(path.replace("{*", "{"), item);
        }
        let info = InfoBuilder::new().title("Chancery").version(env!("CARGO_PKG_VERSION")).description(Some(
            "Approvals, grants and their proofs. docs/spec/http.md says how the parts fit.",
        ));
        OpenApiBuilder::new()
            .info(info.build())
            .paths(paths.build())
            .components(Some(components.build()))
            .build()
    }
}

/// The answer of every refusal.
fn problem(schemas: &mut Schemas) -> Response {
    let problem = collect::<chancery_api::problem::Problem>(schemas);
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(problem))).build();
    ResponseBuilder::new()
        .description("Refused or failed; `code`, `reason` and `remedy` say more")
        .content(chancery_api::problem::PROBLEM_MEDIA_TYPE, content)
        .build()
}

fn parameter(name: &str, place: ParameterIn, required: Required) -> utoipa::openapi::path::Parameter {
    let schema = Schema::Object(ObjectBuilder::new().schema_type(Type::String).build());
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(RefOr::T(schema)))
        .build()
}

/// Names of the parts of a path that stand for something.
fn parameters(path: &str) -> Vec<&str> {
    let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parts.map(|name| name.trim_start_matches('*')).collect()
}

/// `post_api_v1_requests_id_cancel`
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let parts =
        path.split('/').map(|part| part.trim_matches(['{', '}', '*'])).filter(|part| !part.is_empty());
    std::iter::once(word(method)).chain(parts).collect::<Vec<_>>().join("_").replace('-', "_")
}

/// A method in lower case.
pub fn word(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "get",
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        _ => "other",
    }
}
