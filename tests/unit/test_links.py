"""Links and the URLs they are made of."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge import hrefs
from stacbridge.api import links

ROOT = "https://stac.example/eo"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(pairs=st.lists(st.tuples(NAMES.filter(lambda name: name != "token"), NAMES)), token=NAMES)
def test_the_next_link_of_a_get_says_exactly_what_was_asked_and_the_token(
    pairs: list[tuple[str, str]], token: str
) -> None:
    link = links.next_get(f"{ROOT}/search", [*pairs, ("token", "the last one")], token)
    assert parse_qsl(urlsplit(link["href"]).query, keep_blank_values=True) == [*pairs, ("token", token)]


def test_the_next_link_of_a_post_replaces_the_token_and_leaves_the_body_as_it_was() -> None:
    body = {"limit": 5, "token": "the last one"}
    assert links.next_post(f"{ROOT}/search", body, "next")["body"] == {"limit": 5, "token": "next"}
    assert body["token"] == "the last one"


@given(parts=st.lists(NAMES, min_size=5, max_size=5))
def test_ids_cannot_add_segments_queries_or_fragments_to_a_url(parts: list[str]) -> None:
    href = hrefs.asset_href(ROOT, *parts)
    split = urlsplit(href)
    assert (split.query, split.fragment) == ("", "")
    assert len(split.path.split("/")) == len(["", "eo", "assets"]) + 5


def test_a_collections_own_links_come_after_the_apis_and_the_original_is_not_changed() -> None:
    own = {"rel": "license", "href": "https://license.example/", "type": "text/html"}
    found = {"id": "a b", "links": [own]}
    linked = links.collection(ROOT, found)
    assert linked["links"][0]["href"] == f"{ROOT}/collections/a%20b"
    assert linked["links"][-1] == own
    assert found["links"] == [own]


@pytest.mark.parametrize(
    "made", [links.landing(ROOT, [{"id": "a"}]), links.items(ROOT, "a"), links.found(ROOT)]
)
def test_every_link_has_a_media_type_and_an_absolute_url(made: list[dict[str, str]]) -> None:
    assert all(link["type"] and link["href"].startswith(f"{ROOT}/") for link in made)
