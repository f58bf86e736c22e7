"""Run pycsw over a folder of records: `python -m conformance.pycsw_server FOLDER`.

Prints its URL, and stops when stdin closes.
"""

import os
import sys
import threading
from pathlib import Path

from pycsw.core import admin
from pycsw.core.config import StaticContext
from waitress import create_server

CONFIGURATION = """
[server]
home={folder}
url={url}
mimetype=application/xml; charset=UTF-8
encoding=UTF-8
language=en-US
maxrecords=10
[manager]
transactions=false
[metadata:main]
identification_title=Records of a server that nobody here wrote
identification_abstract=Records
identification_keywords=records
identification_keywords_type=theme
identification_fees=None
identification_accessconstraints=None
provider_name=Provider
provider_url={url}
contact_name=Name
contact_position=Position
contact_address=Address
contact_city=City
contact_stateorprovince=State
contact_postalcode=0
contact_country=Country
contact_phone=0
contact_fax=0
contact_email=name@example.org
contact_url={url}
contact_hours=0
contact_instructions=None
contact_role=pointOfContact
[metadata:inspire]
enabled=false
[repository]
database=sqlite:///{folder}/records.db
table=records
"""


def main() -> None:
    """Set up, load, serve."""
    folder = Path(sys.argv[1])
    configuration = folder / "pycsw.cfg"
    os.environ["PYCSW_CONFIG"] = str(configuration)
    from pycsw.wsgi import application  # reads the environment

    server = create_server(application, host="127.0.0.1", port=0)
    url = f"http://127.0.0.1:{server.effective_port}/"
    configuration.write_text(CONFIGURATION.format(folder=folder, url=url), encoding="utf-8")
    database = f"sqlite:///{folder}/records.db"
    admin.setup_db(database, "records", str(folder))
    admin.load_records(StaticContext(), database, "records", str(folder / "records"))
    print(f"Ready: {url}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.run()


if __name__ == "__main__":
    main()
