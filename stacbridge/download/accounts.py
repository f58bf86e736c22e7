"""The accounts that fetch: one of each catalogue for all, or one of each caller there."""

from collections import OrderedDict
from collections.abc import Mapping
from weakref import WeakValueDictionary

from stacbridge.callers.principal import Principal
from stacbridge.catalogue import Catalogue
from stacbridge.download.account import Account, Means
from stacbridge.download.breakers import Breakers
from stacbridge.errors import NotFound, Unauthorized
from stacbridge.model import Json


class Accounts:
    """The accounts by scope (`scope_of`). Each has one line and one budget, however many of it ask.

    Of accounts that callers brought, the `own_accounts` that were used last are remembered, and those in use:
    a file that is being fetched holds on to its account.
    """

    def __init__(self, catalogues: Mapping[str, Catalogue], means: Means) -> None:
        self._catalogues = catalogues
        self._means = means
        self._most = means.settings.own_accounts
        self._breakers = {id: Breakers(id, means.settings, means.clock) for id in catalogues}
        self._service = {id: self._account(id, id) for id in catalogues}
        self._own: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self._recent: OrderedDict[str, Account] = OrderedDict()

    def of(self, principal: Principal | None, catalogue: str) -> Account:
        """Return the account at a catalogue that fetches for `principal`.

        Raises `NotFound` for a catalogue that is not here, and what `scope_of` raises.
        """
        if catalogue not in self._catalogues:
            raise NotFound(f"There is no catalogue {catalogue!r} here.")
        scope = self._means.hooks.scope_of(principal, catalogue)
        return self._service.get(scope) or self._owned(scope, catalogue)

    async def status(self, principal: Principal | None, user: str) -> Json:
        """Return how busy the accounts are that fetch for `principal`, by catalogue."""
        found = {}
        for id in self._catalogues:
            try:
                found[id] = await self.of(principal, id).status(user)
            except Unauthorized:
                continue  # a stranger has no account there
        return found

    def load(self) -> dict[str, dict[str, int]]:
        """Return how many connections the accounts for all have and use, and how many wait for one."""
        return {id: account.slots.load() for id, account in self._service.items()}

    def warnings(self) -> dict[str, list[str]]:
        """Return what the holder of the accounts that are for all should see to, by catalogue."""
        return {id: told for id, account in self._service.items() if (told := account.warnings())}

    def standing(self) -> dict[str, Json]:
        """Return how downloads with the accounts that are for all fare, by catalogue."""
        return {id: account.standing() for id, account in self._service.items()}

    def _account(self, catalogue: str, scope: str) -> Account:
        return Account(self._catalogues[catalogue], scope, self._means, self._breakers[catalogue])

    def _owned(self, scope: str, catalogue: str) -> Account:
        account = self._own.get(scope)
        if account is None:
            account = self._own[scope] = self._account(catalogue, scope)
        self._recent[scope] = account
        self._recent.move_to_end(scope)
        while len(self._recent) > self._most:
            self._recent.popitem(last=False)
        return account
