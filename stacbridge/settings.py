"""Every setting, from the environment (`STACBRIDGE_…`) and one TOML file, with its default and its reason."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


SECRETS = ("password", "totp_secret", "refresh_token", "client_secret")
"""Members of an account that nobody may see."""


class Credentials(BaseModel):
    """An account at one catalogue. Which members it needs depends on the catalogue's access flow.

    Each secret may stand in a file of its own instead, named by the member with `_file` at its end.
    """

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    username: str | None = None
    """Name of the account."""
    password: SecretStr | None = None
    """Password of the account."""
    totp_secret: SecretStr | None = None
    """The base32 secret of a second factor, where the account has one."""
    refresh_token: SecretStr | None = None
    """A refresh token or offline token, as `stacbridge login` or the upstream's own page gives it."""
    client_id: str | None = None
    """The OAuth client that logs in, where the catalogue names none or you have your own."""
    client_secret: SecretStr | None = None
    """Secret of that client, where it has one."""

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: Any) -> Any:
        """Read the files that hold secrets; a line break at their end is not part of them."""
        if not isinstance(given, dict):
            return given
        members = dict(given)
        for name in SECRETS:
            file = members.pop(f"{name}_file", None)
            if file is None:
                continue
            if members.get(name) is not None:
                raise ValueError(f"{name} and {name}_file are both set")
            try:
                members[name] = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, TypeError, UnicodeDecodeError):
                raise ValueError(f"{name}_file cannot be read") from None
        return members


class Settings(BaseSettings):
    """The bridge's settings. Environment variables win over the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix="STACBRIDGE_", env_nested_delimiter="__", extra="forbid", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address that the bridge listens on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port that the bridge listens on; 0 lets the system choose."""
    public_url: str | None = None
    """URL that clients see, where it is not the one of the request."""
    title: str = "stacbridge"
    """Title of the landing page."""
    catalogues: list[str] = ["cdse"]
    """Ids of the catalogues to serve: shipped ones, or files in `catalogue_folder`."""
    catalogue_folder: Path | None = None
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
    endpoints: dict[str, dict[str, str]] = {}
    """Replacements for a catalogue's endpoints, by catalogue id and endpoint name."""
    secret: SecretStr | None = None
    """Key that signs cursors, orders and, without `signing_keys`, hrefs; set it where several processes serve
    one API, or to outlive a restart."""

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
    max_vertices: Count = 10_000
    """Positions in an `intersects` geometry at most."""
    max_body_bytes: Count = 1024 * 1024
    """Size of a search's body at most."""
    max_upstream_pages: Count = 10
    """Upstream requests that one search may make at most."""

    connect_timeout: Seconds = 10
    """Seconds to wait for a connection to an upstream."""
    read_timeout: Seconds = 120
    """Seconds to wait for an upstream's next bytes, for searches and tokens."""
    upstream_deadline: Seconds = 300
    """Seconds that an upstream's answer may take in all, redirects and retries included."""
    search_threads: Count = 200
    """Searches in flight at once; more wait."""
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
    """Downloads that may wait for a connection of an account; more are answered 503."""
    download_wait: Seconds = 300
    """Seconds that a download waits for a connection before it is answered 503."""
    location_seconds: Seconds = 300
    """Seconds that the place of an asset's bytes is remembered: ranged readers ask many times."""
    locations: Count = 1000
    """Places of assets that are remembered at most."""
    token_margin: Seconds = 60
    """Seconds before its end at which a token is renewed."""
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
    signing_keys: list[SecretStr] = []
    """Keys that sign hrefs, the newest first: it signs, the others still hold. Unset: made of `secret`."""
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
