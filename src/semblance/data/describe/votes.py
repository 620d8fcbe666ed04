"""How the columns of a private table are written, found by noisy votes: a Schema that costs privacy and is charged.

Every row votes once in each column: for an empty cell, by its spelling; for a whole number; for a number with so many
decimals; for a date in one of the usual forms; for anything else. The choices are fixed before anyone looks, the
counts get discrete Gaussian noise, and the kind of the column follows from the noisy counts alone. Bounds and labels
are not looked for here: they are left open, for the recipe to find by mechanisms of its own. Only diagnosis codes get
the labels that are published (``code_votes.py``).

Names of columns and the file's layout (its delimiter, its encoding) are taken as public. What a column's name says is
believed as far as it goes: one that names an identifier is left blank and never looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dates import read_moment
from semblance.data.describe.code_votes import CODES, ballot, coded, speaks_of_diagnoses, vote_of
from semblance.data.describe.identifiers import could_mean
from semblance.data.describe.missing import PLAIN
from semblance.data.describe.roles import is_code, names_patient, role_of, unit_of
from semblance.data.raw import Raw
from semblance.data.typed import as_texts
from semblance.errors import InputError
from semblance.privacy import mechanisms
from semblance.privacy.events import Event, Zcdp
from semblance.schema import Column, Kind, Schema

MISSING = tuple(sorted(PLAIN))
DECIMALS = 6
FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
CHOICES: tuple[str, ...] = (
    *(f"missing {spelling}" for spelling in MISSING),
    "bit",
    "whole",
    *(f"decimals {d}" for d in range(1, DECIMALS + 1)),
    *(f"date {form}" for form in FORMS),
    "label",
)
_MISSING = f"missing {MISSING[0]}"
_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})")
_POINT = re.compile(r"[+-]?\d{1,15}\.(\d{1,6})")

STRAY = 0.02
"""Share of a column's cells that may be of another kind; they are read as missing."""
BELIEVED = 5.0
"""Standard deviations of noise that a count must pass to be believed."""

OPEN = "left blank: too few patients to find by noisy votes how it is written; declare it in a schema"
"""Why a column is not learned whose votes drown in the noise."""

Spend = Callable[[str, Event], None]


@dataclass(frozen=True, slots=True)
class Votes:
    """Noisy counts of one column, by choice; those that noise alone could make are nothing.

    Attributes:
        noise: What a count may be off by.
    """

    counts: Mapping[str, int]
    noise: float

    @classmethod
    def of(cls, noisy: Mapping[str, int], sigma: float) -> Votes:
        noise = BELIEVED * sigma
        return cls({choice: n if n > noise else 0 for choice, n in noisy.items()}, noise)

    def total(self, *kinds: str) -> int:
        return sum(n for choice, n in self.counts.items() if choice.split(" ")[0] in kinds)


def sigma_of(rho: float, columns: int, rows: int) -> float:
    """Noise on each count where `columns` columns are voted on for `rho` in all."""
    return rows * math.sqrt(columns / (2 * rho))


def event_of(sigma: float, columns: int, rows: int) -> Event:
    """What the votes cost where each patient casts at most `rows` in each column.

    By zero-concentrated privacy and never exactly: what the votes find decides which charges follow, and how large.
    Only such a sum holds for charges that are chosen as one goes (Whitehouse et al. 2023); with it in the tree, the
    accountant of privacy losses, which wants them all fixed before, keeps silent.
    """
    return Zcdp(columns * rows**2 / (2 * sigma**2))


