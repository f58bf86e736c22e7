"""The account of SeDAS and its long-term archive, as conversations without a network."""

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from stacbridge.access.account import Account
from stacbridge.access.flows import drive
from stacbridge.access.logins import Token
from stacbridge.access.sedas import LEAST_LIFE, UNSTATED_LIFE, LongTermArchive, SedasLogin, expired
from stacbridge.errors import (
    Misconfigured,
    NotOrderable,
    QuotaExceeded,
    StacbridgeError,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.mapping.products import Place
from stacbridge.model import Json, Pending, Ready, Reply, Request
from stacbridge.settings import Credentials

URL = "https://sedas.example/api"
ACCOUNT = Credentials(username="ada", password=SecretStr("canary-password"))
ARCHIVE = LongTermArchive("sedas", URL)
PLACE = Place("product", "S1A_X", "S1A_X", "S1A_X.zip", "application/zip")
AT = 1_559_040_000.0  # 2019-05-28T10:40:00Z


class Script:
    """Answers every request with the same reply, and keeps the requests."""

    def __init__(self, body: Any, status: int = 200, date: str | None = None) -> None:
        headers = {} if date is None else {"date": date}
        self.reply = Reply(status, headers, body if isinstance(body, bytes) else orjson.dumps(body))
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.reply


def login(script: Callable[[Request], Reply], account: Credentials = ACCOUNT) -> Token:
    return drive(SedasLogin(Account("sedas", account), f"{URL}/authentication").obtain(None, AT), script)


def test_a_login_posts_name_and_password_as_json() -> None:
    script = Script({"token": "t", "validUntil": "2019-05-28T11:40:00Z"})
    assert login(script).access == "t"
    (asked,) = script.asked
    assert (asked.method, asked.url) == ("POST", f"{URL}/authentication")
    assert orjson.loads(asked.body or b"") == {"username": "ada", "password": "canary-password"}


@pytest.mark.parametrize(
    ("until", "date", "life"),
    [
        ("2019-05-28T11:40:00Z", None, 3600),
        ("2019-05-28T11:40:00Z", AT + 600, 3000),  # the server's own clock goes before ours
        ("2019-05-28T10:00:00Z", None, LEAST_LIFE),
        ("tomorrow", None, UNSTATED_LIFE),
        (None, None, UNSTATED_LIFE),
    ],
)
def test_a_token_lives_until_it_is_valid_no_more(until: str | None, date: float | None, life: float) -> None:
    told = None if date is None else formatdate(date, usegmt=True)
    assert login(Script({"token": "t", "validUntil": until}, date=told)).life == life


@pytest.mark.parametrize(
    ("status", "failure"),
    [(401, UpstreamRefused), (403, UpstreamRefused), (400, UpstreamRefused), (500, UpstreamUnavailable)],
)
def test_a_refused_login_is_told_without_its_words(status: int, failure: type[UpstreamError]) -> None:
    with pytest.raises(failure) as raised:
        login(Script({"errorMessage": "canary-password is wrong"}, status))
    assert "canary" not in orjson.dumps(raised.value.body()).decode()
    assert raised.value.upstream == "sedas"


@pytest.mark.parametrize("body", [b"<html>", b"[]", {"token": ""}, {"token": 3}, {}])
def test_an_answer_without_a_token_is_an_error(body: Any) -> None:
    with pytest.raises(UpstreamError, match="not a token"):
        login(Script(body))


def test_without_an_account_nothing_is_asked_and_the_settings_are_named() -> None:
    script = Script({})
    with pytest.raises(Misconfigured, match="STACBRIDGE_CREDENTIALS__SEDAS__USERNAME"):
        login(script, Credentials())
    assert script.asked == []


def test_no_secret_is_in_what_a_login_looks_like() -> None:
    assert "canary" not in repr(SedasLogin(Account("sedas", ACCOUNT), URL))


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (401, b"", True),
        (403, b"", True),
        (400, b'{"errorMessage": "User token does not exist"}', True),
        (400, b"user TOKEN does not exist", True),
        (400, b'{"errorMessage": "aoiWKT is not valid"}', False),
        (500, b"User token does not exist", False),
        (200, b"User token does not exist", False),
    ],
)
def test_an_expired_token_is_told_from_other_refusals(status: int, body: bytes, answer: bool) -> None:
    assert expired(Reply(status, {}, body)) is answer


