# db-change: a change of a database needs its administrators, its owner, and a way back.
package chancery

import data.chancery.lib.artifacts
import data.chancery.lib.people
import data.chancery.lib.requests

stage contains {"id": "dba", "quorum": 1, "from": people.holders("dba"), "after": []} if {
	requests.entitlement == "db-change"
}

stage contains {"id": "service_owner", "quorum": 1, "from": {"role": "service_owner"}, "after": []} if {
	requests.entitlement == "db-change"
}

deny contains {
	"rule": "db_change.undo",
	"message": "the change comes without a script that takes it back",
	"remedy": "attach the script (`--artifact undo.sql=FILE`) and name it as what undoes the change",
} if {
	requests.entitlement == "db-change"
	not artifacts.undoable
}

deny contains {
	"rule": "db_change.nothing_to_apply",
	"message": "every attached file is there to undo the change",
	"remedy": "attach the change itself as well",
} if {
	requests.entitlement == "db-change"
	artifacts.undoable
	count(artifacts.names - {name | some name in input.request.undo}) == 0
}
