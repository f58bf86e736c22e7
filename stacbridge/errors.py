"""Failures, and what each becomes over HTTP.

* StacbridgeError
  + BadRequest             400  the caller's words are off; names the parameter
    - UnsupportedFilter    400  a condition that nobody can answer
    - SearchTooWide        400  too much would have to be read to answer; names what to narrow
    - MethodNotAllowed     405  the resource does not know the method
    - RangeNotSatisfiable  416  the range asked for lies outside the file
  + NotFound               404  no such collection, item or asset
  + Unauthorized           401  the caller must say who they are
    - TokenExpired         401  a token that was good, and has ended
  + TooManyRequests        429  too many logins failed from where this one comes
  + Forbidden              403  the upstream refuses this account these bytes, or the bridge this caller
    - SignatureInvalid     403  a signed href that was changed, or was not signed here
    - SignatureExpired     403  a signed href that has ended
    - SignatureRevoked     403  a signed href of a caller who is let in no more
  + NotStaged              503  the bytes are offline, being staged, or a slot is not free yet
  + NotOrderable           409  the bytes are offline, and cannot be ordered through this door
  + Misconfigured          503  a setting is missing or wrong; names it
  + UpstreamError          502  an upstream answered something that is not an answer
    - UpstreamTimeout      504  an upstream did not answer in time
    - UpstreamUnavailable  503  an upstream is down, or refuses for now
      . QuotaExceeded      503  an upstream takes no more orders of the account for now
    - UpstreamRefused      502  an upstream refuses our credentials
      . LoginRefused       503  an upstream refuses the account; the login rests, lest the account is locked
    - UpstreamRejected     502  an upstream does not take what it was asked (4xx)
    - OrderUnclear         502  nobody knows whether an upstream took an order
  + StoreUnavailable       503  the order book cannot be read or written; nothing was ordered

Every failure carries who failed, what was asked, what it answered and what to do, and has one JSON shape:
`{"code", "description", "upstream"?, "asked"?, "answered"?, "advice"?, "parameter"?, "retry_after"?}`,
to which answers add the `request_id`.
No credential is ever part of one.
"""

from dataclasses import dataclass
from typing import ClassVar

from stacbridge.model import Json


@dataclass(eq=False)
class StacbridgeError(Exception):
    """The root of all failures. `description` is one sentence for a person."""

    status: ClassVar[int] = 500

    description: str
    upstream: str | None = None
    asked: str | None = None
    answered: str | None = None
    advice: str | None = None
    parameter: str | None = None
    retry_after: int | None = None

    def __str__(self) -> str:
        told = (self.description, self.answered and f"It answered: {self.answered}", self.advice)
        return " ".join(part for part in told if part)

    @property
    def code(self) -> str:
        """The failure's name, stable for programs."""
        return type(self).__name__

    def body(self) -> Json:
        """Return the JSON shape of all errors; absent members are left out."""
        shape = {
            "code": self.code,
            "description": str(self),
            "upstream": self.upstream,
            "asked": self.asked,
            "answered": self.answered,
            "advice": self.advice,
            "parameter": self.parameter,
            "retry_after": self.retry_after,
        }
        return {name: value for name, value in shape.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that belong to this failure."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class BadRequest(StacbridgeError):
    """The caller's words are off; `parameter` names which."""

    status = 400


class UnsupportedFilter(BadRequest):
    """A condition that nobody can answer; names property and operator."""


class SearchTooWide(BadRequest):
    """More would have to be read than the settings allow before anything is found; says what to narrow."""


@dataclass(eq=False)
class MethodNotAllowed(BadRequest):
    """The resource does not know the method; the answer lists those that it does (`Allow`)."""

    status = 405

    allow: str = ""

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that belong to this failure."""
        return super().headers() | {"Allow": self.allow}


@dataclass(eq=False)
class RangeNotSatisfiable(BadRequest):
    """The range asked for lies outside the file; the answer says how long it is, where that is told."""

    status = 416

    content_range: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that belong to this failure."""
        told = {} if self.content_range is None else {"Content-Range": self.content_range}
        return super().headers() | told


class NotFound(StacbridgeError):
    """There is no such collection, item or asset."""

    status = 404


class Unauthorized(StacbridgeError):
    """The caller must say who they are."""

    status = 401


class TokenExpired(Unauthorized):
    """A token that was good, and has ended; the caller gets a new one."""


class TooManyRequests(StacbridgeError):
    """Too many logins failed from the caller's address, or under their name; `retry_after` says how long."""

    status = 429


class Forbidden(StacbridgeError):
    """The upstream refuses this account these bytes, or the bridge this caller; trying again is no help."""

    status = 403


class SignatureInvalid(Forbidden):
    """A signed href that was changed, or was not signed here."""


class SignatureExpired(Forbidden):
    """A signed href that has ended."""


class SignatureRevoked(Forbidden):
    """A signed href of a caller who is let in no more."""


class NotStaged(StacbridgeError):
    """The bytes can be had later: after `retry_after`, or once they are ordered where that is not stated."""

    status = 503


class NotOrderable(StacbridgeError):
    """The bytes are offline, and the upstream takes no order for them here."""

    status = 409


class Misconfigured(StacbridgeError):
    """A setting is missing or wrong; the description names it."""

    status = 503


class UpstreamError(StacbridgeError):
    """An upstream answered something that is not an answer."""

    status = 502


class UpstreamTimeout(UpstreamError):
    """An upstream did not answer in time."""

    status = 504


class UpstreamUnavailable(UpstreamError):
    """An upstream is down, or refuses for now."""

    status = 503


class QuotaExceeded(UpstreamUnavailable):
    """An upstream takes no more orders of the account for now; `retry_after` where it says until when."""


class UpstreamRefused(UpstreamError):
    """An upstream refuses our credentials."""

    status = 502


class LoginRefused(UpstreamRefused):
    """An upstream refuses the account; it is not tried again before `retry_after`, lest it is locked."""

    status = 503

    def headers(self) -> dict[str, str]:
        """Return no `Retry-After`: clients would heed it, and only a person can mend the account."""
        return {}


class UpstreamRejected(UpstreamError):
    """An upstream does not take what it was asked (4xx), which says nothing of how it is."""

    status = 502


class OrderUnclear(UpstreamError):
    """An order was sent and not answered: nobody knows whether the upstream took it."""


class StoreUnavailable(StacbridgeError):
    """The order book cannot be read or written, so that nothing was promised."""

    status = 503
