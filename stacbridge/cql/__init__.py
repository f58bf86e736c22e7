"""CQL2 filters: parsed under bounds, reduced to conditions that can be pushed, matched against Items."""
