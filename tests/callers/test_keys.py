"""API keys: good until revoked, and not to be read from their files."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.callers.keys import Keys
from stacbridge.errors import Misconfigured


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys", wall=lambda: 1_800_000_000)


def test_a_key_opens_for_its_holder(keys: Keys) -> None:
    text = keys.create("Ada")
    holder = keys.holder(text)
    assert holder is not None
    assert (holder.name, holder.mode, holder.known) == ("Ada", "key", True)
    assert text.startswith(f"{holder.id}.")


def test_two_keys_of_one_name_are_two_principals(keys: Keys) -> None:
    one, other = keys.holder(keys.create("Ada")), keys.holder(keys.create("Ada"))
    assert one and other and one.id != other.id


def test_the_file_of_a_key_is_its_owners_and_does_not_hold_the_key(keys: Keys, tmp_path: Path) -> None:
    text = keys.create("Ada")
    (file,) = (tmp_path / "keys").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert text.partition(".")[2] not in file.read_text()
    assert "hash" in file.read_text()


def test_a_file_that_others_may_read_opens_nothing(keys: Keys, tmp_path: Path) -> None:
    text = keys.create("Ada")
    (file,) = (tmp_path / "keys").iterdir()
    file.chmod(0o644)
    with pytest.raises(Misconfigured, match="may be read by others"):
        keys.holder(text)


def test_a_revoked_key_opens_nothing_from_then_on(keys: Keys) -> None:
    text = keys.create("Ada")
    holder = keys.holder(text)
    assert holder is not None and keys.may_enter(holder.id, listed=True)
    keys.revoke(holder.id)
    assert keys.holder(text) is None
    assert not keys.may_enter(holder.id, listed=True)
    assert keys.all()[0].revoked == "2027-01-15T08:00:00Z"


def test_a_person_of_the_identity_provider_can_be_revoked(keys: Keys) -> None:
    id = "oabcdefghijklmnop"
    assert keys.may_enter(id, listed=False)
    keys.revoke(id)
    assert not keys.may_enter(id, listed=False)
    assert keys.holder(f"{id}.") is None


@pytest.mark.parametrize("listed", [True, False])
def test_an_id_of_the_other_mode_does_not_enter(keys: Keys, listed: bool) -> None:
    holder = keys.holder(keys.create("Ada"))
    assert holder is not None
    assert keys.may_enter(holder.id, listed=listed) is listed
    assert keys.may_enter("oabcdefghijklmnop", listed=listed) is not listed


@pytest.mark.parametrize("id", ["kaaaaaaaaaaaa", "../../etc/passwd", "k", ""])
def test_nobody_can_be_revoked_who_is_not_there(keys: Keys, id: str) -> None:
    with pytest.raises(Misconfigured, match=r"There is no key|is not the id"):
        keys.revoke(id)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Keys, str]:
    keys = Keys(tmp_path_factory.mktemp("keys"))
    return keys, keys.create("Ada")


@settings(deadline=None)
@given(place=st.integers(min_value=0), letter=st.characters(codec="ascii"))
def test_a_key_with_one_letter_changed_opens_nothing(made: tuple[Keys, str], place: int, letter: str) -> None:
    keys, text = made
    place %= len(text)
    if text[place] != letter:
        assert keys.holder(text[:place] + letter + text[place + 1 :]) is None


@settings(deadline=None)
@given(text=st.text())
def test_any_text_opens_nothing_and_breaks_nothing(made: tuple[Keys, str], text: str) -> None:
    assert made[0].holder(text) is None
