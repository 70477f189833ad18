//! What certificates must say, in a table.

use std::collections::BTreeSet;

use serde_json::json;

use super::{CertificateRefusal, Scopes};
use crate::entitlement::{Binding, SshConnector, SshExtensions};

fn connector() -> SshConnector {
    SshConnector {
        host: Binding::Parameter("host".to_owned()),
        principal: Binding::Parameter("principal".to_owned()),
        force_command: None,
        source_address: Some(Binding::Parameter("from".to_owned())),
        permit: SshExtensions { pty: true, port_forwarding: false, agent_forwarding: false },
    }
}

fn scopes(of: &[(&str, &[&str])]) -> Scopes {
    let values = |values: &[&str]| values.iter().map(ToString::to_string).collect();
    of.iter().map(|(name, allowed)| ((*name).to_owned(), values(allowed))).collect()
}

/// The source addresses that come out, or the refusal.
fn check(from: Option<&str>, of: &[(&str, &[&str])], expected: Result<&[&str], &str>) {
    let mut parameters = json!({"host": "web-1", "principal": "deploy"});
    if let Some(from) = from {
        parameters["from"] = from.into();
    }
    let terms = connector().certificate_terms(parameters.as_object().unwrap(), &scopes(of));
    let found = terms.map(|terms| terms.source_addresses).map_err(|refusal| refusal.to_string());
    let expected = expected
        .map(|blocks| blocks.iter().map(ToString::to_string).collect::<BTreeSet<_>>())
        .map_err(str::to_owned);
    assert_eq!(found, expected, "{from:?} {of:?}");
}

#[test]
fn source_addresses_follow_from_the_form_and_the_scope() {
    check(None, &[], Ok(&[]));
    check(Some("192.0.2.7, 10.0.0.0/8"), &[], Ok(&["10.0.0.0/8", "192.0.2.7/32"]));
    check(Some("2001:DB8:0:0::1"), &[], Ok(&["2001:db8::1/128"]));
    check(
        None,
        &[("source_address", &["10.0.0.0/8", "2001:DB8::/32"])],
        Ok(&["10.0.0.0/8", "2001:db8::/32"]),
    );
    check(Some("2001:db8:0::/32"), &[("source_address", &["2001:DB8::/32"])], Ok(&["2001:db8::/32"]));
    let outside = Err("`192.0.2.7/32` is outside the scope `source_address` that policy set");
    check(Some("10.0.0.0/8,192.0.2.7"), &[("source_address", &["10.0.0.0/8"])], outside);
    let anywhere = Err("`anywhere` is outside the scope `source_address` that policy set");
    check(None, &[("source_address", &[])], anywhere);
    for text in ["", "host", "10.0.0.1/8", "10.0.0.0/08", "::ffff:192.0.2.1", "10.0.0.0/33"] {
        check(Some(text), &[], Err(&format!("`{text}` is no address block")));
    }
}

#[test]
fn login_and_host_stay_within_their_scopes() {
    check(None, &[("principal", &["deploy"]), ("host", &["web-1"])], Ok(&[]));
    check(None, &[("host", &["web-2"])], Err("`web-1` is outside the scope `host` that policy set"));
    let terms = |parameters: serde_json::Value| {
        connector().certificate_terms(parameters.as_object().unwrap(), &Scopes::new())
    };
    assert_eq!(terms(json!({"host": "web-1"})), Err(CertificateRefusal::Missing("principal")));
    assert_eq!(terms(json!({"host": "web-1", "principal": "a@b"})), Err(CertificateRefusal::Principal));
    assert_eq!(connector().permit.names(), ["permit-pty"]);
}
