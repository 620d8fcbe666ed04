"""The lines of a schema file by which a person overrules what was inferred, and what each of them does."""

from __future__ import annotations

import json
from dataclasses import dataclass

from semblance.data.codes.hierarchy import SYSTEMS
from semblance.data.codes.recognise import NAMING
from semblance.data.dates import read_moment
from semblance.data.describe.column_words import words
from semblance.data.describe.look import Look
from semblance.data.describe.roles import names_patient
from semblance.data.numbers import decimal_mark, looks_numeric, notation
from semblance.schema import Column

CATEGORIES = 'categories = ["lowest", "…", "highest"]'


@dataclass(frozen=True, slots=True)
class Override:
    """`lines` go into the column's entry of the schema file, in place of the lines with the same keys."""

    lines: tuple[str, ...]
    effect: str


def overrides_of(column: Column, winner: str, look: Look) -> tuple[Override, ...]:
    """What a person may want to write instead, the likeliest first."""
    return (*_meaning(column, winner, look), *_limits(column), *_people(column), *_target(column))


def _meaning(column: Column, winner: str, look: Look) -> list[Override]:
    """Another kind, where another reading of the same cells is possible."""
    if column.kind == "text" and column.handling == "blank" and winner != "empty":
        learned = 'kind = "category"', 'handling = "model"'
        return [Override(learned, "the texts are labels that name nobody, and are learned")]
    if not column.modelled:
        return []
    if column.kind in ("date", "datetime"):
        return _day_or_month(column, look)
    labels = Override(('kind = "category"',), "the values are labels without order, not amounts")
    if column.numeric:
        return [labels]
    amounts = _amounts(look, column)
    if column.kind == "ordinal":
        order = Override((CATEGORIES,), "their order is another one")
        return [*amounts, order, labels if amounts else Override(('kind = "category"',), "the labels have no order")]
    if column.kind == "boolean":
        return []
    if column.code_system:
        return [Override(('code_system = ""',), "the codes have no known classification: rare ones are never drawn")]
    return [
        *amounts,
        *_classified(column),
        Override(('kind = "ordinal"', CATEGORIES), "the labels rise in the order in which you list them"),
    ]


def _classified(column: Column) -> list[Override]:
    """A code system, where the name speaks of diagnoses but the labels left a doubt."""
    if not set(words(column.name)) & NAMING:
        return []
    return [
        Override(('kind = "code"', f'code_system = "{system}"'), f"they are {name} codes, rare ones are pooled")
        for system, (name, _) in SYSTEMS.items()
    ]


def _amounts(look: Look, column: Column) -> list[Override]:
    """Lines that turn labels into numbers, where most of their texts are numbers."""
    numbers = [text for text in look.filled if looks_numeric(text) or looks_numeric(text, mark=",")]
    mark = decimal_mark(numbers)
    if not mark or len(numbers) < max(2, 0.5 * len(look.filled)):
        return []
    told = notation(numbers, mark=mark)
    lines = ['kind = "integer"' if told.whole else 'kind = "number"']
    lines += [] if told.whole else [f"decimals = {told.decimals}"]
    lines += [f"min_decimals = {told.min_decimals}"] if told.min_decimals else []
    lines += ['decimal_mark = ","'] if mark == "," else []
    if len(numbers) == len(look.filled):
        return [Override(tuple(lines), "they are amounts; new values between them may be drawn")]
    lines.append('missing = ["", "…"]')
    return [Override(tuple(lines), 'they are amounts, and every other text, to be listed here, means "no value"')]


def _day_or_month(column: Column, look: Look) -> list[Override]:
    """The other order of day and month, where it reads every cell too."""
    form = column.date_format
    if column.storage or "d" not in form or "m" not in form:
        return []
    other = form.translate(str.maketrans("dm", "md"))
    try:
        for text in look.filled:
            read_moment(text.strip(), other)
    except ValueError:
        return []
    return [
        Override((f"date_format = {json.dumps(other, ensure_ascii=False)}",), "day and month are the other way round")
    ]


def _limits(column: Column) -> list[Override]:
    if not column.modelled:
        return []
    what = "`low` and `high` are" if column.numeric else "`categories` are" if column.categories else ""
    if not what or column.bounds == "declared":
        return []
    return [Override(('bounds = "declared"',), f"{what} what may occur, not only what was seen; correct them first")]


def _people(column: Column) -> list[Override]:
    drop = Override(('handling = "drop"',), "the column is left out of the output")
    if column.role in ("identifier", "subject"):
        blank = Override(('handling = "blank"',), "the column stays, empty")
        feature = Override(
            ('role = "feature"', 'handling = "model"', *_kind_if_text(column)),
            "it names nobody and is learned; only if you are sure",
        )
        return [blank, drop, feature]
    named = Override(
        ('role = "identifier"', 'handling = "surrogate"'), "it can name a person: never learned, made-up values instead"
    )
    subject = Override(('role = "subject"', 'handling = "surrogate"'), "it numbers the patient")
    return [named, *([subject] if names_patient(column.name) else []), drop]


def _kind_if_text(column: Column) -> tuple[str, ...]:
    return ('kind = "category"',) if column.kind == "text" else ()


def _target(column: Column) -> list[Override]:
    if not column.modelled or column.role == "target":
        return []
    return [Override(('role = "target"',), "it is what is to be predicted")]
