"""A catalogue out of its files, the settings, and what `stacbridge login` kept."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from stacbridge.access.sessions import Sessions
from stacbridge.dialects.registry import dialect_of
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from stacbridge.vault import open_vault, renew


def load(catalogue: str, settings: Settings, **clocks: Callable[..., Any]) -> Upstream:
    """Return the catalogue of that id, from its files and the settings. Raises `Misconfigured`.

    Its account is that of the settings; where they name none, the one that `stacbridge login` kept, with
    what they say of the OAuth client. `clocks` are those of `Upstream`.
    """
    mapping = load_mapping(catalogue, settings)
    dialect = dialect_of(mapping)
    given = settings.credentials.get(catalogue, Credentials())
    vault = open_vault(settings)
    kept = None if given.username or given.refresh_token else vault.read(catalogue)
    account = given if kept is None else kept.model_copy(update=given.model_dump(exclude_none=True))
    sessions = shared_sessions(catalogue, mapping, settings, account)
    if kept is None or kept.refresh_token is None:
        return Upstream(mapping, dialect, settings, account, sessions=sessions, **clocks)
    keep = partial(renew, vault, catalogue)
    return Upstream(mapping, dialect, settings, account, sessions=sessions, keep=keep, **clocks)


def shared_sessions(
    scope: str, mapping: Mapping, settings: Settings, account: Credentials
) -> Sessions | None:
    """Return where the bridges of this machine share an account's session, unless they do not."""
    if not settings.keep_sessions or os.name != "posix":
        return None
    # Locks on files as they are used there are POSIX's alone.
    from stacbridge.access.session_file import session_file

    return session_file(scope, settings, account, mapping.endpoints.get("token", ""))
