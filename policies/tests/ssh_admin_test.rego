package chancery.ssh_admin_test

import data.chancery.fixtures
import data.chancery.standing

test_production_needs_owner_and_security if {
	fixtures.stages(data.chancery.stage) == {"service_owner": 1, "security": 1} with input as fixtures.ssh("production")
	count(data.chancery.deny) == 0 with input as fixtures.ssh("production")
}

test_staging_needs_owner if {
	fixtures.stages(data.chancery.stage) == {"service_owner": 1} with input as fixtures.ssh("staging")
}

test_suspicious_production_needs_two_of_security if {
	base := fixtures.ssh("production")
	every change in [
		{"signals": {"origin": {"value": {"new": true}}}},
		{"signals": {"device": {"value": {"managed": false}}}},
		{"history": {"requests_1h": 6}},
	] {
		fixtures.stages(data.chancery.stage).security == 2 with input as object.union(base, change)
	}
}

test_blocked_principals if {
	every principal in ["root", "toor"] {
		asked := fixtures.with_request(fixtures.ssh("staging"), {"parameters": {"principal": principal}})
		fixtures.rules(data.chancery.deny) == {"ssh_admin.blocked_principal"} with input as asked
	}
}

test_blocked_hosts if {
	every host in ["chancery", "chancery-2", "a.vault.internal", "A.B.VAULT.internal"] {
		asked := fixtures.with_request(fixtures.ssh("staging"), {"parameters": {"host": host}})
		fixtures.rules(data.chancery.deny) == {"ssh_admin.blocked_host"} with input as asked
	}
}

test_production_needs_ticket_and_reason if {
	base := fixtures.ssh("production")
	fixtures.rules(data.chancery.deny) == {"ssh_admin.ticket"} with input as fixtures.without(base, "request/ticket")
	fixtures.rules(data.chancery.deny) == {"ssh_admin.ticket"} with input as fixtures.with_request(base, {"ticket": " "})
	fixtures.rules(data.chancery.deny) == {"production.justification"} with input as fixtures.without(base, "request/justification")
	count(data.chancery.deny) == 0 with input as fixtures.without(fixtures.ssh("staging"), "request/ticket")
}

test_source_address if {
	base := fixtures.ssh("staging")
	every block in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "999.1.1.1/24", "2001:db8::/31"] {
		asked := fixtures.with_request(base, {"parameters": {"source_address": block}})
		fixtures.rules(data.chancery.deny) == {"ssh_admin.wide_source"} with input as asked
	}
	every block in ["10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32"] {
		asked := fixtures.with_request(base, {"parameters": {"source_address": block}})
		count(data.chancery.deny) == 0 with input as asked
		{"scopes": {"source_address": [block]}} in data.chancery.constraint with input as asked
	}
}

test_standing_access_only_where_the_entitlement_says_so if {
	base := fixtures.ssh("staging")
	told := object.union(base, {"entitlement": {"policy": {"standing_staging_seconds": 300}}})
	count(standing.allow) == 0 with input as base
	{"rule": "standing.short_staging_access"} in standing.allow with input as told
	count(data.chancery.stage) == 0 with input as told
	every change in [
		{"request": {"clocks": {"grant_seconds": 301}}},
		{"request": {"parameters": {"environment": "production"}}},
		{"beneficiary": {"person": "01ARZ3NDEKTSV4RRFFQ69G5FAW"}},
		{"calendar": {"working_hours": false}},
		{"signals": {"device": {"status": "unknown"}}},
		{"signals": {"device": {"age_seconds": 901}}},
		{"signals": {"origin": {"value": {"new": true}}}},
		{"history": {"requests_1h": 6}},
	] {
		count(standing.allow) == 0 with input as object.union(told, change)
		count(data.chancery.stage) > 0 with input as object.union(told, change)
	}
}

test_a_forced_command_takes_points_off if {
	asked := fixtures.with_request(fixtures.ssh("staging"), {"parameters": {"force_command": "df -h"}})
	fixtures.factors(standing.risk) == {"ssh.forced_command"} with input as asked
	count(standing.risk) == 0 with input as fixtures.ssh("staging")
}
