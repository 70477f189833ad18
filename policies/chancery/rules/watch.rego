# Watching: `violation` looks at what is done under a grant: input is `{activity: {principal, host, at},
# grant: {scopes, not_after}}`. `alert` looks at events with counts: input is `{event, counts}`.
package chancery

violation contains {
	"rule": "watch.scope",
	"message": sprintf("the activity left the grant's scope `%s`", [scope]),
	"action": "revoke",
} if {
	some scope, values in input.grant.scopes
	done := input.activity[scope]
	not done in values
}

violation contains {
	"rule": "watch.after_end",
	"message": "the activity went on after the end of the grant",
	"action": "revoke",
} if {
	# RFC 3339 in UTC with whole seconds sorts as text.
	input.activity.at >= input.grant.not_after
}

alert contains {
	"rule": "alert.approval_storm",
	"message": "unusually many approvals within two minutes",
	"severity": "high",
} if {
	input.counts.approvals_2m >= data.thresholds.approvals_2m_storm.value
}
