# role-grant: roles are handed out by the security team, with hardware keys.
package chancery

import data.chancery.lib.people
import data.chancery.lib.requests

stage contains {"id": "security", "quorum": role_grant_quorum, "from": {"role": "security"}, "after": []} if {
	requests.entitlement == "role-grant"
}

obligation contains "hardware_passkey" if requests.entitlement == "role-grant"

deny contains {
	"rule": "role_grant.already_held",
	"message": "the person already holds this role",
	"remedy": "use the role as it is",
} if {
	requests.entitlement == "role-grant"
	input.phase == "request"
	people.holds(input.beneficiary, input.request.parameters.role)
}

default role_grant_quorum := 1

# The role that hands out roles.
role_grant_quorum := 2 if input.request.parameters.role == "security"
