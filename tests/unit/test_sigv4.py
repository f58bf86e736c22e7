"""Signatures of S3 requests: against the examples of Amazon's documentation, and a server that checks them.

The examples: docs.aws.amazon.com, "Signature Calculations for the Authorization Header" and "Authenticating
Requests: Using Query Parameters".
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.access.sigv4 import Key
from stacbridge.simulators.s3 import ACCESS, REGION, SECRET, S3Simulator

EXAMPLE = Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
THEN = datetime(2013, 5, 24, tzinfo=UTC)
BUCKET = "https://examplebucket.s3.amazonaws.com"
NAMES = st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="/")
SIMULATED = Key(ACCESS, SECRET, REGION)


@pytest.mark.parametrize(
    ("path", "more", "signature"),
    [
        (
            "/test.txt",
            {"range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        ("/?lifecycle", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_headers_are_signed_as_in_amazons_examples(path: str, more: dict[str, str], signature: str) -> None:
    told = EXAMPLE.headers("GET", f"{BUCKET}{path}", THEN, more)["Authorization"]
    scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    names = ";".join(["host", *more, "x-amz-content-sha256", "x-amz-date"])
    assert told == f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


def test_a_url_is_presigned_as_in_amazons_example() -> None:
    assert EXAMPLE.presigned(f"{BUCKET}/test.txt", THEN, 86400) == (
        f"{BUCKET}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_the_secret_is_in_no_repr_header_or_url() -> None:
    said = [repr(EXAMPLE), str(EXAMPLE.headers("GET", BUCKET, THEN)), EXAMPLE.presigned(BUCKET, THEN, 60)]
    assert not any(EXAMPLE.secret in text or quote(EXAMPLE.secret) in text for text in said)


@pytest.fixture(scope="module")
def storage() -> Iterator[S3Simulator]:
    with S3Simulator({}, presigned=True) as simulator:
        yield simulator


@settings(deadline=None)
@given(name=st.text(NAMES, min_size=1))
def test_a_server_that_checks_takes_headers_and_urls_for_objects_of_any_name(
    storage: S3Simulator, name: str
) -> None:
    path = f"/bucket/x{name}"
    storage.objects[path] = b"content"
    url, now = f"{storage.url}{quote(path)}", datetime.now(UTC)
    with requests.Session() as session:
        session.trust_env = False
        for method in ("GET", "HEAD"):
            headers = SIMULATED.headers(method, url, now)
            assert session.request(method, url, headers=headers, timeout=10).status_code == 200
        assert session.get(SIMULATED.presigned(url, now, 60), timeout=10).content == b"content"


def test_a_server_that_checks_refuses_what_is_not_signed_so() -> None:
    with S3Simulator({"/bucket/a": b"a", "/bucket/b": b"b"}) as storage:
        url, now = f"{storage.url}/bucket/a", datetime.now(UTC)
        good = SIMULATED.headers("GET", url, now)
        wrong = [
            ("HEAD", url, good),
            ("GET", f"{storage.url}/bucket/b", good),
            ("GET", url, {}),
            ("GET", url, Key(ACCESS, "other", REGION).headers("GET", url, now)),
            ("GET", url, SIMULATED.headers("GET", url, THEN)),
            ("GET", SIMULATED.presigned(url, now, 60), {}),
        ]
        assert [requests.request(m, u, headers=h, timeout=10).status_code for m, u, h in wrong] == [403] * 6
        assert storage.refused[-2:] == ["RequestTimeTooSkewed", "InvalidAccessKeyId"]
