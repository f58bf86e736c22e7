"""What holds for all tests."""

from tests.home import leave

leave()
