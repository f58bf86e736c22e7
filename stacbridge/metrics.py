"""What the bridge counts, for Prometheus. No label is a user, an item or anything that a client makes up.

Counters are the process's, as Prometheus wants them; how things stand now is read when it is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from stacbridge.exchange import current
from stacbridge.model import Json

COUNTERS = CollectorRegistry()
ProcessCollector(registry=COUNTERS)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
ANSWERS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600, 3600)
"""Upper bounds of classes of seconds: from a remembered page to a product of many gigabytes."""

REQUESTS = Counter(
    "stacbridge_http_requests",
    "Requests of clients; status 0: they left before the answer began.",
    ("method", "route", "status"),
    registry=COUNTERS,
)
SECONDS = Histogram(
    "stacbridge_http_seconds",
    "Seconds until the end of an answer.",
    ("route",),
    buckets=ANSWERS,
    registry=COUNTERS,
)
SENT = Counter("stacbridge_http_sent_bytes", "Bytes of answers' bodies.", ("route",), registry=COUNTERS)
UPSTREAM = Histogram(
    "stacbridge_upstream_seconds",
    "Seconds until an upstream's answer, of downloads until its head; outcome: its status, or the failure.",
    ("catalogue", "outcome"),
    buckets=ANSWERS,
    registry=COUNTERS,
)
RECEIVED = Counter(
    "stacbridge_download_received_bytes",
    "Bytes of files that came from an upstream.",
    ("catalogue",),
    registry=COUNTERS,
)
RETRIES = Counter(
    "stacbridge_download_retries",
    "Times that downloads turned to their upstream again; refused: the account's retries were used up.",
    ("catalogue", "outcome"),
    registry=COUNTERS,
)
REMEMBERED = Counter(
    "stacbridge_cache_lookups",
    "Look-ups of what upstreams answered before; result: hit or miss.",
    ("catalogue", "cache", "result"),
    registry=COUNTERS,
)
SKIPPED = Counter(
    "stacbridge_skipped_records",
    "Records that could not be made an Item.",
    ("catalogue",),
    registry=COUNTERS,
)
TOKENS = Counter(
    "stacbridge_token_calls", "Requests for tokens of the account.", ("catalogue",), registry=COUNTERS
)
FAILED_LOGINS = Counter(
    "stacbridge_failed_logins",
    "Logins of callers; outcome: wrong, or unseen where too many were wrong before.",
    ("outcome",),
    registry=COUNTERS,
)

SPOOLED = Counter(
    "stacbridge_spool_answers",
    "Answers from the spool; place: folder, bucket, or redirect for clients that were sent to the bucket.",
    ("place",),
    registry=COUNTERS,
)
SPOOL_FAILURES = Counter(
    "stacbridge_spool_bucket_failures",
    "Requests to the bucket of the spool that failed; kind: read or write.",
    ("kind",),
    registry=COUNTERS,
)
DETOURS = Counter(
    "stacbridge_storage_refusals",
    "Files that came from the archive itself, since its storage refused them.",
    ("catalogue",),
    registry=COUNTERS,
)


def answered(method: str, route: str, status: int, seconds: float, sent: int) -> None:
    """Count an answer to a client."""
    REQUESTS.labels(method if method in METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
    SENT.labels(route).inc(sent)


def asked(catalogue: str, outcome: str, seconds: float) -> None:
    """Count a request to an upstream, here and in what is being answered."""
    UPSTREAM.labels(catalogue, outcome).observe(seconds)
    exchange = current()
    if exchange is not None:
        exchange.took(catalogue, seconds)


def looked_up(catalogue: str, cache: str, hit: bool) -> None:
    """Count a look-up in a cache."""
    REMEMBERED.labels(catalogue, cache, "hit" if hit else "miss").inc()


def exposition(health: Json) -> bytes:
    """Return everything in Prometheus's text format; `health` is the document of the bridge's health."""
    now = CollectorRegistry()
    now.register(_Standing(health))
    return generate_latest(COUNTERS) + generate_latest(now)


class _Standing:
    """How things stand, as metrics."""

    def __init__(self, health: Json) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Yield a metric for each kind of thing in the document."""
        catalogues: Mapping[str, Any] = self._health["catalogues"]
        yield _gauge("draining", "1 while the bridge is about to stop.", (), [((), self._health["draining"])])
        yield _gauge("downloads_under_way", "Asset requests.", (), [((), self._health["downloads"])])
        yield _gauge(
            "breaker_state",
            "1 for the state that a catalogue's circuit breaker is in.",
            ("catalogue", "state"),
            (((id, each["breaker"]["state"]), 1) for id, each in catalogues.items()),
        )
        yield from _downloads({id: each["downloads"] for id, each in catalogues.items()})
        yield _gauge(
            "account_warnings",
            "Things to see to, of an account or of collections that are left out.",
            ("catalogue",),
            (((id,), len(each["warnings"])) for id, each in catalogues.items()),
        )
        yield _gauge(
            "slots",
            "Connections of an account: set, allowed now, in use; and downloads that wait for one.",
            ("catalogue", "state"),
            (((id, state), n) for id, each in catalogues.items() for state, n in each["slots"].items()),
        )
        yield _gauge(
            "orders",
            "Products in the order book.",
            ("catalogue", "state"),
            (((id, state), n) for id, each in catalogues.items() for state, n in each["orders"].items()),
        )
        yield from _spool(self._health.get("spool", {}))


def _spool(spool: Mapping[str, Any]) -> Iterator[Metric]:
    for member, about in (("files", "Files in the spool."), ("bytes", "Bytes in the spool.")):
        yield _gauge(
            f"spool_{member}", about, ("place",), (((place,), each[member]) for place, each in spool.items())
        )
    bucket = spool.get("bucket")
    up = [] if bucket is None else [((), bucket["state"] == "ok")]
    yield _gauge("spool_bucket_up", "1 while the bucket of the spool does all that it is asked.", (), up)


def _downloads(catalogues: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield how downloads from each catalogue fare."""
    yield _gauge(
        "download_breaker_state",
        "1 for the state that the circuit breaker of a host with files is in.",
        ("catalogue", "host", "state"),
        (
            ((id, host, breaker["state"]), 1)
            for id, each in catalogues.items()
            for host, breaker in each["hosts"].items()
        ),
    )
    yield _gauge(
        "download_retries_left",
        "Times that downloads may turn to their upstream again now.",
        ("catalogue",),
        (((id,), each["retries"]["left"]) for id, each in catalogues.items()),
    )
    yield _gauge(
        "download_bytes_second",
        "Bytes a second on a connection, while they were waited for.",
        ("catalogue",),
        (
            ((id,), each["bytes_second"])
            for id, each in catalogues.items()
            if each["bytes_second"] is not None
        ),
    )
    yield _gauge(
        "download_pace",
        "1 for the pace of an upstream that slows accounts down whose quota is used up.",
        ("catalogue", "pace"),
        (((id, each["pace"]), 1) for id, each in catalogues.items() if "pace" in each),
    )


def _gauge(
    name: str, about: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    gauge = GaugeMetricFamily(f"stacbridge_{name}", about, labels=labels)
    for named, value in values:
        gauge.add_metric(named, value)
    return gauge
