"""Secrets in files of their own, as orchestrators mount them."""

from pathlib import Path

import pytest

from stacbridge.commands.configuration import load_settings
from stacbridge.errors import Misconfigured
from stacbridge.settings import SECRETS, Credentials, Settings

PASSWORD = "STACBRIDGE_CREDENTIALS__CDSE__PASSWORD"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_stand_in_a_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / "secret"
    file.write_text("canary\n")
    account = Credentials.model_validate({f"{name}_file": str(file)})
    assert getattr(account, name).get_secret_value() == "canary"


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("canary\n")
    monkeypatch.setenv("STACBRIDGE_CREDENTIALS__CDSE__USERNAME", "ada")
    monkeypatch.setenv(f"{PASSWORD}_FILE", str(file))
    password = Settings().credentials["cdse"].password
    assert password is not None and password.get_secret_value() == "canary"


def test_a_file_that_is_not_there_is_named_by_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PASSWORD}_FILE", "/nowhere/canary")
    with pytest.raises(Misconfigured, match="password_file cannot be read") as failure:
        load_settings()
    assert "canary" not in str(failure.value)


def test_a_secret_and_a_file_for_it_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="password and password_file are both set") as failure:
        Credentials.model_validate({"password": "canary", "password_file": str(tmp_path)})
    assert "canary" not in str(failure.value)
