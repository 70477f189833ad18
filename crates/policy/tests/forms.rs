//! What may be filled in.

mod common;

use chancery_policy::entitlement::{Binding, Connector};
use chancery_policy::form::Form;
use serde_json::{Value, json};

fn form(properties: Value) -> Result<Form, String> {
    let schema =
        json!({"type": "object", "additionalProperties": false, "required": [], "properties": properties});
    Form::parse(&schema).map_err(|cause| cause.to_string())
}

#[test]
fn values() {
    let form = form(json!({
        "text": {"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^a|b+$"},
        "choice": {"type": "string", "enum": ["x", "y"]},
        "number": {"type": "integer", "minimum": -1, "maximum": 3},
        "flag": {"type": "boolean"},
    }))
    .unwrap();
    for (field, value, good) in [
        ("text", json!("bb"), true),
        ("text", json!("bbbb"), true),
        ("text", json!("b"), false),
        ("text", json!("bbbbb"), false),
        // An alternative does not escape its anchors, and a line feed ends nothing.
        ("text", json!("ax"), false),
        ("text", json!("xb"), false),
        ("text", json!("bb\n"), false),
        ("text", json!(7), false),
        ("choice", json!("x"), true),
        ("choice", json!("X"), false),
        ("number", json!(-1), true),
        ("number", json!(3), true),
        ("number", json!(4), false),
        ("number", json!(-2), false),
        ("number", json!("3"), false),
        ("number", json!(u64::MAX), false),
        ("flag", json!(false), true),
        ("flag", json!("false"), false),
        ("flag", json!(null), false),
        ("other", json!(1), false),
        ("", json!(1), false),
    ] {
        let parameters = json!({field: value});
        let violations = form.violations(parameters.as_object().unwrap());
        assert_eq!(violations.is_empty(), good, "{parameters}: {violations:?}");
        assert!(violations.iter().all(|violation| violation.pointer == format!("/{field}")));
    }
}

#[test]
fn required_fields_are_all_named_at_once() {
    let bundle = common::default_bundle();
    let form = bundle.entitlement("ssh-admin").unwrap().form();
    let missing: Vec<String> =
        form.violations(&serde_json::Map::new()).into_iter().map(|violation| violation.pointer).collect();
    assert_eq!(missing, ["/environment", "/host", "/principal"]);
}

#[test]
fn keywords_without_effect_are_refused() {
    for property in [
        json!({"type": "string"}),
        json!({"type": "number", "maximum": 1}),
        json!({"type": "array"}),
        json!({"type": "string", "maxLength": 3, "maximum": 3}),
        json!({"type": "integer", "pattern": "^a$"}),
        json!({"type": "boolean", "minimum": 0}),
        json!({"type": "string", "maxLength": 3, "pattern": "a"}),
        json!({"type": "string", "maxLength": 3, "pattern": "^($"}),
        json!({"type": "string", "maxLength": 3, "pattern": "^(a{1000}){1000}$"}),
        json!({"type": "string", "maxLength": 3, "default": "x"}),
        json!({"type": "string", "enum": []}),
        json!({"type": "string", "enum": [1]}),
        json!({"maxLength": 3}),
    ] {
        assert!(form(json!({"x": property.clone()})).is_err(), "{property}");
    }
}

#[test]
fn a_connector_is_bound_to_the_form() {
    let bundle = common::default_bundle();
    let Connector::Ssh(ssh) = bundle.entitlement("ssh-admin").unwrap().connector() else {
        panic!("ssh-admin is an ssh connector");
    };
    let parameters = json!({"principal": "deploy"});
    let parameters = parameters.as_object().unwrap();
    assert_eq!(ssh.principal.resolve(parameters), Some("deploy"));
    assert_eq!(ssh.force_command.as_ref().and_then(|binding| binding.resolve(parameters)), None);
    assert_eq!(Binding::Fixed("x".to_owned()).resolve(parameters), Some("x"));
}
