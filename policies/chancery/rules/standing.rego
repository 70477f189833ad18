# METADATA
# title: Standing permissions
# description: >-
#   The only rules that let something through without an approval, or take risk points off. An entitlement says
#   so itself: `policy.standing_staging_seconds` is the longest login to staging that needs nobody.
package chancery.standing

import data.chancery.lib.calendars
import data.chancery.lib.people
import data.chancery.lib.requests
import data.chancery.lib.signals

allow contains {"rule": "standing.short_staging_access"} if short_staging_access

risk contains {
	"factor": "ssh.forced_command",
	"points": data.thresholds.points_forced_command.value,
	"detail": "only the one command that was named can be run",
} if {
	requests.entitlement == "ssh-admin"
	count(input.request.parameters.force_command) > 0
}

# METADATA
# description: A short login to staging by oneself, from a managed device at a usual origin, in working hours.
short_staging_access if {
	requests.entitlement == "ssh-admin"
	input.request.parameters.environment == "staging"
	input.request.clocks.grant_seconds <= input.entitlement.policy.standing_staging_seconds
	people.for_self
	not calendars.off_hours
	signals.value("device").managed == true
	signals.value("origin").new == false
	input.history.requests_1h <= data.thresholds.requests_1h_many.value
}
