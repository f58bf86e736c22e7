"""Tests of keys to object storage: that of a catalogue, and that of the spool's bucket."""

from secrets import token_hex

from stacbridge.access.storage import Storage
from stacbridge.access.variables import setting
from stacbridge.bucket import Bucket
from stacbridge.commands.findings import Finding, attempt
from stacbridge.commands.terminal import in_words
from stacbridge.download.objects import Objects
from stacbridge.download.outage import Outage
from stacbridge.download.s3 import CODE, S3, UPSTREAM
from stacbridge.errors import StacbridgeError, UpstreamError
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.tables import Table
from stacbridge.model import Reply, Request
from stacbridge.settings import Credentials, Settings
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts

KEY = "s3 key"
SKEWED = "RequestTimeTooSkewed"
"""S3's word for a request that was signed at another time than it came."""
PROBE = b"stacbridge check"
CLOCK_TODO = "Set this machine's clock."
DENIED = "AccessDenied"
"""S3's word for what a key that is known may not do: here, to list buckets."""


def key(mapping: Mapping, settings: Settings) -> Finding | None:
    """Test the account's key to the catalogue's storage; None where the catalogue has no storage."""
    if "s3" not in mapping.access:
        return None
    table = Table(f"{mapping.id}.toml", "access", mapping.access)
    credentials = settings.credentials.get(mapping.id, Credentials())
    storage = Storage.of(mapping.id, table, mapping.endpoints, credentials)
    todo = _todo(mapping)
    if storage is None:
        return Finding(KEY, None, f"None is set. To have single files from the storage, {todo}.")
    url = f"{storage.url}/"
    wire = Wire(mapping.id, settings, Hosts.listed((), [url]))
    try:
        reply = wire.exchange(Request("GET", url, headers=storage.headers("GET", url)))
    except StacbridgeError as error:
        return Finding(KEY, False, in_words(error))
    finally:
        wire.close()
    return _judged(reply, todo)


def bucket(told: Bucket, settings: Settings) -> Finding:
    """Test whether the spool's bucket can be written to, read, listed and cleared."""
    s3 = S3(told, settings.model_copy(update={"retries": 0}), Outage(UPSTREAM, settings))
    try:
        return attempt("bucket", lambda: _tried(s3, Objects(s3, told.prefix)))
    finally:
        s3.close()


def _todo(mapping: Mapping) -> str:
    names = " and ".join(setting(mapping.id, member) for member in ("s3_key", "s3_secret"))
    page = mapping.access.get("s3_page")
    return f"set {names}" + (f" (keys are made at {page})" if page else "")


def _judged(reply: Reply, todo: str) -> Finding:
    match = CODE.search(reply.body)
    code = match[1].decode() if match else ""
    if reply.status < 300:
        return Finding(KEY, True, "The storage takes it.")
    if code == DENIED:
        return Finding(
            KEY, None, "The storage knows it, and lets it list no buckets: of files that says nothing."
        )
    said = f"The storage refuses it: HTTP {reply.status} {code}".rstrip()
    return Finding(KEY, False, f"{said}. {CLOCK_TODO if code == SKEWED else f'Make a new one: {todo}.'}")


def _tried(s3: S3, objects: Objects) -> str:
    """Do there what the spool does, with an object of a name that it never gives."""
    name = f"check.{token_hex(8)}"
    objects.write(name, PROBE)
    try:
        part = s3.ask("GET", objects.url(name), headers={"range": f"bytes=5-{len(PROBE)}"})
        listing = objects.list()
    finally:
        objects.delete(name)
    if (part.status, part.body) != (206, PROBE[5:]):
        raise _failure("knows no ranges, which its readers need", f"HTTP {part.status}")
    if name not in {each.name for each in listing.found}:
        raise _failure("does not list what was just written to it", None)
    held = sum(each.size for each in listing.found if each.name != name)
    return f"It can be written to, read and listed; there are {held} bytes of spooled files."


def _failure(what: str, answered: str | None) -> UpstreamError:
    advice = "Take another storage: this one cannot be used for the spool."
    return UpstreamError(f"The bucket {what}.", upstream=UPSTREAM, answered=answered, advice=advice)
