//! Who may do what: one table of actors and routes. A change of it is a change of this file.

mod world;

use chancery_canonical::Sha256;
use serde_json::{Value, json};
use world::{Person, Session, World, ssh_draft};

/// `+` for what goes through, else the status that refuses.
fn mark(status: u16) -> String {
    if status < 400 { "+".to_owned() } else { status.to_string() }
}

/// Puts a file; how a request lists it.
fn put(world: &World, person: &Person, sha256: &str, bytes: &[u8]) -> Value {
    let path = format!("/api/v1/artifacts/{sha256}");
    let own = world.credentials(&person.session, "PUT", &path);
    let mut headers = vec![("content-type", "text/plain")];
    headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    world.send("PUT", &path, &headers, Some(bytes.to_vec())).good();
    json!({"name": "commands", "media_type": "text/plain", "size": bytes.len(), "sha256": sha256})
}

/// Method, path and body of a call.
type Row<'a> = (&'a str, String, Option<Value>);

/// What each of the actors is answered; `names` stand for what is another one each time.
fn draw(world: &World, actors: &[&Person], rows: &[Row<'_>], names: &[(&str, &str)]) -> String {
    let mut table =
        "                                            nobody requester approver other admin auditor\n"
            .to_owned();
    for (method, path, body) in rows {
        let shown = names.iter().fold(path.clone(), |shown, (text, name)| shown.replace(text, name));
        let kind = body.as_ref().and_then(|body| body.get("decision").or_else(|| body.get("act")));
        let shown = format!("{method} {shown} {}", kind.and_then(Value::as_str).unwrap_or_default());
        table.push_str(&format!("{shown:43}"));
        for actor in actors {
            let answer = world.call(actor, method, path, body.as_ref());
            if answer.status >= 400 {
                answer.refused(&answer.code());
            }
            table.push_str(&format!(" {:>6}", mark(answer.status)));
        }
        table.push('\n');
    }
    table
}

#[test]
fn who_may_do_what() {
    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let mut fred = world.admit("Fred", &["engineer"], &mut ada, &mut ben);
    let udo = world.admit("Udo", &["auditor"], &mut ada, &mut ben);
    let nobody = Person {
        id: String::new(),
        name: String::new(),
        passkey: erin.passkey.clone(),
        session: Session::Nobody,
        ssh_seed: [0; 32],
    };
    let mut draft = ssh_draft(&erin, "staging");
    let file = Sha256::of(b"ls").to_hex();
    draft["artifacts"] = json!([put(&world, &erin, &file, b"ls")]);
    let drafted = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    let view = world.submit(&mut erin, &drafted).good();
    let request = view["id"].as_str().unwrap().to_owned();
    // Fred is reported; nobody but the administrators may thaw him.
    let alert = world.request(&mut fred, "staging");
    world.report(&mut olga, &alert).good();
    let of = |rest: &str| format!("/api/v1/requests/{request}{rest}");
    let decide = |kind: &str| match kind {
        "approve" => Some(world.approval(&request)),
        _ => Some(json!({"decision": kind})),
    };
    let reinstate = json!({"act": "person.reinstated", "body": {"person": fred.id}});
    let suspend = json!({"act": "person.suspended", "body": {"person": fred.id}});
    let rows: Vec<Row> = vec![
        ("GET", "/api/v1/server".to_owned(), None),
        ("GET", "/log/checkpoint".to_owned(), None),
        ("GET", "/api/v1/revocations/ssh".to_owned(), None),
        ("GET", "/api/v1/whoami".to_owned(), None),
        ("GET", "/api/v1/entitlements".to_owned(), None),
        ("GET", "/api/v1/persons".to_owned(), None),
        ("GET", "/api/v1/audit".to_owned(), None),
        ("GET", "/api/v1/requests".to_owned(), None),
        ("GET", "/api/v1/requests?view=needs_me".to_owned(), None),
        ("GET", "/api/v1/sessions".to_owned(), None),
        ("DELETE", "/api/v1/sessions/0".to_owned(), None),
        ("GET", "/api/v1/policy".to_owned(), None),
        ("GET", "/api/v1/policy/files/bundle.toml".to_owned(), None),
        ("GET", "/api/v1/trust".to_owned(), None),
        ("GET", "/api/v1/log".to_owned(), None),
        ("GET", "/api/v1/alerts".to_owned(), None),
        ("POST", format!("/api/v1/alerts/{alert}/acknowledge"), None),
        ("GET", of(""), None),
        ("GET", of("/evidence"), None),
        ("GET", of(&format!("/artifacts/{file}")), None),
        ("POST", of("/seen"), None),
        ("POST", of("/decisions/options"), decide("approve")),
        ("POST", of("/decisions/options"), decide("reject")),
        ("POST", of("/decisions/options"), decide("override")),
        ("POST", format!("/api/v1/grants/{request}/credentials"), None),
        ("POST", format!("/api/v1/grants/{request}/end"), None),
        ("POST", of("/redactions"), Some(json!({"digests": ["AAAA"]}))),
        ("POST", "/api/v1/invitations".to_owned(), Some(json!({}))),
        ("GET", "/api/v1/enrolments".to_owned(), None),
        ("GET", "/api/v1/identity/waiting".to_owned(), None),
        ("GET", "/api/v1/trust/successor".to_owned(), None),
        ("POST", "/api/v1/identity/options".to_owned(), Some(reinstate)),
        ("POST", "/api/v1/identity/options".to_owned(), Some(suspend)),
    ];
    let actors = [&nobody, &erin, &olga, &fred, &ada, &udo];
    let names = [(request.as_str(), "ID"), (&alert, "ALERT"), (&file, "SHA256"), ("/api/v1", "")];
    let table = draw(&world, &actors, &rows, &names);
    let expected = include_str!("access.txt");
    assert!(table == expected, "write this into tests/access.txt if it is what you want:\n{table}");
}
