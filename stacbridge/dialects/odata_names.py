"""Tests of an item's id, which is the product's name without its ending, as OData tests of `Name`."""

import re

from stacbridge.cql.conditions import Predicate, unsupported
from stacbridge.dialects.odata_text import Text, both, either, quoted, refused


def identity(test: Predicate, endings: tuple[str, ...]) -> Text:
    """Return a test of the item id. Raises `UnsupportedFilter` where it cannot be exact."""
    if test.op == "isnull":
        return test.negated
    if test.casei or not isinstance(test.value, str):
        raise refused(test)
    if test.op in ("=", "<>"):
        return _inverted(named(test.value, endings), test.op == "<>")
    if test.op == "like":
        return _inverted(like("Name", test, endings), test.negated)
    raise refused(test)


def _inverted(text: Text, negated: bool) -> Text:
    """Invert a test of the name, which no product lacks."""
    if not negated:
        return text
    return not text if isinstance(text, bool) else f"not ({text})"


def named(item: str, endings: tuple[str, ...]) -> Text:
    """Return the test for the product of an item id: its name is the id with one of the endings, or as it
    is."""
    bare = () if item.endswith(endings) and endings else ("",)
    return either([f"Name eq {quoted(item + ending)}" for ending in (*endings, *bare)])


def like(path: str, test: Predicate, endings: tuple[str, ...]) -> Text:
    """Return a LIKE pattern of one text with `%` before it, after it or both; others are refused."""
    endings = tuple(ending for ending in endings if ending)
    pattern = re.sub("%+", "%", test.value) if "\\" not in test.value else test.value
    text = pattern.removeprefix("%")
    before, after = text != pattern, text.endswith("%") and not text.endswith("\\%")
    text = text[:-1] if after else text
    plain = re.sub(r"\\([%_\\])", r"\1", text)
    if re.search(r"[%_]", re.sub(r"\\[%_\\]", "", text)):
        raise unsupported(f"{test.name!r} like: {test.value!r} has wildcards within its text.")
    if not plain and (before or after):
        return True
    if not before and not after:
        return named(plain, endings) if endings else f"{path} eq {quoted(plain)}"
    if before and not after:
        return _ending(path, plain, endings)
    if after and any(plain.endswith(ending[:end]) for ending in endings for end in range(1, len(ending) + 1)):
        raise unsupported(f"{test.name!r} like: {test.value!r} reaches into the ending of product names.")
    if before and any(plain in ending for ending in endings):
        raise unsupported(f"{test.name!r} like: {test.value!r} also occurs in the ending of product names.")
    return f"contains({path},{quoted(plain)})" if before else f"startswith({path},{quoted(plain)})"


def _ending(path: str, text: str, endings: tuple[str, ...]) -> Text:
    """Return the test that a name without its ending ends with `text`."""
    with_ending: list[Text] = [f"endswith({path},{quoted(text + ending)})" for ending in endings]
    if endings and text.endswith(endings):
        return either(with_ending)
    hiding = [f"endswith({path},{quoted(ending)})" for ending in endings if ending.endswith(text)]
    bare = both([f"endswith({path},{quoted(text)})", *[f"not {test}" for test in hiding]])
    return either([*with_ending, bare])
