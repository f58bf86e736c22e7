import orjson
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.mapping.templates import Template, escaped, raw, slot

NAMES = st.sampled_from(["a", "b", "class", "id_url", "_"])
PIECES = st.lists(
    NAMES.map(slot) | st.text(st.characters(exclude_characters="\0\1", codec="utf-8")) | st.just("-")
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)


@given(
    st.dictionaries(TEXTS.filter(lambda key: not {"\0", "\1"} & {*key}), PIECES.map("".join), max_size=4),
    st.fixed_dictionaries({name: TEXTS for name in ("a", "b", "class", "id_url", "_")}),
)
def test_a_template_renders_what_its_value_says(value: dict[str, str], texts: dict[str, str]) -> None:
    expected = {}
    for key, text in value.items():
        for name, given_text in texts.items():
            text = text.replace(slot(name), f"\1{name}\1") if given_text else text.replace(slot(name), "")
        for name, given_text in texts.items():
            text = text.replace(f"\1{name}\1", given_text) if "\1" not in given_text else text
        expected[key] = text
    if any("\1" in text for text in expected.values()):
        return
    rendered = Template(value).render({name: escaped(text) for name, text in texts.items()})
    assert orjson.loads(rendered) == expected


def test_a_bare_value_takes_the_place_of_its_string() -> None:
    template = Template({"size": raw("size"), "name": f"{slot('name')}!"})
    assert orjson.loads(template.render({"size": "5", "name": "n", "more": "m"})) == {"size": 5, "name": "n!"}


def test_braces_and_quotes_are_text() -> None:
    value = {"{a}": f"{{}} {{{slot('a')}}} \" ' \\ {{!r}}"}
    assert orjson.loads(Template(value).render({"a": "x"})) == {"{a}": "{} {x} \" ' \\ {!r}"}
