package chancery.changes_test

import data.chancery.fixtures

change := fixtures.with_request(
	fixtures.request("db-change", {"database": "ledger", "environment": "production"}),
	{
		"artifacts": [{"name": "change.sql", "size": 10}, {"name": "undo.sql", "size": 12}],
		"undo": ["undo.sql"],
	},
)

test_a_change_needs_both_stages if {
	fixtures.stages(data.chancery.stage) == {"dba": 1, "service_owner": 1} with input as change
	count(data.chancery.deny) == 0 with input as change
}

test_dba_of_the_unit if {
	stages := data.chancery.stage with input as change
	some stage in stages
	stage.id == "dba"
	stage.from == {"all": [{"role": "dba"}, {"attribute": {"business_unit": "payments"}}]}
}

test_dba_of_any_unit_where_none_is_named if {
	stages := data.chancery.stage with input as fixtures.without(change, "entitlement/policy/business_unit")
	some stage in stages
	stage.id == "dba"
	stage.from == {"role": "dba"}
}

test_a_change_needs_a_way_back if {
	every asked in [
		fixtures.with_request(change, {"undo": []}),
		fixtures.with_request(change, {"undo": ["other.sql"]}),
		fixtures.with_request(change, {"undo": ["undo.sql", "other.sql"]}),
		fixtures.with_request(change, {"artifacts": [{"name": "change.sql", "size": 1}, {"name": "undo.sql", "size": 0}]}),
	] {
		fixtures.rules(data.chancery.deny) == {"db_change.undo"} with input as asked
	}
	nothing := fixtures.with_request(change, {"artifacts": [{"name": "undo.sql", "size": 1}]})
	fixtures.rules(data.chancery.deny) == {"db_change.nothing_to_apply"} with input as nothing
}

test_role_grant_needs_security if {
	every role, quorum in {"dba": 1, "auditor": 1, "security": 2} {
		asked := fixtures.request("role-grant", {"role": role})
		fixtures.stages(data.chancery.stage) == {"security": quorum} with input as asked
		"hardware_passkey" in data.chancery.obligation with input as asked
	}
}

test_a_role_is_not_granted_twice if {
	asked := object.union(fixtures.request("role-grant", {"role": "dba"}), {"beneficiary": {"roles": ["dba"]}})
	fixtures.rules(data.chancery.deny) == {"role_grant.already_held"} with input as asked
	count(data.chancery.deny) == 0 with input as object.union(asked, {"phase": "issue"})
}
