"""How long translation takes, against the least that any bridge must do: parse the page and write JSON.

    python -m conformance.benchmark.translate [--rounds 60]

Pages of 100 made-up products with Attributes, Assets and Locations. `ready` leaves links and assets
serialised, as the API does; `plain` makes plain dicts. Two ceilings: `orjson.loads` + `orjson.dumps` of the
page that came in, and `loads` of the page that came in + `dumps` of the page that goes out, which with many
assets is much larger.
"""

import argparse
import random
from collections.abc import Callable
from statistics import median
from time import process_time_ns
from typing import Any

import orjson

from stacbridge.dialects.odata import OData
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Json, Reply
from stacbridge.settings import Settings

PRODUCTS = 100
ROOT = "https://bridge.example/stac"


def ring(generator: random.Random) -> list[list[float]]:
    """Return a closed ring: 55 % of them of 5 positions, the others of 14 to 24, as Sentinel-2's are."""
    west, south = generator.uniform(-170, 160), generator.uniform(-80, 78)
    corners = [[west, south], [west + 1.02, south + 0.01], [west + 1.01, south + 0.99], [west, south + 0.98]]
    if generator.random() > 0.55:
        steps = generator.randrange(10, 20)
        corners[3:3] = [
            [west + 1.01 * (1 - step / steps), south + 0.985 + 0.005 * (step % 2)] for step in range(1, steps)
        ]
    return [[round(longitude, 12), round(latitude, 12)] for longitude, latitude in [*corners, corners[0]]]


def attributes(values: Json) -> list[Json]:
    """Return attributes as OData lists them."""
    kinds = {str: "String", int: "Integer", float: "Double", bool: "Boolean"}
    typed = [
        (name, "DateTimeOffset" if "Date" in name else kinds[type(value)], value)
        for name, value in values.items()
    ]
    return [
        {"@odata.type": f"#OData.CSC.{kind}Attribute", "Name": name, "Value": value, "ValueType": kind}
        for name, kind, value in typed
    ]


def product(generator: random.Random, name: str, path: str, values: Json) -> Json:
    """Return a product in the shape of a CDSE answer."""
    uuid = "-".join(f"{generator.getrandbits(4 * digits):0{digits}x}" for digits in (8, 4, 4, 4, 12))
    shape = ring(generator)
    checksums = [
        {
            "Value": f"{generator.getrandbits(128):032x}",
            "Algorithm": "MD5",
            "ChecksumDate": "2025-05-01T00:00:00.000001Z",
        },
        {
            "Value": f"{generator.getrandbits(256):064x}",
            "Algorithm": "BLAKE3",
            "ChecksumDate": "2025-05-01T00:00:00.000001Z",
        },
    ]
    size = generator.randrange(10**8, 10**9)
    start = "2025-05-01T10:10:31.024000Z"
    text = ", ".join(f"{longitude} {latitude}" for longitude, latitude in shape)
    host = "https://catalogue.dataspace.copernicus.eu/odata/v1"
    return {
        "@odata.mediaContentType": "application/octet-stream",
        "Id": uuid,
        "Name": name,
        "ContentType": "application/octet-stream",
        "ContentLength": size,
        "OriginDate": "2025-05-01T14:00:00.000000Z",
        "PublicationDate": "2025-05-01T14:20:00.123456Z",
        "ModificationDate": "2025-05-01T14:20:00.123456Z",
        "Online": True,
        "EvictionDate": "9999-12-31T23:59:59.999999Z",
        "S3Path": f"{path}/{name}",
        "Checksum": checksums,
        "ContentDate": {"Start": start, "End": start},
        "Footprint": f"geography'SRID=4326;POLYGON (({text}))'",
        "GeoFootprint": {"type": "Polygon", "coordinates": [shape]},
        "Attributes": attributes({**values, "beginningDateTime": start, "endingDateTime": start}),
        "Assets": [
            {
                "Type": "QUICKLOOK",
                "Id": uuid,
                "DownloadLink": f"{host}/Assets({uuid})/$value",
                "S3Path": f"{path}/{name}",
            }
        ],
        "Locations": [
            {
                "FormatType": "Extracted",
                "DownloadLink": f"{host}/Products({uuid})/$value",
                "ContentLength": size,
                "Checksum": checksums,
                "S3Path": f"{path}/{name}",
            }
        ],
    }


