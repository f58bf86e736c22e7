"""Pages of a STAC API: what they hold, and what asks for the next one."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stacbridge.errors import UpstreamError
from stacbridge.model import Json, Reply
from stacbridge.wire.answers import read_json, sanitise, told
from stacbridge.wire.hosts import without_query


def entries(reply: Reply, upstream: str, member: str) -> tuple[Json, list[Json]]:
    """Return the document in a reply and the objects of its list `member`. Raises `UpstreamError`."""
    document = read_json(reply, upstream)
    found = document.get(member) if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise UpstreamError(
            f"{upstream} answered no list of {member}.",
            upstream=upstream,
            asked=sanitise(without_query(reply.url)),
            answered=told(reply),
        )
    return document, found


def following(document: Json, asked: Json, upstream: str) -> Json | None:
    """Return the members of the link to the next page that differ from those asked, and the `limit`, which a
    page's number or token may be of; `None` at the end.

    Only these are used, never the link's address. Raises `UpstreamError` where it leads back to where it is.
    """
    link = next((link for link in _links(document) if link.get("rel") == "next"), None)
    if link is None:
        return None
    body = link.get("body")
    members: Json = {**_parameters(link.get("href"), asked), **(body if isinstance(body, dict) else {})}
    differing = {name: value for name, value in members.items() if not _same(asked.get(name), value)}
    if not differing:
        raise UpstreamError(
            f"{upstream} answered a page whose next page is itself.",
            upstream=upstream,
            answered=sanitise(f"next: {without_query(str(link.get('href')))}"),
            advice="Narrow the search so that one page holds it; if it stays so, the upstream has changed.",
        )
    return {"limit": asked["limit"], **differing}


def matched(document: Json) -> int | None:
    """Return the number of all matches, if it is told, in either of the places where it is."""
    context = document.get("context")
    told = document.get("numberMatched", context.get("matched") if isinstance(context, dict) else None)
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


def href(entry: Json, *rels: str) -> str | None:
    """Return the address of the first link with one of these relations."""
    for link in _links(entry):
        if link.get("rel") in rels and isinstance(link.get("href"), str):
            return str(link["href"])
    return None


def _links(document: Json) -> list[Json]:
    links = document.get("links")
    return [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []


def _parameters(url: Any, asked: Json) -> Json:
    """Return the parameters of a link. A list asked as `x=a,b` may come back as `x=a&x=b` or `x[]=a`."""
    try:
        pairs = parse_qsl(urlsplit(url).query) if isinstance(url, str) else []
    except ValueError:
        return {}
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        bare = name.removesuffix("[]")
        found.setdefault(bare if bare in asked else name, []).append(text)
    return {name: ",".join(texts) for name, texts in found.items()}


def _same(one: Any, other: Any) -> bool:
    return one == other or (one is not None and str(one) == str(other))