def describe_by_votes(
    raw: Raw, *, subject: str | None, rows: int, rho: float, spend: Spend, known: Schema | None = None
) -> Schema:
    """The schema of a table, found at the price of `rho`.

    Args:
        subject: Column that numbers the patient; None for the one whose name says so, if any.
        rows: Rows of each patient that vote, at most: the first ones in the file.
        known: What is known already. Its columns that are declared, or not learned, stay as they are; of the others
            only name, role and unit are taken, and how they are written is voted on.

    PRIVACY: `event_of` the noise, charged before anything is counted.

    Raises:
        InputError: every column's kind stays open under so much noise; a person has to declare them.
    """
    names = [str(name) for name in raw.frame.columns]
    subject = subject or (guess_subject(names) if known is None else known.subject)
    given = {name: _unlooked(raw, name, subject) for name in names} if known is None else _settled(known)
    voted = [name for name in names if name in given and given[name] is None]
    if known is not None and not voted:
        return known
    if not voted:
        raise InputError("every column's name speaks of an identifier, so there is nothing to learn; write a schema.")
    counts = len(voted) + sum(speaks_of_diagnoses(name) for name in voted)
    sigma = sigma_of(rho, counts, rows)
    spend("describe/votes", event_of(sigma, counts, rows))
    voters = _voters(raw, subject, rows)
    found = {name: _column(raw, name, *_votes(raw, name, voters, sigma)) for name in voted}
    if all(column.why == OPEN for column in found.values()):
        raise InputError(
            "there are too few patients to find by noisy votes how the columns are written; write a schema "
            "(`semblance describe` on a table you may look at), mark what you know declared, and pass it by --schema."
        )
    if known is not None:
        return replace(known, columns=tuple(given[c.name] or _as_known(found[c.name], c) for c in known))
    return Schema(tuple(given[name] or found[name] for name in names), dialect=dict(raw.dialect))


def _settled(known: Schema) -> dict[str, Column | None]:
    """Each column of a schema that needs no votes; None for one that was only read off the patients."""
    return {c.name: None if c.handling == "model" and c.bounds != "declared" else c for c in known}


def _as_known(found: Column, known: Column) -> Column:
    """A column as its votes speak for it, in the part that a person gave it."""
    return found if found.handling == "blank" else replace(found, role=known.role, unit=known.unit)


def fitting(raw: Raw, schema: Schema) -> Raw:
    """The table with cells that a column of `schema` cannot hold read as missing: each by itself, so free of cost."""
    frame = raw.frame.copy()
    for column in schema:
        known = column.numeric or (column.bounds == "declared" and column.categories)
        if not known or column.handling != "model" or raw.storage.get(column.name):
            continue
        texts = frame[column.name]
        codes, distinct = pd.factorize(texts.to_numpy(dtype=object))
        kept = np.array([_readable(str(text), column) for text in distinct] + [True])
        frame[column.name] = texts.where(kept[codes], (*column.missing, "")[0])
    return replace(raw, frame=frame)


def guess_subject(names: list[str]) -> str | None:
    """The column whose name says most plainly that it numbers the patient."""
    best = max(names, key=names_patient)
    return best if names_patient(best) >= 2 else None


def _unlooked(raw: Raw, name: str, subject: str | None) -> Column | None:
    """The column of an identifier, from its name; None for one that may be looked at."""
    storage = raw.storage.get(name, "")
    if name == subject:
        why = "numbers the patient; never learned"
        form = "pattern:" + "#" * 10
        return Column(name, "code", role="subject", handling="surrogate", form=form, missing=("",), storage=storage,
                      why=why)  # fmt: skip
    if not could_mean(name):
        return None
    why = "its name speaks of an identifier; never looked at, left blank"
    return Column(name, "text", role="identifier", handling="blank", missing=("",), storage=storage, why=why)


def _voters(raw: Raw, subject: str | None, rows: int) -> NDArray[np.bool_]:
    """The first `rows` rows of each patient: (n_rows,)."""
    if subject is None or subject not in raw.frame.columns:
        return np.ones(len(raw.frame), dtype=bool)
    who = raw.frame[subject]
    alone = who.isna() | (who.astype(str) == "")
    rank = who.astype(str).groupby(who.astype(str)).cumcount()
    return np.asarray((rank < rows) | alone, dtype=bool)


