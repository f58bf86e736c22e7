"""The containers' commands, run directly: what the files tell Docker to start must start."""

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[2] / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def directly(command: list[str]) -> list[str]:
    """Return a container's command for this machine: this interpreter, loopback, any free port."""
    assert command[0] == "stacbridge"
    options = [{"0.0.0.0": "127.0.0.1", "8080": "0"}.get(word, word) for word in command[1:]]
    return [sys.executable, "-m", "stacbridge", *options]


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_command_answers_with_a_stac_api(name: str) -> None:
    with subprocess.Popen(directly(SERVICES[name]["command"]), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = next(line for line in process.stdout if line.startswith("Ready: "))
            url = ready.removeprefix("Ready: ").strip()
            for path in ("/", "/healthz", "/collections"):
                with urllib.request.urlopen(f"{url}{path}") as answer:
                    assert answer.status == 200
        finally:
            process.terminate()


def test_the_images_own_command_is_that_of_the_real_service() -> None:
    command = re.search(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert command
    assert yaml.safe_load(command[1]) == SERVICES["bridge"]["command"]


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users
    assert users[-1] not in ("0", "root")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_what_the_image_copies_is_there() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert os.path.exists(DOCKER.parent / source), source


def test_the_image_has_what_settings_may_ask_for() -> None:
    assert set(re.findall(r"--extra (\w+)", DOCKERFILE)) == {"demo", "postgres", "blake3"}


def test_the_image_has_what_runs_for_each_record_compiled_and_no_compiler() -> None:
    build, image = re.split(r"^FROM .+$", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert re.search(r"^RUN HATCH_BUILD_HOOK_ENABLE_MYPYC=1 .*uv sync", build, re.MULTILINE)
    assert ("gcc" in build, "gcc" in image) == (True, False)


def test_what_the_real_service_keeps_is_in_a_volume_that_the_images_user_may_write_to() -> None:
    home = re.findall(r"\bHOME=(\S+)", DOCKERFILE)[-1]
    user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert f"install --directory --owner={user} --mode=700 {home}\n" in DOCKERFILE
    (volume,) = SERVICES["bridge"]["volumes"]
    name, place = volume.split(":")
    assert (place, name in COMPOSE["volumes"]) == (home, True)


def test_a_page_tells_each_variable_of_nginxs_template() -> None:
    template = (DOCKER / "nginx" / "stacbridge.conf.template").read_text()
    page = (DOCKER.parent / "docs" / "how-to" / "downloads.md").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", template)) == set(re.findall(r"^\| `([A-Z]+)`", page, re.MULTILINE))
