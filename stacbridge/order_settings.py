"""The settings of orders and webhooks, a part of all settings."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from stacbridge.quantities import Count, Seconds


class OrderSettings(BaseSettings):
    """How orders are kept, and how patient they are."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    order_store: SecretStr | None = None
    """Where orders are kept: `sqlite:///` and a file, or `postgresql://…` where several processes serve one
    API; unset: `stacbridge/orders.sqlite` in `XDG_STATE_HOME` (`~/.local/state`), made when the
    first order comes."""
    order_connections: Count = 8
    """Connections to PostgreSQL at most, for orders and for leases each."""
    order_store_timeout: Seconds = 5
    """Seconds to wait for PostgreSQL at most: to connect, for an answer to a statement, and for one of these
    connections to be free. What needs it then fails; searches show items without their orders."""
    order_threads: Count = 4
    """Orders that one process asks upstreams about at once."""
    order_lease: Seconds | None = None
    """Seconds that a process keeps an order to itself while it asks; so long after a crash another one goes
    on with it. Unset: half as long again as a request may take (with the defaults, 11 minutes)."""
    order_poll: Seconds = 30
    """Seconds until an upstream is first asked how an order stands, then doubled."""
    order_poll_most: Seconds = 900
    """Seconds between two such questions at most."""
    order_unknown_polls: Count = 5
    """How often in a row an upstream may not know an order before it is ordered once more, then given up."""
    order_reorders: Annotated[int, Field(ge=0)] = 1
    """How often an order whose bytes came, and were taken away again before who ordered them downloaded any,
    is ordered once more by itself, as long as it is no older than the next two settings together."""
    order_unsent_seconds: Seconds = 7 * 86400
    """Seconds after which an order that no upstream would take has failed."""
    order_staging_seconds: Seconds = 7 * 86400
    """Seconds after which an order that an upstream took and did not deliver has failed."""
    order_quota_wait: Seconds = 3600
    """Seconds to wait where an upstream's quota is used up and it does not say until when."""
    order_check_seconds: Seconds = 86400
    """Seconds between two looks at whether delivered bytes are still there."""
    order_keep_seconds: Seconds = 90 * 86400
    """Seconds that an order which has finished is kept; then it is forgotten, in small steps."""
    max_order_items: Count = 1000
    """Items in one order at most."""
    webhook_hosts: list[str] = []
    """Hosts (or host:port) that may be told of finished orders; unset: nobody."""
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    """Key that signs what they are told, of 16 characters at least; without it nobody is told."""
    webhook_timeout: Seconds = 10
    """Seconds that a webhook's answer may take in all."""
    webhook_seconds: Seconds = 86400
    """Seconds for which a webhook that does not answer is called again."""
