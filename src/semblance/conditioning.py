"""The verbs that ask a fitted model about some columns given others: conditional rows, balanced labels, filled gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from semblance.conditionals.balance import read_balance, rows_of_each
from semblance.contracts import Account, Conditional, Filled, Model, Run
from semblance.data import parse, surrogates
from semblance.data.dataset import Dataset
from semblance.data.raw import Raw
from semblance.errors import InputError, Unsupported
from semblance.schema import Column, Schema
from semblance.source import format_of, read_source


def sample_given(
    model: Model,
    run: Run,
    *,
    n: int,
    given: Sequence[str] = (),
    balance: str = "",
    avoid: Dataset | None = None,
) -> tuple[Dataset, Mapping[str, Account]]:
    """Draw `n` synthetic rows that meet conditions, with fresh identifiers.

    Args:
        given: Conditions, all of which hold in every row: "sex=F", "age>=65", "ward in icu|surgery", "x is missing".
        balance: A column whose labels come out in equal numbers, or "COL=label:share,label:share".
        avoid: Real patients whose identifiers must not come up by chance.

    Returns:
        The rows, in random order, and what they are worth, by condition.

    Privacy: reads no real value but the identifiers to avoid; spends nothing.

    Raises:
        Unsupported: the model cannot condition.
        InputError: a condition is not understood, or no value that the model can draw meets it.
    """
    data, accounts = rows_given(model, run, n=n, given=given, balance=balance)
    return surrogates.fill(data, run.seeds, avoid=avoid), accounts


def rows_given(
    model: Model, run: Run, *, n: int, given: Sequence[str] = (), balance: str = ""
) -> tuple[Dataset, Mapping[str, Account]]:
    """`sample_given` without identifiers."""
    if n < 1:
        raise InputError("the number of rows to draw must be at least 1.")
    asked = _conditional(model, "draw rows under conditions")
    if not balance:
        data, account = asked.sample_given(n, given, run)
        return data, {" and ".join(given): account}
    column, shares = read_balance(balance, asked.labels_of)
    parts, accounts = [], {}
    for label, rows in rows_of_each(shares, n).items():
        if rows:
            within = replace(run, seeds=run.seeds.within(f"balance/{label}"))
            data, accounts[f"{column}={label}"] = asked.sample_given(rows, [*given, f"{column}={label}"], within)
            parts.append(data)
    mixed = pd.concat([part.frame for part in parts], ignore_index=True)
    mixed = mixed.take(run.seeds("balance/order").permutation(len(mixed))).reset_index(drop=True)
    return replace(parts[0], frame=mixed), accounts


def impute(model: Model, data: Dataset, run: Run, *, columns: Sequence[str] = ()) -> Dataset:
    """Fill missing cells of real or synthetic rows with draws given the rest of their row.

    Every value that is there stays as it is. Each seed gives another plausible copy: draw several and combine what
    they say (multiple imputation, Rubin 1987), since one alone hides how unsure the filled values are.

    Args:
        data: Rows read with the model's schema. columns: Fill these only; all learned columns by default.

    Privacy: the result holds the real rows it was given; its origin says so.

    Raises:
        Unsupported: the model cannot impute.
        InputError: the model did not learn a column of that name.
        SchemaError: the rows do not have the model's columns.
    """
    return _conditional(model, "fill gaps").impute(data, run, columns=columns)[0]


def complete(
    model: Model, source: Any, run: Run, *, output: Path | str, columns: Sequence[str] = ()
) -> tuple[Dataset, Filled]:
    """`impute` for a file, ready to be written to `output`: every cell that was there keeps its exact spelling.

    Returns:
        What to write, and what the filled cells are worth.

    Raises:
        As `impute`; SchemaError where a cell cannot be read as the model's schema says.
    """
    asked = _conditional(model, "fill gaps")
    raw = source if isinstance(source, Raw) else read_source(source)
    schema = replace(model.schema, columns=tuple(map(_with_empty_cells, model.schema)))
    before = parse.parse(raw, schema, strict=False)
    after, account = asked.impute(before, run, columns=columns)
    if raw.dialect.get("format") == format_of(output).name == "csv":
        return _as_written(raw, before, after), account
    stored = (replace(c, storage=raw.storage.get(c.name, "")) for c in schema)
    ordered = [str(name) for name in raw.frame.columns]
    schema = replace(schema, columns=tuple(stored), dialect=raw.dialect)
    schema = replace(schema, columns=tuple(schema[name] for name in ordered))
    return Dataset(after.frame[ordered], schema, after.origin), account


def _conditional(model: Model, what: str) -> Conditional:
    if isinstance(model, Conditional):
        return model
    raise Unsupported(f"this model cannot {what}; fit one with the generator 'chain', which can.")


def _with_empty_cells(column: Column) -> Column:
    """The column with an empty cell as one more way to say "no value": training may have seen no gap in it."""
    known = "" in column.missing or "" in column.categories or column.kind == "text"
    return column if known else replace(column, missing=(*column.missing, ""))


def _as_written(raw: Raw, before: Dataset, after: Dataset) -> Dataset:
    """The source's own texts with the filled cells among them, all as text, so that nothing is spelled anew."""
    texts, spelled = raw.frame.astype(object).copy(), parse.render(after)
    columns = []
    for name in map(str, texts.columns):
        filled = (before.frame[name].isna() & after.frame[name].notna()).to_numpy()
        texts[name] = texts[name].where(~filled, spelled[name])
        columns.append(Column(name, "text", missing=after.schema[name].missing))
    return Dataset(texts, Schema(tuple(columns), dialect=raw.dialect), after.origin)
