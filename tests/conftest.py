"""What holds for all tests."""

from hypothesis import settings

from tests.home import leave

leave()

# A machine that has other work is no fault of what is tested.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
