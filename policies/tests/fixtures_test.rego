# Inputs that the tests start from: calm circumstances, so that each test changes what it is about.
package chancery.fixtures

person := {"person": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "roles": ["engineer"], "groups": [], "attributes": {}}

calm := {
	"device": {"status": "known", "value": {"managed": true}, "age_seconds": 10, "source": "posture"},
	"origin": {"status": "known", "value": {"new": false}, "age_seconds": 0, "source": "network"},
}

request(entitlement, parameters) := {
	"phase": "request",
	"request": {
		"entitlement": {"name": entitlement},
		"parameters": parameters,
		"artifacts": [],
		"undo": [],
		"ticket": "OPS-1",
		"justification": "disk is full",
		"clocks": {"grant_seconds": 300},
	},
	"entitlement": data.entitlements[entitlement],
	"requester": person,
	"beneficiary": person,
	"signals": calm,
	"approvals": [],
	"history": {"requests_1h": 1},
	"calendar": {"weekday": "tuesday", "hour": 11, "timezone": "UTC", "working_hours": true},
}

ssh(environment) := request("ssh-admin", {"host": "web-1.example", "principal": "deploy", "environment": environment})

# The request with members of its `request` replaced.
with_request(base, changes) := object.union(base, {"request": changes})

without(base, path) := json.remove(base, [path])

rules(denials) := {denial.rule | some denial in denials}

factors(risks) := {risk.factor | some risk in risks}

stages(contributed) := {stage.id: stage.quorum | some stage in contributed}
