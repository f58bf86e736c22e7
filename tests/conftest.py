"""What holds for all tests."""

import os

# Accounts' sessions are shared where a test says so, and never with those of whoever runs the tests.
os.environ.setdefault("STACBRIDGE_KEEP_SESSIONS", "false")
