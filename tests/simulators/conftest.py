"""One simulator for the tests that leave it as they found it, and a client that signs in."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from stacbridge.simulators import CdseSimulator
from stacbridge.simulators.archive import Archive

SIZE = 5000


@pytest.fixture(scope="session")
def archive() -> Archive:
    return Archive(SIZE)


@pytest.fixture(scope="session")
def simulator() -> Iterator[CdseSimulator]:
    with CdseSimulator(SIZE) as running:
        yield running


def sign_in(simulator: CdseSimulator, **more: str) -> requests.Response:
    form = {"client_id": "cdse-public", "grant_type": "password"}
    form |= {"username": simulator.username, "password": simulator.password}
    return requests.post(simulator.token_url, data=form | more, timeout=10)


def bearer(simulator: CdseSimulator) -> dict[str, str]:
    return {"Authorization": f"Bearer {sign_in(simulator).json()['access_token']}"}


def products(simulator: CdseSimulator, **options: Any) -> Any:
    """A page of products; options without their dollar sign."""
    named = {f"${name}": value for name, value in options.items()}
    answer = requests.get(f"{simulator.catalogue_url}/Products", params=named, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def find(simulator: CdseSimulator, condition: str, **options: Any) -> Any:
    """The first product, online, that a filter finds."""
    return products(simulator, filter=f"{condition} and Online eq true", top=1, **options)["value"][0]


def attribute(name: str, operator: str, value: Any, type_: str = "String") -> str:
    """The condition on an attribute, as CDSE's documentation writes it."""
    shown = f"'{value}'" if isinstance(value, str) and type_ == "String" else value
    inner = f"att/Name eq '{name}' and att/OData.CSC.{type_}Attribute/Value {operator} {shown}"
    return f"Attributes/OData.CSC.{type_}Attribute/any(att:{inner})"
