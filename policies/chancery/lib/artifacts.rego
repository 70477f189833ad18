# METADATA
# title: Artifacts
# description: Files that belong to a request.
package chancery.lib.artifacts

# METADATA
# description: Names of all artifacts.
names contains artifact.name if some artifact in input.request.artifacts

# METADATA
# description: Something undoes the change, and every file that is to do so is there and not empty.
undoable if {
	count(input.request.undo) > 0
	every name in input.request.undo {
		some artifact in input.request.artifacts
		artifact.name == name
		artifact.size > 0
	}
}
