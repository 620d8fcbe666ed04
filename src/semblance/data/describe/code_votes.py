"""Diagnosis codes of a private table: which classification they belong to and how they are written, by noisy votes.

Only columns whose name speaks of diagnoses are asked. Each row casts two votes there: for the form of its code, and,
where the code has an ending (250.83), for its category. The labels that may come up are then all *published* codes in
that form: a list that anybody could have written down who knows the column's habits, so it depends on no patient
beyond the votes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from semblance.data.codes.hierarchy import SYSTEMS, Hierarchy, hierarchy_of
from semblance.data.codes.recognise import NAMING, PROCEDURES, SHARE
from semblance.data.codes.spelling import Spelling
from semblance.data.describe.column_words import words
from semblance.schema import Column

COUNTING = frozenset({"number", "num", "count", "n", "total", "days", "months", "years", "age", "date", "time", "rank"})
"""Words by which a column counts or dates diagnoses and does not name them."""
LONGEST = 4
FORMS = ("whole", "undivided", "eaten", *(f"{how} {n}" for how in ("point", "joined") for n in range(1, LONGEST + 1)))
"""A category without ending, and one that has none; a zero eaten by a spreadsheet (250.8 for 250.80); an ending of so
many characters behind a point, or joined on."""
CODES = tuple(f"codes {system} {form}" for system in SYSTEMS for form in FORMS)


@dataclass(frozen=True, slots=True)
class Vote:
    """What one code votes for: its form, and its category where it has an ending ("" else)."""

    choice: str
    ended: str


def speaks_of_diagnoses(name: str) -> bool:
    """Whether a column's name alone makes it one of diagnosis codes, if its cells look like it."""
    found = set(words(name))
    return bool(found & NAMING) and not found & (PROCEDURES | COUNTING)


def ballot() -> tuple[str, ...]:
    """Every category that a code with an ending may vote for, as "system category"."""
    return tuple(f"{system} {category}" for system in SYSTEMS for category in _known(system).endings)


def vote_of(text: str) -> Vote | None:
    """The vote of one cell; None for what is no published code of three characters or more, in capitals.

    The first system that knows it counts.
    """
    text = text.strip()
    if text != text.upper():
        return None
    for system in SYSTEMS:
        hierarchy = _known(system)
        code = hierarchy.read(text)
        if code is not None and text.startswith(code[0]) and hierarchy.is_published(*code):
            category, ending = code
            ended = f"{system} {category}" if ending else ""
            return Vote(f"codes {system} {_form(text, ending, hierarchy.endings[category])}", ended)
    return None


def coded(
    base: Column, counts: Mapping[str, int], ended: Mapping[str, int], filled: int, noise: float
) -> Column | None:
    """The column with the codes that may come up in it; None where the votes do not speak for codes.

    Args:
        counts: Votes for each choice, nothing where noise alone could have made them. ended: The same, for categories.
        filled: All votes that are not for missing. noise: What a count may be off by.
    """
    totals = {system: sum(counts[f"codes {system} {form}"] for form in FORMS) for system in SYSTEMS}
    system = max(totals, key=lambda s: totals[s])
    if not totals[system] or filled - totals[system] > (1 - SHARE) * filled + noise:
        return None
    own = {form: counts[f"codes {system} {form}"] for form in FORMS}
    fine = {how: sum(own[f"{how} {n}"] for n in range(1, LONGEST + 1)) for how in ("point", "joined")}
    hierarchy = _known(system)
    spelling = Spelling(
        point=fine["point"] + own["eaten"] >= fine["joined"],
        zeros=not own["eaten"],
        finely=sum(fine.values()) + own["eaten"] > own["whole"],
        length=max((n for n in range(1, LONGEST + 1) if own[f"point {n}"] or own[f"joined {n}"]), default=1),
    )
    written = {category for category in hierarchy.endings if ended.get(f"{system} {category}", 0)}
    labels = published(hierarchy, spelling, written, both=own["whole"] > 0)
    why = f"by noisy votes {hierarchy.title} codes; any that is published may come up, as this column writes them"
    return replace(base, code_system=system, categories=labels, bounds="declared", why=why)


def published(hierarchy: Hierarchy, spelling: Spelling, written: Collection[str], *, both: bool) -> tuple[str, ...]:
    """Published codes in a column's spelling, in the order of the classification.

    Args:
        written: Categories that come with endings where the column usually leaves them out.
        both: Whether categories with endings also come without.
    """
    found: dict[str, None] = {}
    for category in hierarchy.endings:
        ended = spelling.finely or category in written
        if both or not ended:
            found[spelling.write(category, "")] = None
        if ended:
            found |= dict.fromkeys(replace(spelling, finely=True).codes(category, hierarchy))
    return tuple(found)


def _form(text: str, ending: str, endings: tuple[str, ...]) -> str:
    if not ending:
        return "undivided" if endings == ("",) else "whole"
    if "." in text and ending not in endings and f"{ending}0" in endings:
        return "eaten"
    return f"{'point' if '.' in text else 'joined'} {min(len(ending), LONGEST)}"


def _known(system: str) -> Hierarchy:
    found = hierarchy_of(system)
    assert found is not None
    return found
