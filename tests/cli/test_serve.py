import pytest

from stacbridge.commands.serve import introduction
from stacbridge.settings import Credentials, Settings


def told(settings: Settings, demo: bool = False) -> str:
    return "\n".join(introduction(settings, demo))


def test_the_introduction_says_what_is_served_and_what_a_download_needs() -> None:
    text = told(Settings(catalogues=["cdse"], credentials={}))
    assert "Serving cdse as one STAC API." in text
    assert "STACBRIDGE_CREDENTIALS__CDSE__USERNAME and STACBRIDGE_CREDENTIALS__CDSE__PASSWORD" in text


def test_the_introduction_says_that_a_demo_is_simulated() -> None:
    account = Credentials.model_validate({"username": "me", "password": "hunter2"})
    text = told(Settings(credentials={"cdse": account}), demo=True)
    assert "cdse (simulated)" in text
    assert "hunter2" not in text and "No account" not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "bridge.example.org"])
def test_an_address_that_others_reach_is_warned_about(host: str) -> None:
    assert f"Warning: {host} is not a loopback address." in told(Settings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_an_address_that_only_this_machine_reaches_is_not_warned_about(host: str) -> None:
    assert "Warning" not in told(Settings(host=host))
