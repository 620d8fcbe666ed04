"""What is in a column, a sentence for each thing that a person may want to check."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from semblance.data.codes.hierarchy import hierarchy_of
from semblance.data.describe.look import Look
from semblance.explanation.tally import FEW, Tally, some
from semblance.language.agreement import used_by
from semblance.release.disclosure import SMALLEST_SHOWN
from semblance.schema import Column, Schema

SHOWN = 12  # labels told by name

HANDLED = {
    "model": "learned, and drawn anew in every synthetic row",
    "surrogate": "never learned; fresh made-up values of the same form are written",
    "blank": "never learned; the column stays, empty",
    "drop": "never learned; the column is left out of the output",
}


def facts_of(column: Column, look: Look, *, schema: Schema) -> dict[str, str]:
    """What the schema says of the column and what the table holds, in the order of reading."""
    tally, subject = Tally(look), schema.subject
    n = len(look.filled)
    found = {
        "handling": f"{column.handling}: {HANDLED[column.handling]}",
        "rows": f"{tally.n_rows:,}" + (f", of {_patients(tally)} patients ({subject!r})" if subject else ""),
        "values": f"{n:,} different, in {tally.of(look.filled)}",
        "missing": _missing(column, tally),
        "unit": column.unit or ("none told by the name" if column.kind in ("number", "integer") else ""),
        "bounds": _bounds(column),
        "precision": _precision(column),
        "format": column.date_format,
        "labels": _labels(column, tally),
        "codes": _codes(column),
        "rules": _rules(column, schema),
        "surrogates": column.form,
        "stored as": column.storage,
    }
    return {what: told for what, told in found.items() if told}


def _patients(tally: Tally) -> str:
    return some(len(np.unique(tally.patients)))


def quoted(texts: Iterable[str]) -> str:
    return ", ".join(json.dumps(text, ensure_ascii=False) for text in texts)


def _missing(column: Column, tally: Tally) -> str:
    rows = tally.without_value(column.missing)
    if not len(rows):
        return 'none; an empty cell is written for "no value"' if not column.missing else "none"
    spelled = f"spelled {quoted(column.missing)}" if column.missing else "nulls of the source"
    told = f"{tally.of_rows(rows)} without a value, {spelled}"
    if len(column.missing) > 1:
        told += " (the first is written)"
    reason = f"; reason: {column.missing_reason}" if column.missing_reason else ""
    why = f"; {tally.look.missing.why}" if tally.look.missing.why else ""
    return told + why + reason


def spelled(value: float, column: Column) -> str:
    """A bound as a person writes it: a number, an ISO day, an ISO moment."""
    if column.kind not in ("date", "datetime") or not np.isfinite(value):
        return f"{value:.10g}"
    return str(np.datetime64(int(value), "D" if column.kind == "date" else "s"))


def _bounds(column: Column) -> str:
    if not column.numeric or (column.low is None and column.high is None):
        return ""
    low = "no lower bound" if column.low is None else spelled(column.low, column)
    high = "no upper bound" if column.high is None else spelled(column.high, column)
    if column.bounds == "declared":
        return f"{low} to {high}, declared by a person"
    if column.kind in ("date", "datetime"):
        return f"{low} to {high}, inferred: whole years around what was seen"
    return f"{low} to {high}, inferred from the patients, but no single patient's own (a natural zero aside)"


def _precision(column: Column) -> str:
    if column.kind == "integer":
        return "whole numbers" + (
            f", written with {column.min_decimals} zeros behind the mark" if column.min_decimals else ""
        )
    if column.kind != "number":
        return ""
    mark = "" if column.decimal_mark == "." else f", decimal mark {column.decimal_mark!r}"
    return f"rounded to {column.decimals} decimals, at least {column.min_decimals} written{mark}"


def _labels(column: Column, tally: Tally) -> str:
    """Labels by name where at least eleven patients hold them; nothing for what is never learned."""
    if column.numeric or not column.modelled:
        return ""
    common = tally.common
    if column.kind == "ordinal":
        place = {label: i for i, label in enumerate(column.categories)}
        common = tuple(sorted(common, key=lambda label: place.get(label, len(place))))
    rare = len(tally.look.filled) - len(common)
    told = f"{len(common) or 'none'} held by at least {SMALLEST_SHOWN} patients"
    if common:
        more = f" and {len(common) - SHOWN} more" if len(common) > SHOWN else ""
        told += f": {quoted(common[:SHOWN])}{more}"
    rest = f"; {rare} held by {FEW}, not told here and {_fate(column)}" if rare else ""
    order = "; in rising order" if column.kind == "ordinal" else ""
    return told + order + rest


def _fate(column: Column) -> str:
    """What becomes of labels that fewer than eleven patients hold."""
    if column.kind == "ordinal":
        return "counted to the nearest common step"
    if hierarchy_of(column.code_system) is not None:
        return "pooled with their neighbours in the classification"
    return "never drawn"


def _codes(column: Column) -> str:
    known = hierarchy_of(column.code_system)
    if known is None:
        return f"{column.code_system}, a note: this classification is not known here" if column.code_system else ""
    return f"{column.code_system}: {known.title}, so related codes are learned as neighbours"


def _rules(column: Column, schema: Schema) -> str:
    columns = {c.name: c for c in schema}
    return "; ".join(str(rule) for rule in schema.rules if column.name in used_by(rule, columns))
