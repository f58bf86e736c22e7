"""The commands of `stacbridge`, one module each, and the parts that several of them share."""
