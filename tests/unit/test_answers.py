import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.errors import UpstreamError
from stacbridge.model import Reply
from stacbridge.wire.answers import MAX_TOLD, read_json, retry_after, sanitise, told

SKIP = (
    b'{"detail":[{"type":"less_than_equal","loc":["query","$skip"],'
    b'"msg":"Input should be less than or equal to 10000","input":"10001","ctx":{"le":10000}}]}'
)

OGC_JSON = (
    b'{"type":"ExceptionReport","exceptions":'
    b'[{"exceptionCode":"InvalidParameterValue","exceptionText":"count is not a number"}]}'
)
OGC_XML = (
    b'<?xml version="1.0"?><ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/2.0" version="2.0.0">'
    b'<ows:Exception exceptionCode="InvalidParameterValue" locator="start">'
    b"<ows:ExceptionText>start is before 1970 &amp; not a date</ows:ExceptionText>"
    b"</ows:Exception></ows:ExceptionReport>"
)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"code":"DAT-ZIP-604","message":"Token not found"}', "DAT-ZIP-604 Token not found"),
        (b'{"detail":{"message":"Invalid value","request_id":"7"}}', "Invalid value"),
        (b'{"detail":"Not Found"}', "Not Found"),
        (SKIP, "query.$skip: Input should be less than or equal to 10000"),
        (b'{"error":"WAF","message":"Rate limit exceeded","status":429}', "Rate limit exceeded"),
        (b'{"error":"invalid_grant","error_description":"Token is not active"}', "Token is not active"),
        (b'{"status":"error","data":{"message":"This request was rejected"}}', "This request was rejected"),
        (b'{"detail":{"ErrorMessage":"Bad collection","ErrorCode":400}}', "Bad collection"),
        (b'{"error":{"code":null,"message":{"lang":"en","value":"Invalid key"}}}', "Invalid key"),
        (OGC_JSON, "InvalidParameterValue count is not a number"),
        (b'{"exceptions":[{"exceptionText":"Unknown collection"}]}', "Unknown collection"),
        (OGC_XML, "InvalidParameterValue start is before 1970 & not a date"),
        (b"<!DOCTYPE html><html><body>Login</body></html>", "an HTML page"),
        (b"", "an empty body"),
        (b"upstream connect error", "upstream connect error"),
        (b"{}", ""),
        (b'{"trace":1}', "trace"),
    ],
)
def test_the_words_of_every_known_error_shape_are_told(body: bytes, words: str) -> None:
    line = told(Reply(400, {}, body))
    assert line.startswith("HTTP 400: ")
    assert words in line


@given(
    st.recursive(
        st.none() | st.text() | st.booleans() | st.floats(allow_nan=False),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_json_is_told_in_one_short_line(document: object) -> None:
    line = told(Reply(500, {}, orjson.dumps(document)))
    assert len(line) <= MAX_TOLD + len("HTTP 500: ")
    assert "\n" not in line


def test_an_exception_report_is_told_by_its_words_alone() -> None:
    assert told(Reply(400, {}, OGC_XML)) == (
        "HTTP 400: InvalidParameterValue start is before 1970 & not a date"
    )


def test_a_report_with_a_doctype_is_not_read_for_words() -> None:
    body = b'<!DOCTYPE r [<!ENTITY e "x">]>' + OGC_XML
    assert told(Reply(400, {}, body)).startswith("HTTP 400: <!DOCTYPE r")


def test_a_report_is_searched_for_words_near_its_start_only() -> None:
    body = b"<ows:Exception>" + b" " * 100_000 + b"<ows:ExceptionText>late</ows:ExceptionText>"
    assert "late" not in told(Reply(400, {}, body))


def test_deep_nesting_is_told_without_recursing_to_its_end() -> None:
    body = b'{"detail":' * 900 + b'"deep"' + b"}" * 900
    assert len(told(Reply(500, {}, body))) <= MAX_TOLD + 10


@pytest.mark.parametrize(
    "text",
    ["no Bearer abcdefghijklmnop here", "bad eyJhbGciOi.eyJzdWIi.c2ln token", "a\r\nSet-Cookie: x\x1b[31m"],
)
def test_tokens_and_control_characters_are_not_repeated(text: str) -> None:
    line = sanitise(text)
    assert "abcdefghijklmnop" not in line
    assert "eyJ" not in line
    assert line.isprintable()


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (b"<html>Sign in</html>", {"content-type": "text/html"}, "an HTML page"),
        (b'{"value": [1, 2', {"content-type": "application/json"}, "no JSON at character"),
        (b"", {}, "an empty body"),
        (b"[NaN]", {"content-type": "application/json"}, "no JSON at character"),
    ],
)
def test_an_answer_that_is_no_json_is_an_upstream_error(
    body: bytes, headers: dict[str, str], words: str
) -> None:
    with pytest.raises(UpstreamError) as caught:
        read_json(Reply(200, headers, body, "https://a.eu/odata?token=secret"), "cdse")
    assert words in str(caught.value.answered)
    assert caught.value.asked == "https://a.eu/odata"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "999999999999999999"}, 999999999),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after(headers) == seconds
