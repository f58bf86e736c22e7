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


def test_a_readable_file_with_the_secret_of_a_bucket_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stacbridge.toml"
    told = 'endpoint = "https://s3.eu"\nname = "spool"\nkey = "k"\n'
    (tmp_path / "secret").write_text("canary")
    monkeypatch.setenv("STACBRIDGE_CONFIG", str(file))
    file.write_text(f'[spool_bucket]\n{told}secret_file = "{tmp_path}/secret"\n')
    file.chmod(0o644)
    assert load_settings().spool_bucket is not None
    file.write_text(f'[spool_bucket]\n{told}secret = "canary"\n')
    with pytest.raises(Misconfigured, match="everybody on this machine may read it") as failure:
        load_settings()
    assert "canary" not in str(failure.value)