def located(record: Json, place: Place = PLACE) -> Ready | Pending:
    script = Script({})
    found = drive(ARCHIVE.locate(record, place), script)
    assert script.asked == []
    return found


def test_a_product_at_hand_is_where_its_download_url_says() -> None:
    found = located({"DownloadUrl": "https://bytes.example/1"})
    assert isinstance(found, Ready)
    assert (found.request.url, found.name, found.ranges) == ("https://bytes.example/1", "S1A_X.zip", False)


def test_a_product_in_the_archive_is_pending_and_nobody_orders_it() -> None:
    found = located({"DownloadUrl": None})
    assert isinstance(found, Pending)
    assert "S1A_X is in the long-term archive of sedas" in found.reason
    assert found.retry_after > 0


def test_a_thumbnail_is_there_whether_or_not_the_product_is() -> None:
    thumbnail = Place("file", "S1A_X", "S1A_X", "t.png", "image/png", url="https://pictures.example/t.png")
    found = located({"DownloadUrl": None}, thumbnail)
    assert isinstance(found, Ready)
    assert found.request.url == "https://pictures.example/t.png"


def test_an_order_is_a_post_without_a_body_and_names_its_id() -> None:
    script = Script({"requestId": "R-1", "status": "NEW"})
    assert drive(ARCHIVE.order({"Name": "S1A/X"}), script).order == "R-1"
    (asked,) = script.asked
    assert (asked.method, asked.url, asked.body) == ("POST", f"{URL}/request/S1A%2FX", b"")


@pytest.mark.parametrize("body", [{}, [], {"requestId": None}])
def test_an_order_without_an_id_is_an_error(body: Any) -> None:
    with pytest.raises(UpstreamError, match="an order without its id"):
        drive(ARCHIVE.order({"Name": "S1A_X"}), Script(body))


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ([], None),
        ([{}], "ordered"),
        ([{"requestId": "R-1"}], "ordered"),
        ([{"requestId": "R-1", "downloadUrl": ""}], "ordered"),
        ([{"requestId": "R-1", "downloadUrl": "https://bytes.example/1"}], "succeeded"),
        ([{"downloadUrl": "https://bytes.example/1"}], "succeeded"),
        ([{"requestId": "R-2", "downloadUrl": "https://bytes.example/2"}], None),
    ],
)
def test_a_poll_tells_that_this_order_is_there_as_soon_as_it_has_a_url(body: Any, state: str | None) -> None:
    script = Script(body)
    assert drive(ARCHIVE.poll("R-1"), script).state == state
    assert script.asked[0].params == (("ids", "R-1"),)


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (429, "", QuotaExceeded),
        (503, "", QuotaExceeded),
        (403, {"message": "Order quota exceeded"}, QuotaExceeded),
        (403, {"message": "Forbidden"}, UpstreamRefused),
        (404, {"message": "No such product"}, NotOrderable),
        (500, "", UpstreamError),
        (504, "", UpstreamTimeout),
    ],
)
def test_a_refused_order_tells_whether_it_may_be_taken_later_never_or_was_taken(
    status: int, body: Any, failure: type[StacbridgeError]
) -> None:
    with pytest.raises(failure) as raised:
        drive(ARCHIVE.order({"Name": "S1A_X"}), Script(body, status))
    assert type(raised.value) is failure


def test_a_poll_that_answers_no_list_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="not a list"):
        drive(ARCHIVE.poll("R-1"), Script({"message": "busy"}))
