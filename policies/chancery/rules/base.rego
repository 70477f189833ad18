# METADATA
# title: The rules
# description: Every module of this package adds to the sets that the host reads. This one weighs the thing itself.
package chancery

import data.chancery.lib.requests

risk contains {
	"factor": "entitlement.risk_tier",
	"points": points,
	"detail": sprintf("the entitlement itself is of %s risk", [input.entitlement.risk_tier]),
} if {
	points := {
		"low": data.thresholds.points_tier_low.value,
		"medium": data.thresholds.points_tier_medium.value,
		"high": data.thresholds.points_tier_high.value,
		"critical": data.thresholds.points_tier_critical.value,
	}[input.entitlement.risk_tier]
}

risk contains {
	"factor": "blast_radius.production",
	"points": data.thresholds.points_production.value,
	"detail": "production is touched",
} if {
	requests.production
}

deny contains {
	"rule": "production.justification",
	"message": "a request that touches production gives no reason",
	"remedy": "ask again with a reason (`--reason`)",
} if {
	requests.production
	not requests.justified
}
