"""The settings of what downloads do when an upstream fails, or sends slowly."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from stacbridge.quantities import Count, Seconds


class DownloadSettings(BaseModel):
    """Bounds that hold for all downloads of an account, or from a host, together."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    download_retry_share: Annotated[float, Field(ge=0)] = 0.1
    """How often the downloads of one account may turn to its upstream again, as a share of those that began
    in the last `download_retry_window`; beyond it, failures are passed on at once."""
    download_retry_floor: Annotated[int, Field(ge=0)] = 30
    """How often they may in any case in such a span, so that a single long download can go on."""
    download_retry_window: Seconds = 60
    """Seconds of that span."""
    download_breaker_failures: Count = 10
    """Requests for files that fail in a row (5xx, no answer, or none of its bytes) before their host is left
    alone."""
    download_breaker_seconds: Seconds = 30
    """Seconds that it is left alone, before one request tries whether it is back."""
    throughput_window: Seconds = 300
    """Seconds over which it is measured how fast an upstream sends."""
    throttle_seconds: Seconds = 60
    """Seconds that downloads must have waited for bytes in such a span before it is said that an account is
    throttled, or is no longer."""
    throttle_margin: Annotated[float, Field(ge=1)] = 1.25
    """How many times the rate that a catalogue states for throttled accounts (`throttled_bytes_second` in its
    `[limits]`) still counts as that rate."""
