"""A toy archive over HTTP: its catalogue's files, a small dialect of its own, and its server on loopback."""

import re
from pathlib import Path

import orjson
from pydantic import SecretStr

from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Json, Page, Query, Reply, Request
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from stacbridge.wire.answers import read_json
from tests.servers import Answer, Clock, Seen, Server

TOML = """
id = "toy"
title = "Toy archive"
dialect = "odata"

[endpoints]
catalogue = "{url}/odata/v1"
download = "{url}/odata/v1"
token = "{url}/token"

[access]
flow = "oidc-password"
client_id = "toy-public"
endpoints = ["download", "catalogue"]
hosts = ["zipper.example.eu"]
public = ["/Assets("]
offline = "Order it at the Toy Workspace."

[limits]
connections = 4

[names]
strip = [".SAFE"]

[[field]]
stac = "datetime"
from = "ContentDate/Start"
type = "DateTimeOffset"
"""

FAMILY = """
[family]
name = "TOY"
license = "other"

[[collection]]
id = "toys"
title = "Toys"
description = "Toys."
match = { productType = ["TOY"] }

[[collection.asset]]
key = "product"
type = "application/zip"
roles = ["data"]
of = "product"

[[collection.asset]]
key = "thumbnail"
type = "image/jpeg"
roles = ["thumbnail"]
of = "quicklook"

[[collection.asset]]
key = "image"
type = "image/tiff"
roles = ["data"]
of = "node"
path = "measurement/*.tiff"

[[collection.asset]]
key = "mask"
type = "image/tiff"
roles = ["data"]
of = "node"
path = "measurement/*-mask.tif"
"""

CREDENTIALS = {"toy": Credentials(username="ada", password=SecretStr("canary-password"))}
ROOT = "http://bridge"


class Numbers:
    """A dialect whose pages are numbered; the record it is asked for by id is `ids`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: Query) -> Request | None:
        if query.collections == ("dolls",):
            return None
        start = str((query.position or {}).get("start", 0))
        params = (
            ("start", start),
            ("limit", str(query.limit)),
            ("count", str(query.count)),
            ("id", "".join(query.ids)),
        )
        return Request("GET", f"{self.url}/odata/v1/Products", params)

    def read(self, reply: Reply, query: Query) -> Page:
        answer = read_json(reply, "toy")
        return Page(answer["value"], answer.get("next"), answer.get("matched"))


def record(number: int, **members: object) -> Json:
    return {
        "Id": f"id-{number}",
        "Name": f"TOY_{number}.SAFE",
        "Online": True,
        "ContentDate": {"Start": "2026-01-01T00:00:00.000000Z", "End": "2026-01-01T00:00:01.000000Z"},
        "Attributes": {"productType": "TOY"},
        **members,
    }


class Toy:
    """The archive's server: pages of records, a listing, tokens."""

    def __init__(self) -> None:
        self.pages: list[list[Json]] = [[record(n) for n in range(3)]]
        self.tokens = 0
        self.listing = Answer(body=orjson.dumps({"result": [{"Name": "a-b.tiff", "ContentLength": 42}]}))

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/token":
            self.tokens += 1
            token = {"access_token": f"canary-token-{self.tokens}", "expires_in": 600}
            return Answer(body=orjson.dumps(token))
        if seen.path.endswith("/Nodes"):
            return self.listing
        if match := re.search(r"&id=([^&]+)$", seen.path):
            found = [entry for page in self.pages for entry in page if match[1] in entry["Name"]]
            return Answer(body=orjson.dumps({"value": found}))
        page = int(re.findall(r"start=(\d+)", seen.path)[0])
        more = {"next": {"start": page + 1}} if page + 1 < len(self.pages) else {}
        matched = {"matched": 7} if "count=True" in seen.path else {}
        return Answer(body=orjson.dumps({"value": self.pages[page], **more, **matched}))


def build(folder: Path, server: Server, clock: Clock | None = None, **settings: object) -> Upstream:
    configured = Settings.model_validate({"catalogue_folder": folder, "credentials": CREDENTIALS, **settings})
    time = clock or Clock()
    mapping = load_mapping("toy", configured)
    return Upstream(mapping, Numbers(server.url), configured, clock=time, wall=time, sleep=time.sleep)
