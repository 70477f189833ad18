# Risk of the circumstances: device, origin, time and frequency. What is unknown is stricter, never a pass.
package chancery

import data.chancery.lib.calendars
import data.chancery.lib.requests
import data.chancery.lib.signals

risk contains {
	"factor": "device.unknown",
	"points": data.thresholds.points_device_unknown.value,
	"detail": "the state of the device is unknown",
} if {
	not device_posture_known
}

risk contains {
	"factor": "device.unmanaged",
	"points": data.thresholds.points_device_unmanaged.value,
	"detail": "the device is not managed",
} if {
	unmanaged_device
}

risk contains {
	"factor": "origin.unknown",
	"points": data.thresholds.points_origin_unknown.value,
	"detail": "the origin of the request is unknown",
} if {
	not origin_known
}

risk contains {
	"factor": "origin.first_seen",
	"points": data.thresholds.points_origin_new.value,
	"detail": "the requester was never seen at this origin",
} if {
	new_origin
}

risk contains {
	"factor": "calendar.off_hours",
	"points": data.thresholds.points_off_hours.value,
	"detail": "it is outside of working hours",
} if {
	calendars.off_hours
}

risk contains {
	"factor": "history.many_requests",
	"points": data.thresholds.points_many_requests.value,
	"detail": "the requester asked many times within the last hour",
} if {
	many_requests
}

risk contains {
	"factor": "history.unknown",
	"points": data.thresholds.points_history_unknown.value,
	"detail": "the requester's last requests are unknown",
} if {
	not is_number(object.get(input.history, "requests_1h", null))
}

constraint contains {"grant_seconds": data.thresholds.grant_seconds_unknown.value} if not device_posture_known

obligation contains "post_review" if {
	calendars.off_hours
	requests.production
}

deny contains {
	"rule": "circumstances.unmanaged_new_origin",
	"message": "an unmanaged device at an origin that was never seen asks for something of high risk",
	"remedy": "ask from a managed device, or from where you usually work",
} if {
	unmanaged_device
	new_origin
	input.entitlement.risk_tier in {"high", "critical"}
}

device_posture_known if is_boolean(signals.value("device").managed)

unmanaged_device if signals.value("device").managed == false

origin_known if is_boolean(signals.value("origin").new)

new_origin if signals.value("origin").new == true

many_requests if input.history.requests_1h > data.thresholds.requests_1h_many.value
