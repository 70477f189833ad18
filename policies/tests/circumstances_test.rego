package chancery.circumstances_test

import data.chancery.fixtures

calm_factors := {"entitlement.risk_tier", "blast_radius.production"}

test_calm if {
	fixtures.factors(data.chancery.risk) == calm_factors with input as fixtures.ssh("production")
}

test_each_circumstance_adds_its_factor if {
	base := fixtures.ssh("production")
	every factor, change in {
		"device.unmanaged": {"signals": {"device": {"value": {"managed": false}}}},
		"origin.first_seen": {"signals": {"origin": {"value": {"new": true}}}},
		"calendar.off_hours": {"calendar": {"working_hours": false}},
		"history.many_requests": {"history": {"requests_1h": 6}},
	} {
		fixtures.factors(data.chancery.risk) == calm_factors | {factor} with input as object.union(base, change)
	}
}

test_unknown_is_stricter_never_a_pass if {
	base := fixtures.ssh("production")
	every asked in [
		fixtures.without(base, "signals/device"),
		object.union(base, {"signals": {"device": {"status": "unknown"}}}),
		object.union(base, {"signals": {"device": {"age_seconds": 901}}}),
		object.union(base, {"signals": {"device": {"value": {"managed": "yes"}}}}),
	] {
		fixtures.factors(data.chancery.risk) == calm_factors | {"device.unknown"} with input as asked
		{"grant_seconds": 600} in data.chancery.constraint with input as asked
	}
	fixtures.factors(data.chancery.risk) == calm_factors | {"origin.unknown"} with input as fixtures.without(base, "signals/origin")
	fixtures.factors(data.chancery.risk) == calm_factors | {"history.unknown"} with input as fixtures.without(base, "history/requests_1h")
}

test_unmanaged_and_new_is_denied_for_high_risk_alone if {
	change := {"signals": {"device": {"value": {"managed": false}}, "origin": {"value": {"new": true}}}}
	role := fixtures.request("role-grant", {"role": "dba"})
	fixtures.rules(data.chancery.deny) == {"circumstances.unmanaged_new_origin"} with input as object.union(role, change)
	count(data.chancery.deny) == 0 with input as object.union(fixtures.ssh("production"), change)
}

test_off_hours_in_production_is_reviewed if {
	change := {"calendar": {"working_hours": false}}
	"post_review" in data.chancery.obligation with input as object.union(fixtures.ssh("production"), change)
	not "post_review" in data.chancery.obligation with input as object.union(fixtures.ssh("staging"), change)
}
