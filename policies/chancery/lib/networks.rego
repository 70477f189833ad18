# METADATA
# title: Networks
# description: Address blocks in CIDR notation.
package chancery.lib.networks

# METADATA
# description: The block is well-formed, and its prefix has at least so many bits in its family.
at_most_as_wide(block, ipv4_bits, ipv6_bits) if {
	net.cidr_is_valid(block)
	prefix_bits(block) >= family_bits(block, ipv4_bits, ipv6_bits)
}

# METADATA
# description: Bits of the prefix of a block.
prefix_bits(block) := to_number(split(block, "/")[1])

family_bits(block, _, ipv6_bits) := ipv6_bits if contains(block, ":")

family_bits(block, ipv4_bits, _) := ipv4_bits if not contains(block, ":")
