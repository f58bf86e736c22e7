"""What a download will do: files to fetch, files that are there, and what cannot be fetched."""

from dataclasses import dataclass, field
from pathlib import Path

from stacbridge.commands.assets import transfers
from stacbridge.commands.transfer import Transfer
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json


@dataclass(slots=True)
class Plan:
    """Files to fetch, files that are there already, and why which items cannot be fetched."""

    transfers: list[Transfer] = field(default_factory=list)
    complete: list[Path] = field(default_factory=list)
    failures: dict[str, StacbridgeError] = field(default_factory=dict)


def plan(items: list[Json], keys: tuple[str, ...], folder: Path) -> Plan:
    """Decide what to fetch; a file that several items name is fetched once."""
    made = Plan()
    places: dict[Path, Transfer] = {}
    for item in items:
        try:
            for transfer in transfers(item, keys, folder):
                _place(transfer, places)
        except StacbridgeError as error:
            made.failures[item["id"]] = error
    for transfer in places.values():
        if transfer.is_complete:
            made.complete.append(transfer.path)
        else:
            made.transfers.append(transfer)
    return made


def _place(transfer: Transfer, places: dict[Path, Transfer]) -> None:
    other = places.setdefault(transfer.path, transfer)
    if other.href != transfer.href:
        raise StacbridgeError(
            f"Two files would be {transfer.path}.", asked=f"{other.href} and {transfer.href}"
        )
