"""Tests of an item's id, which is the product's name without its ending, as OData tests of `Name`.

OData's functions on texts heed case, and nothing is documented that folds it. Where a test does not heed it,
pieces of its text with few letters are asked for in each spelling, which finds more. Names are ASCII.
"""

from itertools import product

from stacbridge.cql import build
from stacbridge.cql.conditions import LISTS, Predicate
from stacbridge.cql.evaluate import LIKE_TOKEN
from stacbridge.dialects.odata_text import UNTOLD, Text, Told, both, either, quoted
from stacbridge.mapping.names import CONVENTIONS

SAFE, PACKED = ".SAFE", ("sentinel-1", "sentinel-2")
"""The ending of packages in the Standard Archive Format for Europe, and the missions that use no other
(product specifications, see `mapping.names`)."""
LETTERS, LEAST, PIECES = 3, 3, 2
"""Letters of a piece that is asked for in each spelling, at most; its characters, at least; pieces, at
most."""


def identity(test: Predicate, endings: tuple[str, ...]) -> Told:
    """Return a test of the item id, a text that no Item lacks."""
    if test.op == "isnull":
        return Told(test.negated)
    if not isinstance(test.value, str) or test.op in LISTS:
        return Told(False)
    if test.op not in ("=", "<>", "like"):
        return UNTOLD
    if test.casei:
        return like_in_any_case("Name", test)
    if test.op == "like":
        found = like("Name", test.value, endings)
        return _inverted(found) if test.negated else found
    found = Told(named(test.value, endings))
    return _inverted(found) if test.op == "<>" else found


def _inverted(found: Told) -> Told:
    """Invert a test of the name; what is wider than the test cannot tell which products to leave out."""
    if not found.exact:
        return UNTOLD
    return Told(not found.text if isinstance(found.text, bool) else f"not ({found.text})")


def named(item: str, endings: tuple[str, ...]) -> Text:
    """Return the test for the product of an item id: its name is the id with one of the endings, or as it
    is. Of the missions whose packages are all SAFE, only that ending is tried."""
    bare = () if item.endswith(endings) and endings else ("",)
    if SAFE in endings and any(CONVENTIONS[mission].read(item) for mission in PACKED):
        endings = (SAFE,)
    return either([f"Name eq {quoted(item + ending)}" for ending in (*endings, *bare)])


def like(path: str, pattern: str, endings: tuple[str, ...]) -> Told:
    """Return the test that a text, without its ending, is LIKE a pattern.

    With one stretch of text, and `%` around it, that is exact. Where wildcards stand between stretches, it is
    tested only that these are there.
    """
    endings = tuple(ending for ending in endings if ending)
    stretches, single = _stretches(pattern)
    if len(stretches) == 1:
        return Told(named(stretches[0], endings) if endings else f"{path} eq {quoted(stretches[0])}")
    first, *inner, last = stretches
    found = [_starting(path, first, endings)] if first else []
    found += [_containing(path, text, endings) for text in inner if text]
    found += [Told(_ending(path, last, endings))] if last else []
    exact = not single and len(found) <= 1 and all(told.exact for told in found)
    return Told(both([told.text for told in found]), exact)


def like_in_any_case(path: str, test: Predicate) -> Told:
    """Return the test that a text has pieces, in whatever case, of the one that a test wants."""
    if test.negated or test.op not in ("=", "like"):
        return UNTOLD
    pattern = test.value if test.op == "like" else build.escaped(test.value)
    stretches, _ = _stretches(pattern.casefold())
    pieces = [(number, *_piece(stretch)) for number, stretch in enumerate(stretches)]
    longest = sorted(pieces, key=lambda piece: len(piece[2]), reverse=True)[:PIECES]
    texts = [
        either([f"{function}({path},{quoted(spelling)})" for spelling in _spellings(piece)])
        for number, start, piece in longest
        if len(piece) >= LEAST
        for function in ["startswith" if number == start == 0 else "contains"]
    ]
    return Told(both(texts), exact=False)


def _piece(text: str) -> tuple[int, str]:
    """Return where the longest piece of a text with at most `LETTERS` letters starts, all ASCII, and it."""
    best, start = (0, ""), 0
    for end in range(1, len(text) + 1):
        if not text[end - 1].isascii():
            start = end
        while sum(map(str.isalpha, text[start:end])) > LETTERS:
            start += 1
        best = max(best, (start, text[start:end]), key=lambda piece: len(piece[1]))
    return best


def _spellings(piece: str) -> list[str]:
    return ["".join(letters) for letters in product(*[dict.fromkeys((c.upper(), c)) for c in piece])]


def _stretches(pattern: str) -> tuple[list[str], bool]:
    """Return the texts before, between and after the wildcards of a pattern, and whether `_` is one of
    these."""
    found, single = [""], False
    for token in LIKE_TOKEN.findall(pattern):
        if token in ("%", "_"):
            found.append("")
            single = single or token == "_"
        else:
            found[-1] += token[-1]
    return found, single


def _starting(path: str, text: str, endings: tuple[str, ...]) -> Told:
    """Return the test that a name starts with `text`, which may reach into its ending."""
    reaching = any(text.endswith(ending[:end]) for ending in endings for end in range(1, len(ending) + 1))
    return Told(f"startswith({path},{quoted(text)})", exact=not reaching)


def _containing(path: str, text: str, endings: tuple[str, ...]) -> Told:
    """Return the test that a name contains `text`, which may be in its ending, or reach into it."""
    return Told(
        f"contains({path},{quoted(text)})",
        exact=_starting(path, text, endings).exact and not any(text in ending for ending in endings),
    )


def _ending(path: str, text: str, endings: tuple[str, ...]) -> Text:
    """Return the test that a name without its ending ends with `text`."""
    with_ending: list[Text] = [f"endswith({path},{quoted(text + ending)})" for ending in endings]
    if endings and text.endswith(endings):
        return either(with_ending)
    hiding = [f"endswith({path},{quoted(ending)})" for ending in endings if ending.endswith(text)]
    bare = both([f"endswith({path},{quoted(text)})", *[f"not {test}" for test in hiding]])
    return either([*with_ending, bare])
