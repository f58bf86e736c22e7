"""What wakes no thread: each that is woken costs a request more than many a line of code."""

import threading

from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.settings import Settings
from tests.api.archive import alpha, beta


def workers() -> set[str]:
    """Return the threads in which FastAPI calls what does not await."""
    return {each.name for each in threading.enumerate() if each.name.startswith("AnyIO worker")}


def test_no_thread_is_woken_to_read_the_parameters_of_a_request() -> None:
    with TestClient(create_app(Settings(), [alpha(), beta()])) as client:
        others = workers()
        found = client.post("/search", json={"limit": 1}).json()["features"][0]
        home = f"/collections/{found['collection']}"
        paths = ("/", "/collections", home, f"{home}/items", f"{home}/items/{found['id']}", "/search?limit=2")
        assert {client.get(path).status_code for path in paths} == {200}
        assert workers() == others
