"""Every setting, from the environment (`STACBRIDGE_…`) and one TOML file, with its default and its reason."""

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, DirectoryPath, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from stacbridge.bucket import Bucket
from stacbridge.credentials import SECRETS, Credentials
from stacbridge.download_settings import DownloadSettings
from stacbridge.order_settings import OrderSettings
from stacbridge.quantities import Count, Seconds

__all__ = ["SECRETS", "Bucket", "Credentials", "Settings"]


def _address(url: str) -> str:
    told = urlsplit(url)
    if told.scheme not in ("http", "https") or not told.hostname or told.query or told.fragment:
        raise ValueError("must be like https://stac.example.org or https://example.org/stac")
    return url


class Settings(OrderSettings, DownloadSettings, BaseSettings):
    """The bridge's settings, the parts above among them. Environment variables win over the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix="STACBRIDGE_", env_nested_delimiter="__", extra="forbid", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address that the bridge listens on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port that the bridge listens on; 0 lets the system choose."""
    shared_port: int | None = Field(default=None, ge=1, le=65535)
    """Port that it listens on, too, together with other bridges of this machine: the kernel (Linux) gives
    each connection to one of them."""
    public_url: Annotated[str, AfterValidator(_address)] | None = None
    """URL that clients see, where it is not the one of the request."""
    trusted_proxies: list[IPvAnyNetwork] = [IPv4Network("127.0.0.1"), IPv6Network("::1")]
    """Addresses or networks of reverse proxies in front, whose Forwarded and X-Forwarded-* headers are
    believed; those of anybody else are not."""
    log_format: Literal["text", "json"] = "text"
    """How the log is written: for persons, or a JSON object a line."""
    drain_seconds: Annotated[float, Field(ge=0)] = 25
    """Seconds that a bridge which is told to stop (SIGTERM) goes on with downloads under way, and waits for
    what archives answer to orders; other downloads are answered 503 at once."""
    drain_notice: Annotated[float, Field(ge=0)] = 0
    """Seconds that it stays for at least, so that a load balancer can see at /readyz that it leaves."""
    title: str = "stacbridge"
    """Title of the landing page."""
    catalogues: Annotated[list[str], Field(min_length=1)] = ["cdse"]
    """Ids of the catalogues to serve: shipped ones, or files in `catalogue_folder`."""
    catalogue_folder: DirectoryPath | None = None
    """Folder with catalogue files of your own (`<id>.toml`)."""
    credentials: dict[str, Credentials] = {}
    """Accounts by catalogue id."""
    account_store: Literal["auto", "keyring", "files"] = "auto"
    """Where `stacbridge login` keeps accounts: the system's keyring, or encrypted files; auto: the keyring
    where there is one, else files. An account in `credentials` wins over a kept one."""
    account_folder: Path = Path("~/.config/stacbridge/accounts")
    """Folder of the encrypted files."""
    account_key: Path | None = None
    """File with the key that encrypts them; unset: `key` in that folder."""
    keep_sessions: bool = True
    """Share each account's session with other bridges here and the next start, in `account_folder`."""
    endpoints: dict[str, dict[str, str]] = {}
    """Replacements for a catalogue's endpoints, by catalogue id and endpoint name."""
    secret: SecretStr | None = None
    """Key that signs cursors and, without `signing_keys`, hrefs; set it where several processes serve one
    API, or to outlive a restart."""

    default_limit: Count = 100
    """Items on a page when a search does not say."""
    max_limit: Count = 1000
    """Items on a page at most; a larger `limit` is served as this one."""
    max_ids: Count = 500
    """Item ids in one search at most."""
    max_filter_bytes: Count = 8192
    """Length of a CQL2 filter at most; checked before it is parsed."""
    max_filter_depth: Count = 64
    """Nesting of a CQL2 filter at most; checked before it is parsed."""
    max_terms: Count = 16
    """Terms of a free-text search (`q`) at most."""
    max_combinations: Count = 10_000
    """Combinations of a Collection's values that one condition of a filter is tried on at most."""
    max_vertices: Count = 10_000
    """Positions in an `intersects` geometry at most."""
    max_body_bytes: Count = 1024 * 1024
    """Size of the body of a request at most."""
    max_upstream_pages: Count = 10
    """Pages that one search may ask of a catalogue at most, where few items on them match."""
    search_seconds: Seconds = 30
    """Seconds for which one search may begin to ask a catalogue for further pages."""
    aggregation_items: Count = 10_000
    """Items that one aggregation may read at most, where upstreams do not count."""
    aggregation_requests: Count = 300
    """Searches that one aggregation may make at most, counts and pages of Items alike."""
    aggregation_buckets: Count = 1000
    """Buckets of one aggregation at most."""
    parallel_requests: Count = 8
    """Requests that one search of a catalogue makes at once at most, where its answer is put together from
    several."""

    connect_timeout: Seconds = 10
    """Seconds to wait for a connection to an upstream."""
    read_timeout: Seconds = 120
    """Seconds to wait for an upstream's next bytes, for searches and tokens."""
    upstream_deadline: Seconds = 300
    """Seconds that an upstream's answer may take in all, redirects and retries included."""
    catalogue_deadline: Seconds = 30
    """Seconds that a search waits for a catalogue at most; it goes on without one that is late."""
    straggler_ratio: Annotated[float, Field(ge=1)] = 1.1
    """A search with something to give waits for late catalogues this many times as long as the slowest of
    those asked usually takes, or took."""
    straggler_floor: Seconds = 1
    """Seconds that it waits for them at least."""
    breaker_failures: Count = 5
    """Searches that fail in a row before a catalogue is left alone."""
    breaker_seconds: Seconds = 30
    """Seconds that it is left alone, before one search tries whether it is back."""
    search_cache_seconds: Seconds = 30
    """Seconds that a catalogue's answers are remembered, so that the next page finds what came too late."""
    search_cache_bytes: Count = 64 * 1024 * 1024
    """Size of a catalogue's remembered answers at most, all together."""
    search_threads: Count = 200
    """Searches in flight at once, in all and in each catalogue; more wait."""
    max_reply_bytes: Count = 64 * 1024 * 1024
    """Size of an upstream's search answer at most."""
    max_redirects: Count = 5
    """Redirects followed at most, for searches and downloads."""
    retries: int = Field(default=2, ge=0)
    """How often a search is asked again after 429, 502, 503, 504 or a lost connection."""
    retry_wait: Seconds = 1
    """Seconds before the first retry, then doubled; or what the upstream's Retry-After says, up to 30."""

    download_idle_timeout: Seconds = 60
    """Seconds without a byte from the upstream, or taken by the client, before a download is cut."""
    processing_timeout: Seconds = 300
    """Seconds that an upstream may take to make a file on demand before it sends the first byte."""
    download_queue: Count = 256
    """Downloads that may wait for a connection of an account; more are answered 503, whose turn is last."""
    download_wait: Seconds = 300
    """Seconds that a download waits for a connection before it is answered 503; one that has begun waits so
    long at most for an upstream which asks it to."""
    receive_buffer: int = Field(default=4_194_304, ge=0)
    """Bytes of a download that the kernel holds before its upstream must wait, 0 for as many as it likes. It
    bounds how fast one stream comes from far away: 4 MiB are 40 MB/s over 100 ms. Not set where the
    kernel's `net.core.rmem_max` is lower."""
    download_min_rate: Seconds = 1000
    """Bytes a second below which an upstream counts as stalled, over `download_idle_timeout`."""
    download_retries: int = Field(default=3, ge=0)
    """How often in a row a download turns to its upstream again after a failure."""
    download_resumes: int = Field(default=200, ge=0)
    """How often it does so in all, each time going on where it was."""
    retry_patience: Seconds = 5
    """Seconds that a download waits at most, before its first byte, for an upstream that asks to; a longer
    wait is the client's."""
    unchecked: list[str] = []
    """Ids of catalogues that are known to state wrong sizes and checksums at times: a file that differs is
    logged and passed on, not cut."""
    spool_folder: Path | None = None
    """Folder for files that an upstream cannot send in parts, so that clients can have parts, go on and share
    a fetch; unset: they are passed on as they come. One bridge only uses it."""
    spool_bytes: Count = 50 * 1000**3
    """Bytes that are kept there at most."""
    spool_seconds: Seconds = 86400
    """Seconds that a file is kept there."""
    spool_wait: Seconds = 25
    """Seconds that a client waits for bytes that are on their way there, before it is answered 503."""
    spool_bucket: Bucket | None = None
    """Bucket of S3-compatible storage to which whole files go from there, for other bridges and later."""
    max_streams: Count = 2000
    """Asset requests that are answered at once; more are answered 503."""
    max_streams_per_user: Count = 500
    """Those of one user among them, where users have names."""
    head_timeout: Seconds = 10
    """Seconds that a client may take to send the head of a request before its connection is closed."""
    accel: str | None = None
    """Path of an nginx location (`internal`) that fetches what a client may have: the bridge then names URL
    and token in `X-Accel-Redirect`, and moves no bytes itself; unset: it moves them. The bridge must then be
    out of everyone's reach but nginx's, who would be told the token."""
    accel_seconds: float = Field(default=60, ge=0)
    """Seconds for which a file that the upstream gave is handed to nginx again without another look, so that
    reading it in parts asks the upstream once for each; 0 looks each time."""
    leases: Path | None = None
    """File in which bridges on one machine share connections; unset: in the PostgreSQL of `order_store`."""
    ledger: Path | None = None
    """File in which bytes are counted by account, user and day; unset: in memory, until the bridge ends."""
    location_seconds: Seconds = 300
    """Seconds that the place of an asset's bytes is remembered: ranged readers ask many times."""
    locations: Count = 1000
    """Places of assets that are remembered at most."""
    token_margin: Seconds = 60
    """Seconds before its end at which a token is renewed."""
    login_pause: Seconds = 900
    """Seconds until an account that its upstream refuses is tried again, lest it is locked."""
    collection_seconds: Seconds = 3600
    """Seconds that collections and queryables which an upstream lists itself are remembered."""
    collection_pause: Seconds = 60
    """Seconds until an upstream that could not list its collections is asked for them again."""

    access: Literal["open", "keys", "oidc"] = "open"
    """Who may use the bridge's accounts. open: whoever reaches it, which must be this machine alone; keys:
    holders of API keys (`stacbridge key create`); oidc: holders of tokens of an OpenID Connect provider."""
    open_to_network: bool = False
    """Let an open bridge listen on other addresses than loopback: whoever reaches it spends its quotas."""
    protect_searches: bool = False
    """Ask who searches, too; else keys and oidc guard downloads, orders and signing only."""
    key_folder: Path = Path("~/.config/stacbridge/keys")
    """Folder of API keys, and of those revoked; processes and replicas share it."""
    login_failures: Count = 20
    """Logins that may fail from one address, or under one name, before more from there are answered 429."""
    login_failure_seconds: Seconds = 300
    """Seconds in which they are counted, and after which such an address may try again."""
    login_failures_kept: Count = 10_000
    """Addresses, and names, whose failures are remembered at most; the oldest are forgotten first."""
    oidc_issuer: str | None = None
    """URL of the OpenID Connect provider whose tokens are taken, as its tokens state it (`iss`)."""
    oidc_audience: str | None = None
    """Audience that tokens must be meant for (`aud`)."""
    oidc_key_seconds: Seconds = 3600
    """Seconds that the provider's signing keys are remembered; and longer while it is down."""
    oidc_key_pause: Seconds = 60
    """Seconds between two requests for its keys at least, whatever tokens name."""
    clock_tolerance: Seconds = 60
    """Seconds by which clocks may differ, for tokens and signed hrefs."""
    sign_hrefs: bool = True
    """Sign the hrefs of assets in answers to searches of known callers, for tools that send no headers."""
    sign_seconds: Count = 8 * 3600
    """Seconds that a signed href is good for at least; an eighth more at most."""
    signing_keys: list[Annotated[SecretStr, Field(min_length=16)]] = []
    """Keys that sign hrefs, of 16 characters at least, the newest first: it signs, the others still hold, and
    what was signed with a key made of `secret`, which is used where there are none."""
    accounts: dict[str, Literal["service", "own"]] = {}
    """Whose account at a catalogue is used, by catalogue id. service: that of the settings, for all callers;
    own: each caller's, which they bring by PUT to /account/{catalogue}."""
    own_accounts: Count = 200
    """Accounts of callers, by catalogue, that are held ready at once."""
    own_account_seconds: Seconds = 60
    """Seconds after which a caller's account is read again, in case another process changed it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the TOML file that `STACBRIDGE_CONFIG` names."""
        file = os.environ.get("STACBRIDGE_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return init_settings, env_settings, *toml
