"""Run the published cdsetool: search, page, sign in, download; prints what it saw as one line of JSON."""

import json
import sys
from pathlib import Path

from cdsetool.credentials import Credentials, validate_credentials
from cdsetool.download import download_feature
from cdsetool.query import SearchTermValue, query_features


def main(username: str, password: str, folder: str) -> None:
    """Search Sentinel-2 in pages of seven and download two of what is found, one of them by file pattern."""
    terms: dict[str, SearchTermValue] = {
        "top": 7,
        "contentDateStartGe": "2023-03-01",
        "contentDateStartLt": "2023-12-01",
        "cloudCoverLe": 60,
        "geometry": "POLYGON((-30 -60, 60 -60, 60 70, -30 70, -30 -60))",
    }
    found = query_features("SENTINEL-2", terms, options={"expand_attributes": True})
    features = list(found)
    credentials = Credentials(username, password)
    online = [feature for feature in features if feature["Online"]]
    options = {"credentials": credentials, "download_attempts": 1}
    whole = download_feature(online[0], folder, options)
    parts = download_feature(online[1], folder, options | {"filter_pattern": "*_B02*.jp2"})
    print(
        json.dumps(
            {
                "announced": len(found),
                "ids": [feature["Id"] for feature in features],
                "starts": [feature["ContentDate"]["Start"] for feature in features],
                "clouds": [_attribute(feature, "cloudCover") for feature in features],
                "downloaded": whole,
                "parts": sorted(
                    str(path.relative_to(folder)) for path in (Path(folder) / str(parts)).rglob("*.jp2")
                ),
                "wrong_password_refused": not validate_credentials(username, "wrong"),
            }
        )
    )


def _attribute(feature: dict[str, object], name: str) -> float | None:
    attributes = feature["Attributes"]
    assert isinstance(attributes, list)
    return next((float(entry["Value"]) for entry in attributes if entry["Name"] == name), None)


if __name__ == "__main__":
    main(*sys.argv[1:])
