import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from click.testing import CliRunner

from stacbridge.cli import main
from stacbridge.commands.serve import configured
from stacbridge.commands.simulators import require_demo, simulated
from stacbridge.errors import Misconfigured
from stacbridge.mapping.mapping import load as load_mapping


def test_without_the_demo_extra_it_is_said_what_to_install() -> None:
    with pytest.raises(Misconfigured, match=r"pip install 'stacbridge\[demo\]'"):
        require_demo(("no_such_package",))


def status(url: str) -> int:
    with urllib.request.urlopen(url) as reply:
        code: int = reply.status
    return code


def test_the_simulators_answer_as_long_as_they_are_needed_and_are_gone_after() -> None:
    with simulated() as announcement:
        products = announcement()["cdse"]["endpoints"]["catalogue"] + "/Products?$top=1"
        assert status(products) == 200
    with pytest.raises(OSError, match="refused"):
        status(products)


def test_a_demo_points_the_settings_at_the_simulators() -> None:
    with configured(demo=True, port=0) as settings:
        assert status(settings.endpoints["cdse"]["catalogue"] + "/Products?$top=1") == 200
        assert settings.credentials["cdse"].password is not None
        assert settings.port == 0


def test_orders_of_a_demo_are_not_kept_with_those_of_real_archives() -> None:
    with configured(demo=True, port=0) as settings:
        assert settings.order_store is not None
        book = Path(settings.order_store.get_secret_value().removeprefix("sqlite:///"))
        assert book.parent.is_dir() and not book.is_relative_to(Path.home())
    assert not book.parent.exists()


def test_serve_says_when_it_is_ready_answers_and_stops_on_a_signal() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STACBRIDGE_")}
    command = [sys.executable, "-m", "stacbridge", "serve", "--demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as bridge:
        assert bridge.stdout is not None
        try:
            url = next(line.split()[1] for line in bridge.stdout if line.startswith("Ready: "))
            with urllib.request.urlopen(f"{url}/search?limit=3") as reply:
                assert len(orjson.loads(reply.read())["features"]) == 3
        finally:
            bridge.send_signal(signal.SIGINT)
    assert bridge.returncode == 0


def test_without_a_url_a_download_runs_a_bridge_of_its_own(tmp_path: Path) -> None:
    with simulated() as announcement:
        cdse = announcement()["cdse"]
        environment = {
            "STACBRIDGE_URL": None,
            "STACBRIDGE_CONFIG": None,
            **{f"STACBRIDGE_CREDENTIALS__CDSE__{k.upper()}": v for k, v in cdse["account"].items()},
            **{f"STACBRIDGE_ENDPOINTS__CDSE__{k.upper()}": v for k, v in cdse["endpoints"].items()},
        }
        command = ["download", "-c", "sentinel-2-l2a", "--filter", "\"order:status\" = 'succeeded'"]
        result = CliRunner().invoke(
            main, [*command, "--max-items", "2", "-o", str(tmp_path)], env=environment
        )
    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.glob("*.zip"))) == 2


def test_a_demo_asks_no_server_but_the_simulators() -> None:
    with configured(demo=True, port=0) as settings:
        hosts = {
            f"{id}.{name}": urlsplit(url).hostname
            for id in settings.catalogues
            for name, url in load_mapping(id, settings).endpoints.items()
        }
    assert len(hosts) > 10
    assert {name: host for name, host in hosts.items() if host != "127.0.0.1"} == {}


def test_all_archives_can_be_simulated_without_a_bridge() -> None:
    command = [sys.executable, "-m", "stacbridge", "simulate", "--all", "--size", "1000"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        sites = orjson.loads(child.stdout.readline())
        assert set(sites) == {"cdse", "sedas", "terrascope", "maap"}
        assert status(sites["cdse"]["endpoints"]["catalogue"] + "/Products?$top=1") == 200
        child.stdin.close()
        assert child.wait(10) == 0
