"""The fault table: what goes wrong between a client, the bridge and its upstreams, one test for each row.

A test named `test_f13_…` belongs to row 13; several may. Adding a row is adding such a test to any file here.
"""

FULL = "STACBRIDGE_FULL"
"""Environment variable under which rows run their long form."""