def sentinel_1(generator: random.Random) -> Json:
    """Return a GRD product."""
    name = (
        f"S1A_IW_GRDH_1SDV_20250501T101031_20250501T101056_058999_0750C5_{generator.getrandbits(16):04X}.SAFE"
    )
    values = {
        "origin": "ESA",
        "datatakeID": 479429,
        "timeliness": "Fast-24h",
        "cycleNumber": 353,
        "orbitNumber": 58999,
        "sliceNumber": 3,
        "totalSlices": 9,
        "productClass": "S",
        "processorName": "Sentinel-1 IPF",
        "orbitDirection": "ASCENDING",
        "processingDate": "2025-05-01T12:00:00.000000Z",
        "operationalMode": "IW",
        "processingLevel": "LEVEL1",
        "swathIdentifier": "IW",
        "processingCenter": "Production Service-SERCO",
        "processorVersion": "003.91",
        "segmentStartDate": "2025-05-01T10:09:31.000000Z",
        "sliceProductFlag": True,
        "platformShortName": "SENTINEL-1",
        "productComposition": "Slice",
        "instrumentShortName": "SAR",
        "relativeOrbitNumber": 102,
        "polarisationChannels": "VV&VH",
        "platformSerialIdentifier": "A",
        "instrumentConfigurationID": 7,
        "startTimeFromAscendingNode": 4996964.0,
        "productType": "IW_GRDH_1S",
        "completionTimeFromAscendingNode": 5021964.0,
    }
    return product(generator, name, "/eodata/Sentinel-1/SAR/IW_GRDH_1S/2025/05/01", values)


def sentinel_2(generator: random.Random) -> Json:
    """Return an L2A product."""
    tile = f"{generator.randrange(1, 61):02d}TQM"
    name = f"S2B_MSIL2A_20250501T101031_N0511_R022_T{tile}_20250501T13{generator.randrange(1000, 6000)}.SAFE"
    values = {
        "origin": "ESA",
        "tileId": tile,
        "cloudCover": round(generator.uniform(0, 100), 6),
        "orbitNumber": 42579,
        "datastripId": "S2B_OPER_MSI_L2A_DS_2BPS_20250501T135500_S20250501T101028_N05.11",
        "qualityStatus": "NOMINAL",
        "sourceProduct": f"S2B_OPER_MSI_L2A_TL_2BPS_20250501T135500_A042579_T{tile}_N05.11",
        "qualityInfo": 100,
        "processingDate": "2025-05-01T13:55:00.000000Z",
        "productGroupId": "GS2B_20250501T101031_042579_N05.11",
        "operationalMode": "INS-NOBS",
        "processingLevel": "S2MSI2A",
        "processorVersion": "05.11",
        "granuleIdentifier": f"S2B_OPER_MSI_L2A_TL_2BPS_20250501T135500_A042579_T{tile}_N05.11",
        "platformShortName": "SENTINEL-2",
        "instrumentShortName": "MSI",
        "relativeOrbitNumber": 22,
        "platformSerialIdentifier": "B",
        "illuminationZenithAngle": 33.1,
        "productType": "S2MSI2A",
        "processingCenter": "2BPS",
    }
    return product(generator, name, "/eodata/Sentinel-2/MSI/L2A/2025/05/01", values)


def microseconds(work: Callable[[], Any], rounds: int) -> float:
    """Return the median CPU time of one product, in microseconds."""
    spent = []
    for _ in range(rounds):
        begun = process_time_ns()
        work()
        spent.append(process_time_ns() - begun)
    return median(spent) / PRODUCTS / 1000


def measure(mapping: Mapping, title: str, page: bytes, rounds: int) -> None:
    """Print one line for each way to translate a page."""
    dialect, reply = OData(mapping), Reply(200, {}, page)

    def translated(*, ready: bool) -> bytes:
        items, skipped = mapping.items(dialect.read(reply).records, ROOT, ready=ready)
        if skipped:
            raise SystemExit(f"{skipped[0].record}: {skipped[0].reason}")
        return orjson.dumps({"type": "FeatureCollection", "features": items})

    out = orjson.loads(translated(ready=False))
    assert out == orjson.loads(translated(ready=True))
    same = microseconds(lambda: orjson.dumps(orjson.loads(page)), rounds)
    through = microseconds(lambda: (orjson.loads(page), orjson.dumps(out)), rounds)
    count = len(out["features"][0]["assets"])
    size_in, size_out = len(page) // PRODUCTS, len(orjson.dumps(out)) // PRODUCTS
    print(f"{title}: {size_in} bytes in, {size_out} bytes out, {count} assets")
    print(f"  ceiling  {same:6.1f} us/item loads(in)+dumps(in)   {through:6.1f} us/item loads(in)+dumps(out)")
    for name, ready in (("ready", True), ("plain", False)):
        spent = microseconds(lambda ready=ready: translated(ready=ready), rounds)  # type: ignore[misc]
        print(
            f"  {name:8} {spent:6.1f} us/item {1e6 / spent:7.0f} items/s  "
            f"{spent / same:5.2f} x loads(in)+dumps(in)  {spent / through:5.2f} x loads(in)+dumps(out)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure translation against parsing and writing JSON.")
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    mapping = load("cdse", Settings())
    generator = random.Random(1)
    for title, make in (("Sentinel-1 GRD", sentinel_1), ("Sentinel-2 L2A", sentinel_2)):
        measure(mapping, title, orjson.dumps({"value": [make(generator) for _ in range(PRODUCTS)]}), rounds)


if __name__ == "__main__":
    main()
