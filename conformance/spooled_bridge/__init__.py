"""A bridge with a spool in a process of its own, so that it can be killed."""
