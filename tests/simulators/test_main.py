import json
import signal
import subprocess
import sys

import requests

COMMAND = [sys.executable, "-m", "stacbridge.simulators", "--size", "1000"]


def test_a_child_announces_itself_and_ends_when_its_input_closes() -> None:
    child = subprocess.Popen(
        [*COMMAND, "--announce-json", "--access-life", "30"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None and child.stdout is not None
    facts = json.loads(child.stdout.readline())
    answer = requests.get(f"{facts['catalogue_url']}/Products?$top=1", timeout=10)
    assert len(answer.json()["value"]) == 1
    form = {"client_id": "cdse-public", "grant_type": "password", "username": facts["username"]}
    signed = requests.post(facts["token_url"], data=form | {"password": facts["password"]}, timeout=10)
    assert signed.json()["expires_in"] == 30
    _, errors = child.communicate(timeout=10)
    assert child.returncode == 0
    assert errors == b""


def test_a_child_ends_on_sigterm() -> None:
    child = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().startswith("catalogue_url")
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=10)
    assert child.returncode == 0


def test_a_child_that_watches_its_input_ends_quietly_on_sigterm() -> None:
    with subprocess.Popen(
        [*COMMAND, "--announce-json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        assert child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=10) == 0
        assert child.stderr.read() == b""
