"""How what a query asks of a STAC API is found: what its filters can tell, and what is left to check here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial, reduce
from itertools import chain

from stacbridge.cql import conditions
from stacbridge.cql.conditions import Condition, Predicate, conjunction, unsupported
from stacbridge.dialects import stac_scope
from stacbridge.dialects.checked import Checked, parsed, told
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.stac_expressions import both
from stacbridge.dialects.stac_filter import Part, Vocabulary, Wording
from stacbridge.dialects.stac_foreign import fact, hidden, shown
from stacbridge.dialects.stac_scope import Scope, divided
from stacbridge.dialects.stac_search import Searching
from stacbridge.dialects.together import together
from stacbridge.mapping.passthrough import Passthrough
from stacbridge.model import Query

Vocabularies = dict[str, Vocabulary]


class Scoping:
    """Finds the scope of queries to one API.

    `known` tells its collections, `described` what filters on one of them may name.
    """

    def __init__(
        self,
        translation: Passthrough,
        searching: Searching,
        known: Callable[[], Conversation[Mapping[str, str]]],
        described: Callable[[str], Conversation[Vocabulary]],
        limits: Mapping[str, int],
    ) -> None:
        self._title, self._habits, self._fields = translation.title, translation.habits, translation.fields
        self._hidden, self._searching = translation.hidden, searching
        self._known, self._described = known, described
        self._named, self._most = limits.get("vocabularies", 10), limits.get("foreign", 100)

    def scope(self, query: Query) -> Conversation[Scope | None]:
        """Return what to ask for, `None` where nothing can match. Raises `UnsupportedFilter`.

        Conditions on `collection`, and on what filters do not know of a collection and its Items do not show,
        are decided here; where they make the rest differ between collections, what one of them wants is asked
        of all.
        """
        filter, untold = parsed(query.filter)
        condition = shown(filter, self._fields)
        vocabularies, collections, rest, differs = yield from self._divided(condition, query.collections)
        wording = Wording(self._habits, self._fields, _common(vocabularies.values()), self._hidden)
        if not vocabularies and not isinstance(rest, bool):
            wording.vocabulary = yield from self._vocabulary(collections)
        ids, rest = stac_scope.ids(rest, query.ids)
        parts = self._fitted(replace(query, collections=collections), wording.parts(rest))
        written = both([part.expression for part in parts])
        if written is False or ids == ():
            return None
        wider = [part for part in parts if part.checked]
        left = condition if differs else conjunction(part.condition for part in wider)
        facts = [fact(test, wording, vocabularies, self._title) for test in hidden(left, self._hidden)]
        return Scope(
            written if isinstance(written, dict) else None,
            collections,
            ids or (),
            stac_scope.during(rest, query.interval),
            (*untold, *differs, *dict.fromkeys(chain.from_iterable(part.checked for part in wider))),
            left if wider or differs else None,
            tuple(facts),
        )

    def _divided(
        self, condition: Condition, collections: tuple[str, ...]
    ) -> Conversation[tuple[Vocabularies, tuple[str, ...], Condition, Checked]]:
        """Return what is asked of which collections, and what of it is to be checked.

        Where Items do not show all of it, also what filters on each of these collections may name.
        """
        tests = hidden(condition, self._hidden)
        if not tests and "collection" not in conditions.names(condition):
            return {}, collections, condition, ()
        chosen = collections or tuple((yield from self._known()))
        vocabularies = (yield from self._vocabularies(chosen)) if tests else {}
        rest, among, differs = divided(condition, chosen, partial(self._decided, vocabularies))
        asked = among if collections or len(among) < len(chosen) else ()
        return {id: vocabularies[id] for id in among if id in vocabularies}, asked, rest, differs

    def _decided(self, vocabularies: Vocabularies, collection: str, test: Predicate) -> Condition:
        """Decide a test of what neither filters know of a collection nor its Items show."""
        if test.name not in self._hidden or self._names(test.name) & vocabularies[collection].schemas.keys():
            return test
        return test.op == "isnull" and not test.negated

    def _names(self, name: str) -> set[str]:
        """Return all names of a property."""
        return {name}.union(*(field.names for field in self._fields.values() if name in field.names))

    def _fitted(self, query: Query, parts: list[Part]) -> list[Part]:
        """Leave out what is too long for a request, the longest first, and last what cannot be checked."""
        while isinstance(written := both([part.expression for part in parts]), dict):
            if self._searching.fits(query, written):
                break
            asked = [part for part in parts if isinstance(part.expression, dict)]
            longest = max(asked, key=lambda part: (not hidden(part.condition, self._hidden), _length(part)))
            parts[parts.index(longest)] = Part(longest.condition, True, (told(longest.condition),))
        return parts

    def _vocabulary(self, collections: tuple[str, ...]) -> Conversation[Vocabulary]:
        """Return what filters on all of these collections may name; nothing where that is not known."""
        if self._habits.language == "none" or not 0 < len(collections) <= self._named:
            return Vocabulary({})
        return _common((yield from self._vocabularies(collections)).values())

    def _vocabularies(self, collections: tuple[str, ...]) -> Conversation[Vocabularies]:
        """Return what filters on each of these collections may name. Raises `UnsupportedFilter`."""
        if len(collections) > self._most:
            raise unsupported(
                f"What {self._title}'s items do not show can be asked of {self._most} collections at most, "
                f"not of {len(collections)}. Name fewer."
            )
        found = yield from together(map(self._described, collections))
        return dict(zip(collections, found, strict=True))


def _common(vocabularies: Iterable[Vocabulary]) -> Vocabulary:
    """Return what several collections have in common; nothing of none."""
    found = list(vocabularies)
    return reduce(Vocabulary.meet, found) if found else Vocabulary({})


def _length(part: Part) -> int:
    return len(str(part.expression))
