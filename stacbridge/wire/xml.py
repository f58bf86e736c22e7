"""XML from strangers: no DOCTYPE, no entities, no network, bounded nesting (libxml2's 256) and length (the
wire's)."""

from typing import Any

from lxml import etree

from stacbridge.errors import UpstreamError
from stacbridge.model import Reply
from stacbridge.wire.answers import told
from stacbridge.wire.hosts import without_query

Element = Any
"""An element of lxml, which has no types."""


def parse(reply: Reply, upstream: str) -> Element:
    """Return the root of an XML document. Raises `UpstreamError` where it is none, or has a DOCTYPE."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(reply.body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise failure(reply, upstream, "answered something that is not XML") from None
    if root is None or root.getroottree().docinfo.doctype:
        raise failure(reply, upstream, "answered XML with a DOCTYPE, which is not read")
    return root


def failure(reply: Reply, upstream: str, description: str) -> UpstreamError:
    """Make the failure of an answer that is none, with what it says."""
    return UpstreamError(
        f"{upstream} {description}.",
        upstream=upstream,
        asked=without_query(reply.url) if reply.url else None,
        answered=told(reply),
        advice="Try again later; if it stays so, the service has changed or something sits between.",
    )


def name(element: Element) -> tuple[str, str]:
    """Return namespace and local name; comments and processing instructions have neither."""
    tag = element.tag
    if not isinstance(tag, str):
        return "", ""
    namespace, _, local = tag.rpartition("}")
    return namespace.lstrip("{"), local


def text(element: Element) -> str:
    """Return an element's own text without surrounding space."""
    return (element.text or "").strip()
