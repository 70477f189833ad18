# METADATA
# title: People
# description: Who asks, and for whom.
package chancery.lib.people

# METADATA
# description: The one who asks and the one who receives are the same person.
for_self if input.requester.person == input.beneficiary.person

# METADATA
# description: Whether a person of the input holds a role.
holds(person, role) if role in person.roles

# METADATA
# description: Everyone who holds the role, and works in the unit that the entitlement belongs to, if it names one.
holders(role) := {"all": [{"role": role}, {"attribute": {"business_unit": unit}}]} if {
	unit := input.entitlement.policy.business_unit
}

holders(role) := {"role": role} if not input.entitlement.policy.business_unit
