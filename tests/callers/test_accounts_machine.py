"""Callers' own accounts, in any order of events."""

from hypothesis import settings

from tests.callers.accounts_machine import Accounts

Accounts.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestAccounts = Accounts.TestCase
