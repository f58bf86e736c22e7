"""Run the published phidown: product and burst searches, a name, a burst download; prints a line of JSON."""

import contextlib
import json
import sys
from pathlib import Path

from phidown.downloader import TokenManager, download_burst_on_demand  # type: ignore[import-untyped]
from phidown.search import CopernicusDataSearcher  # type: ignore[import-untyped]


def main(username: str, password: str, folder: str) -> None:
    """Search with counting (which pages in parallel), by name, and for bursts; download one burst."""
    with contextlib.redirect_stdout(sys.stderr):
        searcher = CopernicusDataSearcher()
        searcher.query_by_filter(
            collection_name="SENTINEL-1",
            product_type="SLC",
            orbit_direction="ASCENDING",
            aoi_wkt="POLYGON((-30 -60, 60 -60, 60 70, -30 70, -30 -60))",
            start_date="2024-09-01T00:00:00Z",
            end_date="2025-09-01T00:00:00Z",
            top=10,
            count=True,
        )
        products = searcher.execute_query()
        by_name = CopernicusDataSearcher().query_by_name(products["Name"].iloc[0])
        searcher.query_by_filter(
            burst_mode=True,
            collection_name="SENTINEL-1",
            parent_product_name=next(name for name in products["Name"] if "_IW_SLC_" in name),
            polarisation_channels=None,
            count=True,
            top=20,
        )
        bursts = searcher.execute_query()
        tokens = TokenManager(username, password)
        download_burst_on_demand(bursts["Id"].iloc[0], tokens, Path(folder))
    print(
        json.dumps(
            {
                "announced": int(searcher.num_results),
                "ids": products["Id"].tolist(),
                "names": products["Name"].tolist(),
                "coverage": products["coverage"].tolist(),
                "by_name": by_name["Id"].tolist(),
                "bursts": bursts[
                    ["Id", "BurstId", "SwathIdentifier", "PolarisationChannels"]
                ].values.tolist(),
                "burst_files": [path.name for path in Path(folder).iterdir()],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
