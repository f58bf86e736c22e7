"""Upstream services to run on loopback: real HTTP servers that import nothing of the rest of the package."""
