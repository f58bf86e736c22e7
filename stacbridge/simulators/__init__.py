"""Upstream services to run on loopback: real HTTP servers that import nothing of the rest of the package.

`CdseSimulator` is Copernicus CDSE's OData catalogue, its download host and its identity host, each on a
port of its own, over an archive whose products are pure functions of their number:

    with CdseSimulator(size=100_000) as simulator:
        requests.get(f"{simulator.catalogue_url}/Products?$top=1")

`python -m stacbridge.simulators` runs it as a process. With `held`, so many products are not in the catalogue
until `POST /simulator/publish?count=…`, which the real service does not have, lets some of them in. The
archive is also plain data: `simulator.archive.record(i)`.

Known (from recorded answers, CDSE's documentation, release notes and reports of users): the fields, order
and types of products and bursts; attribute names and types; options, limits and the links to next pages;
the 422 body of a large `$skip`; redirects of downloads to another host; token lives and error bodies of
the identity host; the codes DAT-ZIP-100, -104, -109, -604 and -609; four downloads at once; ranges on
nodes of single files are not documented and are honoured here; whole products never honour them; the
burst number formula; POST, redirect, POST for burst files.

Assumed (the service's behaviour is not recorded anywhere):

- 400 bodies are `{"detail": {"message": "Invalid value|field|filter: ...", "request_id": ...}}`, and 404
  likewise;
- `$value`, `$zip` and files of a product with Online=false answer 404 with such a body that says `not
  online`;
- a `$top` above 1000 is refused like a large `$skip`; a comma-separated `$expand` is accepted;
- without `$orderby` products come in the order of their identifiers, which looks random and never
  changes;
- attributes that a product lacks match nothing; texts in attributes take `eq`, `ne` and `in` only;
- Intersects is planar in degrees; a footprint over the antimeridian is the short way round;
- an unknown access token is answered as an expired one; the 101st session is refused with 400
  invalid_grant;
- a burst file is redirected with 307 to the download host; the MD5 of a zip made on the fly is not the
  product's Checksum; ContentLength and Checksum of a Compressed location are those of its `$zip`;
- single files come as application/octet-stream, the ContentType of records, whole ones as
  application/zip;
- the Checksum of a single-file product is the true MD5 of its bytes, and ContentLength their true number.

Unknown, and so not simulated: rate limits of the catalogue and Retry-After; entitlements (DAT-ZIP-608);
monthly volumes; bursts of EW products; DeletedProducts, Subscriptions, on-demand production and S3.

Smaller than life: files have kilobytes; a product's ContentLength is the sum of the simulated files;
names of Sentinel-1 SLC members carry the product's times rather than each swath's own. Relative orbits and
cycles of Sentinel-1A, -1C, -2A, -3 and -6 follow from orbit numbers as in published products; where a
satellite is at a time is real to some seconds for Sentinel-1A and -1C and plausible for the others. Product
types and names of auxiliary products, of elevation tiles as delivered, of contributing radar missions, of
SMOS, Envisat, Landsat, MODIS, S2GLC and Sentinel-1 RTC follow the style of real ones without having been
checked against them; so do the mode `PAL_` of complementary Sentinel-5P products, and near real time ones
of some of its types.

SLSTR aerosol (SL_2_AOD) is near real time only and synergy aerosol (SY_2_AOD) not time critical only, as
their files `NRT_AOD.nc` and `NTC_AOD.nc` say.

About four in a hundred records show an oddity of real ones (records.py lists them), and footprints over
the antimeridian come in three forms (footprints.py).
"""

from .clock import Clock, ManualClock, SystemClock
from .control import RequestRecord
from .faults import LOGIN_PAGE, Failure, Faults
from .process import serve
from .server import CDSE, Addresses, CdseSimulator

__all__ = [
    "CDSE",
    "LOGIN_PAGE",
    "Addresses",
    "CdseSimulator",
    "Clock",
    "Failure",
    "Faults",
    "ManualClock",
    "RequestRecord",
    "SystemClock",
    "serve",
]
