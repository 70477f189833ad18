# METADATA
# title: Signals
# description: Timestamped facts. What is unknown or old is never read as a calm value.
package chancery.lib.signals

# METADATA
# description: The value of a signal, only when it is known and fresh.
value(name) := signal.value if {
	signal := input.signals[name]
	signal.status == "known"
	signal.age_seconds <= data.thresholds.signal_fresh_seconds.value
}