def _votes(raw: Raw, name: str, voters: NDArray[np.bool_], sigma: float) -> tuple[Votes, Votes | None]:
    """What a column's cells vote for, and where its name speaks of diagnoses, the categories of codes with endings.

    PRIVACY: discrete Gaussian noise of standard deviation `sigma` on every count, charged by the caller.
    """
    storage = raw.storage.get(name, "")
    texts = as_texts(raw.frame[name], storage) if storage else raw.frame[name]
    codes, distinct = pd.factorize(texts.to_numpy(dtype=object)[voters])
    labels = [str(text) for text in distinct]
    if not speaks_of_diagnoses(name):
        return Votes.of(_count(codes, [choice_of(text) for text in labels], CHOICES, sigma), sigma), None
    cast = [vote_of(text) if text not in PLAIN else None for text in labels]
    choices = [choice_of(text) if vote is None else vote.choice for text, vote in zip(labels, cast, strict=True)]
    ended = ["" if vote is None else vote.ended for vote in cast]
    return (
        Votes.of(_count(codes, choices, CHOICES + CODES, sigma), sigma),
        Votes.of(_count(codes, ended, ballot(), sigma), sigma),
    )


def _count(codes: NDArray[np.int64], cast: Sequence[str], choices: Sequence[str], sigma: float) -> Mapping[str, int]:
    """Noisy votes for each choice; what is cast for no choice is not counted.

    Args:
        codes: Label of each row, -1 where it is missing. cast: What each label votes for.
    """
    place = {choice: i for i, choice in enumerate(choices)}
    ends = (*cast, _MISSING)
    at = np.array([place.get(choice, len(choices)) for choice in ends])
    counts = np.bincount(at[codes], minlength=len(choices) + 1)[: len(choices)]
    return dict(zip(choices, mechanisms.noisy(counts, sigma).tolist(), strict=True))


def choice_of(text: str) -> str:
    """What one cell votes for."""
    if text in PLAIN:
        return f"missing {text}"
    text = text.strip()
    if text in ("0", "1"):
        return "bit"
    if _WHOLE.fullmatch(text):
        return "whole"
    if (found := _POINT.fullmatch(text)) is not None:
        return f"decimals {len(found[1])}"
    if text[:1].isdigit():
        for form in FORMS:
            try:
                read_moment(text, form)
            except ValueError:
                continue
            return f"date {form}"
    return "label"


def _column(raw: Raw, name: str, votes: Votes, ended: Votes | None) -> Column:
    """The column that the noisy votes speak for."""
    filled = votes.total("bit", "whole", "decimals", "date", "label", "codes")
    role, _ = role_of(name)
    missing = tuple(s for s in MISSING if votes.counts[f"missing {s}"]) or ("",)
    base = Column(name, "category", role=role, missing=missing, storage=raw.storage.get(name, ""), why="by noisy votes")
    if not filled:  # hardly ever, or too seldom beside the noise: a budget that is spent should still buy the others
        why = "by noisy votes hardly ever filled" if votes.total("missing") else OPEN
        return replace(base, kind="text", role="feature", handling="blank", why=why)
    if ended is not None and (codes := coded(base, votes.counts, ended.counts, filled, votes.noise)) is not None:
        return codes
    stray = STRAY * filled + votes.noise
    dates = {form: votes.counts[f"date {form}"] for form in FORMS}
    form = max(dates, key=lambda f: dates[f])
    if dates[form] and filled - dates[form] <= stray:
        kind: Kind = "datetime" if "%H" in form else "date"
        return replace(base, kind=kind, date_format=form, role="quasi-identifier" if role == "feature" else role)
    numbers = votes.total("bit", "whole", "decimals")
    if not numbers or filled - numbers > stray or is_code(name):
        return base
    fractions = [d for d in range(1, DECIMALS + 1) if votes.counts[f"decimals {d}"]]
    if not fractions and votes.counts["bit"] and not votes.counts["whole"]:
        return replace(base, kind="boolean", categories=("0", "1"), bounds="declared")
    unit = unit_of(name)
    if not fractions:
        return replace(base, kind="integer", unit=unit)
    return replace(base, kind="number", unit=unit, decimals=max(fractions), min_decimals=0)


def _readable(text: str, column: Column) -> bool:
    if text in column.missing:
        return True
    if not column.numeric:
        return text in column.categories
    if column.kind in ("date", "datetime"):
        return choice_of(text) == f"date {column.date_format}"
    choice = choice_of(text).split(" ")[0]
    return choice in ("bit", "whole") or (choice == "decimals" and column.kind == "number")
