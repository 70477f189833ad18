# METADATA
# title: Requests
# description: What is asked for.
package chancery.lib.requests

# METADATA
# description: Name of the entitlement.
entitlement := input.request.entitlement.name

# METADATA
# description: Production is touched, or an entitlement that does not say where it acts.
production if object.get(input.request.parameters, "environment", "production") == "production"

# METADATA
# description: The number of a ticket is given.
ticketed if count(trim_space(input.request.ticket)) > 0

# METADATA
# description: A reason is given in words.
justified if count(trim_space(input.request.justification)) > 0
