"""What holds for all tests."""

from hypothesis import settings

from tests.home import leave
from tests.logs import logging_as_it_was

__all__ = ["logging_as_it_was"]

leave()

# A machine that has other work is no fault of what is tested.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
