import orjson
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.mapping.templates import Template, escaped, raw, slot

NAMES = ("a", "b", "class", "id_url", "_")
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\1"), max_size=5)
PIECES = st.lists(st.sampled_from(NAMES).map(slot) | st.sampled_from(["-", "_", "{a}"]) | TEXTS)
SLOTTED = st.lists(PIECES, max_size=4)


@given(
    SLOTTED, st.fixed_dictionaries(dict.fromkeys(NAMES, st.text(st.characters(codec="utf-8"), max_size=5)))
)
def test_each_slot_holds_its_text_and_all_else_stays(value: list[list[str]], texts: dict[str, str]) -> None:
    filled = {slot(name): text for name, text in texts.items()}
    template = Template(["".join(pieces) for pieces in value])
    rendered = template.render({name: escaped(text) for name, text in texts.items()})
    assert orjson.loads(rendered) == [
        "".join(filled.get(piece, piece) for piece in pieces) for pieces in value
    ]


def test_a_bare_value_takes_the_place_of_its_string() -> None:
    template = Template({"size": raw("size"), "name": f"{slot('name')}!"})
    assert orjson.loads(template.render({"size": "5", "name": "n", "more": "m"})) == {"size": 5, "name": "n!"}


def test_braces_and_quotes_are_text() -> None:
    value = {"{a}": f"{{}} {{{slot('a')}}} \" ' \\ {{!r}}"}
    assert orjson.loads(Template(value).render({"a": "x"})) == {"{a}": "{} {x} \" ' \\ {!r}"}
