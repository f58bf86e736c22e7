"""Callers' own accounts, in any order of events: each call is made as who asked for it, or not at all."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import SecretStr

from stacbridge.accounts import OwnAccounts
from stacbridge.callers.principal import Principal, acting
from stacbridge.errors import Forbidden
from stacbridge.model import Query
from stacbridge.settings import Credentials, Settings
from stacbridge.vault import EncryptedFiles
from tests.callers.archive import archive
from tests.servers import Clock

users = st.sampled_from(["ada", "bob", "cleo"])


class Accounts(RuleBasedStateMachine):
    """Two processes over one vault, of which each holds two accounts; callers bring, take away, search."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.opened.callback(shutil.rmtree, self.folder)
        self.archive, self.server = self.opened.enter_context(archive(self.folder))
        self.clock = Clock()
        chosen = Settings(
            access="keys", accounts={"toy": "own"}, catalogue_folder=self.folder, own_accounts=2
        )
        vault = EncryptedFiles(self.folder / "accounts", self.folder / "accounts" / "key")
        self.processes = [OwnAccounts("toy", chosen, vault, clock=self.clock) for _ in range(2)]
        self.kept: set[str] = set()

    def teardown(self) -> None:
        for process in self.processes:
            process.close()
        self.opened.close()

    @rule(user=users, process=st.integers(0, 1))
    def bring(self, user: str, process: int) -> None:
        with acting(Principal(f"k{user}aaaaaaaa", user, "key")):
            self.processes[process].keep(Credentials(username=user, password=SecretStr(f"canary-of-{user}")))
        self.kept.add(user)

    @rule(user=users, process=st.integers(0, 1))
    def take_away(self, user: str, process: int) -> None:
        with acting(Principal(f"k{user}aaaaaaaa", user, "key")):
            self.processes[process].forget()
        self.clock.now += 61  # by then every process knows
        self.kept.discard(user)

    @rule()
    def end_all_tokens(self) -> None:
        self.archive.tokens.clear()

    @rule(seconds=st.integers(1, 600))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(user=users, process=st.integers(0, 1), signed=st.booleans())
    def search(self, user: str, process: int, signed: bool) -> None:
        with acting(Principal(f"k{user}aaaaaaaa", user, "signed" if signed else "key")):
            if user in self.kept:
                found = self.processes[process].search(Query(), "").items
                assert [item["id"] for item in found] == [f"TOY_{user}"]
            else:
                with pytest.raises(Forbidden):
                    self.processes[process].search(Query(), "")

    @invariant()
    def no_more_accounts_are_held_than_set(self) -> None:
        assert all(process.held <= 2 for process in self.processes)
