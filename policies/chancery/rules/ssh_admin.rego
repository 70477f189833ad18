# ssh-admin: who approves a login to a server, and which logins nobody may ask for.
package chancery

import data.chancery.lib.networks
import data.chancery.lib.requests
import data.chancery.standing

stage contains {"id": "service_owner", "quorum": 1, "from": {"role": "service_owner"}, "after": []} if {
	requests.entitlement == "ssh-admin"
	not standing.short_staging_access
}

stage contains {"id": "security", "quorum": security_quorum, "from": {"role": "security"}, "after": []} if {
	requests.entitlement == "ssh-admin"
	requests.production
}

constraint contains {"scopes": {
	"host": [input.request.parameters.host],
	"principal": [input.request.parameters.principal],
}} if {
	requests.entitlement == "ssh-admin"
}

constraint contains {"scopes": {"source_address": [input.request.parameters.source_address]}} if {
	requests.entitlement == "ssh-admin"
}

deny contains {
	"rule": "ssh_admin.blocked_principal",
	"message": sprintf("nobody logs in as `%s`", [input.request.parameters.principal]),
	"remedy": "ask for a login name of your own or of the service, and use sudo there",
} if {
	requests.entitlement == "ssh-admin"
	input.request.parameters.principal in input.entitlement.policy.blocked_principals
}

deny contains {
	"rule": "ssh_admin.blocked_host",
	"message": sprintf("the host `%s` is not reached this way", [input.request.parameters.host]),
	"remedy": "ask the security team for the procedure of this host",
} if {
	requests.entitlement == "ssh-admin"
	some pattern in input.entitlement.policy.blocked_hosts
	glob.match(pattern, ["."], lower(input.request.parameters.host))
}

deny contains {
	"rule": "ssh_admin.ticket",
	"message": "a login to production needs a ticket",
	"remedy": "ask again with the number of a ticket (`--ticket`)",
} if {
	requests.entitlement == "ssh-admin"
	requests.production
	not requests.ticketed
}

deny contains {
	"rule": "ssh_admin.wide_source",
	"message": "the address block to come from is not valid or too wide",
	"remedy": sprintf("name a block of at least /%d (IPv4) or /%d (IPv6)", [ipv4_bits, ipv6_bits]),
} if {
	requests.entitlement == "ssh-admin"
	ipv4_bits := data.thresholds.widest_source_ipv4_bits.value
	ipv6_bits := data.thresholds.widest_source_ipv6_bits.value
	block := input.request.parameters.source_address
	not networks.at_most_as_wide(block, ipv4_bits, ipv6_bits)
}

default security_quorum := 1

security_quorum := 2 if suspicious

suspicious if new_origin

suspicious if unmanaged_device

suspicious if many_requests
