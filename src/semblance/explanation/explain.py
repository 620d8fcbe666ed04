"""What was inferred about one column and why, for the person who must answer for it.

The questions are those of ``data/describe/infer.py``, asked again; nothing here decides anything. No sentence quotes a
patient's value: labels are named where at least eleven patients hold them, fewer than eleven patients are not
counted, and other counts are rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal

from semblance.data.describe.infer import QUESTIONS, first_answer
from semblance.data.describe.look import Look, look_at
from semblance.data.describe.missing import Missing
from semblance.data.raw import Raw
from semblance.errors import SchemaError
from semblance.explanation.changes import changes_of
from semblance.explanation.facts import facts_of, spelled
from semblance.explanation.overrides import Override, overrides_of
from semblance.explanation.reasons import ASKED, against, near_misses
from semblance.schema import Column, Schema

COMPARED = (
    "kind",
    "role",
    "handling",
    "unit",
    "low",
    "high",
    "decimals",
    "date_format",
    "missing",
    "form",
    "code_system",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question that inference asks of a column, in its order; after the first yes no more are asked."""

    question: str
    answer: Literal["yes", "no", "not asked"]
    because: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a column is taken for, why, what would change that, and how to overrule it.

    Attributes:
        decision: Kind, role and handling as the schema has them.
        why: The sentence of the schema.
        facts: What is in the column, by catchword.
        answers: Every question in the order of asking.
        by_hand: Where the schema differs from what the table alone suggests: what a person has set.
        changes: What in the source would change the decision, and what came close.
        overrides: Lines for the schema file.
    """

    name: str
    decision: str
    why: str
    facts: Mapping[str, str]
    answers: tuple[Answer, ...]
    by_hand: tuple[str, ...]
    changes: tuple[str, ...]
    overrides: tuple[Override, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def explain(raw: Raw, schema: Schema, name: str) -> Explanation:
    """Explain the column `name` of `schema`, inferred or edited, by the table it was made from.

    Privacy: reads real patients without differential privacy; what it says is no freer than the schema itself.

    Raises:
        SchemaError: no such column in the schema or in the table; says which names are near.
    """
    there = tuple(map(str, raw.frame.columns))
    for wanted, names in ((name, schema.names), (name, there), (schema.subject, there)):
        if wanted is not None and wanted not in names:
            raise SchemaError(f"there is no column {wanted!r}; {_near(wanted, names)}.")
    column = schema[name]
    seen = next(look for look in look_at(raw, subject=schema.subject) if look.name == name)
    look = replace(seen, missing=Missing(column.missing, seen.missing.why))
    winner, guess = first_answer(look)
    return Explanation(
        name=name,
        decision=f"{column.kind}, {column.role}, handled as {column.handling!r}",
        why=column.why or guess.why,
        facts=facts_of(column, look, schema=schema),
        answers=_answers(winner, guess, look),
        by_hand=_by_hand(column, replace(guess, missing=seen.missing.spellings)),
        changes=(*near_misses(winner, look), *changes_of(winner, guess)),
        overrides=overrides_of(column, winner, look),
    )


def _near(name: str, names: Sequence[str]) -> str:
    """The header's names that look like `name`, or its first ones."""
    folded = {known.casefold(): known for known in reversed(names)}
    near = [folded[match] for match in get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)]
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?".removesuffix("?")
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"the columns are {', '.join(map(repr, names[:10]))}{more}"


def _answers(winner: str, guess: Column, look: Look) -> tuple[Answer, ...]:
    answers: list[Answer] = []
    decided = False
    for question in QUESTIONS:
        if question == winner:
            answers.append(Answer(ASKED[question], "yes", guess.why))
            decided = True
        elif decided:
            answers.append(Answer(ASKED[question], "not asked", "the first yes decides"))
        else:
            answers.append(Answer(ASKED[question], "no", against(question, look)))
    return tuple(answers)


def _by_hand(column: Column, guess: Column) -> tuple[str, ...]:
    told = [
        f"{field}: {_told(column, field)}; the table alone suggests {_told(guess, field)}"
        for field in COMPARED
        if getattr(column, field) != getattr(guess, field)
    ]
    if set(column.categories) != set(guess.categories):
        told.append(f"categories: {len(column.categories)} listed; the table alone suggests {len(guess.categories)}")
    elif column.kind == "ordinal" and column.categories != guess.categories:
        told.append("categories: in an order of their own")
    return tuple(told)


def _told(column: Column, field: str) -> str:
    value = getattr(column, field)
    if value is None or value in ("", ()):
        return "nothing"
    if field in ("low", "high"):
        return spelled(value, column)
    return ", ".join(map(repr, value)) if isinstance(value, tuple) else str(value)
