"""What is read of descriptions: parameters of templates, types of answers; and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.dialects.opensearch import description
from stacbridge.dialects.opensearch.template import Template
from stacbridge.errors import UpstreamError
from stacbridge.model import Reply
from tests.opensearch.recordings import RECORDINGS, recorded


def template(query: str) -> Template:
    spaces = {
        "g": "http://a9.com/-/opensearch/extensions/geo/1.0/",
        None: "http://a9.com/-/spec/opensearch/1.1/",
    }
    return Template(f"https://s.example/find?{query}", {k: v for k, v in spaces.items() if v})


def test_parameters_are_known_by_namespace_and_name_whatever_their_key_and_prefix() -> None:
    found = template("zzz={g:box?}&w={count?}&q={searchTerms}")
    assert found.fill({("geo", "box"): "1,2,3,4", ("os", "count"): "5"}) == (
        "https://s.example/find",
        (("zzz", "1,2,3,4"), ("w", "5"), ("q", "")),
    )


def test_optional_parameters_without_a_value_are_left_out_and_fixed_ones_stay() -> None:
    assert template("a={g:box?}&service=CSW&b={count?}").fill({})[1] == (("service", "CSW"),)


@pytest.mark.parametrize(
    "values, written",
    [
        ({}, None),
        ({"start": "2020"}, "2020/9999-12-31T23:59:59Z"),
        ({"end": "2021"}, "0001-01-01T00:00:00Z/2021"),
        ({"start": "2020", "end": "2021"}, "2020/2021"),
    ],
)
def test_both_ends_of_time_under_one_key_are_always_there(
    values: dict[str, str], written: str | None
) -> None:
    both = Template("https://s.example/?t={time:start?}/{time:end?}", {})
    filled = dict(both.fill({("time", name): value for name, value in values.items()})[1])
    assert filled.get("t") == written


def test_a_broken_escape_in_a_template_is_mended() -> None:
    assert template("f=application/atom%%2Bxml").fill({})[1] == (("f", "application/atom+xml"),)


@given(st.text(max_size=200))
def test_any_text_is_a_template_of_something(text: str) -> None:
    Template(text, {}).fill({("os", "count"): "1"})


def test_the_best_type_that_can_be_read_is_asked_for() -> None:
    urls = "".join(
        f'<Url type="{kind}" template="https://s.example/{number}"/>'
        for number, kind in enumerate(["text/html", "application/atom+xml", "application/geo+json"])
    )
    text = (
        f'<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">{urls}</OpenSearchDescription>'
    )
    found = description.parse(Reply(200, {}, text.encode()), "one")
    assert [url.media_type for url in found.urls] == ["application/geo+json", "application/atom+xml"]


@pytest.mark.parametrize(
    "body, told",
    [
        (b"<html><body>hello</body></html>", "no OpenSearch description"),
        (b"{}", "not XML"),
        (b"", "not XML"),
        (b'<!DOCTYPE d [<!ENTITY e "x">]><d>&e;</d>', "DOCTYPE"),
        (b"<a>" * 1000, "not XML"),
        (
            b'<OpenSearchDescription><Url type="text/html" template="x"/></OpenSearchDescription>',
            "can be read",
        ),
    ],
)
def test_what_is_no_description_document_is_an_error(body: bytes, told: str) -> None:
    with pytest.raises(UpstreamError, match=told) as failed:
        description.parse(Reply(200, {}, body, "https://s.example/osdd"), "one")
    assert failed.value.upstream == "one"


@pytest.mark.skipif(RECORDINGS is None, reason="STACBRIDGE_RECORDINGS names no folder")
def test_recorded_descriptions_are_read() -> None:
    for file in recorded(lambda file: "osdd" in file.name or "description-document" in file.name):
        found = description.parse(Reply(200, {}, file.read_bytes()), "one")
        assert {("geo", "box"), ("time", "start"), ("os", "count")} <= found.urls[0].template.names
