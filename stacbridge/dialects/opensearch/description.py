"""OpenSearch description documents: what a service can be asked, and how.

Values of parameters are told by the Parameter extension (…/opensearch/extensions/parameters/1.0/).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from stacbridge.dialects.opensearch.template import Name, Template, short
from stacbridge.model import Reply
from stacbridge.scalars import integer
from stacbridge.wire import xml
from stacbridge.wire.xml import Element

TYPES = (
    "application/geo+json",
    "application/vnd.geo+json",
    "application/json",
    "application/atom+xml",
    "application/xml",
)
"""Media types of answers that can be read, the best first."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a description says of one parameter: its closed set of values, its largest value."""

    options: tuple[str, ...] = ()
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class Url:
    """One way to ask. `rel` is "results" or "collection"; offsets are the numbers of the first record and
    page."""

    template: Template
    media_type: str
    rel: str
    index_offset: int
    page_offset: int
    parameters: dict[Name, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Description:
    """A document's URLs, those with the best media types first."""

    urls: tuple[Url, ...]

    def url(self, rel: str, media_type: str | None = None) -> Url | None:
        """Return the best way to ask for that, of the media type if one is named."""
        for url in self.urls:
            if rel in url.rel.split() and media_type in (None, url.media_type):
                return url
        return None


def parse(reply: Reply, upstream: str) -> Description:
    """Read a description document. Raises `UpstreamError` where the reply is none."""
    root = xml.parse(reply, upstream)
    if xml.name(root)[1] != "OpenSearchDescription":
        raise xml.failure(reply, upstream, "answered no OpenSearch description document")
    known = [url for url in _urls(root) if url.media_type in TYPES]
    if not known:
        raise xml.failure(reply, upstream, "describes no search whose answers can be read")
    return Description(tuple(sorted(known, key=lambda url: TYPES.index(url.media_type))))


def _urls(root: Element) -> Iterator[Url]:
    for element in root:
        if xml.name(element)[1] != "Url" or element.get("method", "GET").upper() != "GET":
            continue
        template = Template(element.get("template", ""), element.nsmap)
        yield Url(
            template=template,
            media_type=element.get("type", "").partition(";")[0].strip().lower(),
            rel=element.get("rel", "results"),
            index_offset=_number(element, "indexOffset"),
            page_offset=_number(element, "pageOffset"),
            parameters=dict(_parameters(element)),
        )


def _number(element: Element, name: str) -> int:
    number = integer(element.get(name))
    return 1 if number is None else number


def _parameters(url: Element) -> Iterator[tuple[Name, Parameter]]:
    for element in url:
        namespace, local = xml.name(element)
        token = (
            Template(f"?x={element.get('value', '')}", element.nsmap).names if local == "Parameter" else ()
        )
        for name in token if short(namespace) == "parameters" else ():
            options = (option.get("value", "") for option in element if xml.name(option)[1] == "Option")
            largest = integer(element.get("maxInclusive"))
            yield name, Parameter(tuple(filter(None, options)), largest)
