package chancery.watch_test

import data.chancery.fixtures
import data.chancery.lib.calendars

watched := {
	"activity": {"principal": "deploy", "host": "web-1", "at": "2026-11-22T12:00:00Z"},
	"grant": {"scopes": {"principal": ["deploy"]}, "not_after": "2026-11-22T12:10:00Z"},
}

test_within_the_grant if count(data.chancery.violation) == 0 with input as watched

test_outside_of_the_grant if {
	other := object.union(watched, {"activity": {"principal": "root"}})
	late := object.union(watched, {"activity": {"at": "2026-11-22T12:10:00Z"}})
	fixtures.rules(data.chancery.violation) == {"watch.scope"} with input as other
	fixtures.rules(data.chancery.violation) == {"watch.after_end"} with input as late
}

test_a_storm_of_approvals if {
	fixtures.rules(data.chancery.alert) == {"alert.approval_storm"} with input as {"counts": {"approvals_2m": 12}}
	count(data.chancery.alert) == 0 with input as {"counts": {"approvals_2m": 11}}
}

test_weekend if {
	calendars.weekend with input as {"calendar": {"weekday": "sunday"}}
	not calendars.weekend with input as {"calendar": {"weekday": "monday"}}
}
