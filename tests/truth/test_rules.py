"""No synthetic row breaks a rule: random tables, random rules, and inner tables that no honest generator would draw."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.data.dataset import Dataset, from_scale
from semblance.data.parse import parse, render
from semblance.data.raw import Raw
from semblance.errors import SchemaError
from semblance.generators.chain import Chain
from semblance.generators.independent import Independent
from semblance.language.agreement import decoding_order
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.rules.broken import inspect
from semblance.rules.learn import learn_rules
from semblance.rules.recode import Rules
from semblance.schema import Column, Schema

DAY0, DAY1 = 15_000.0, 17_000.0
FORMATS: tuple[tuple[Any, str], ...] = (
    ("date", "%Y-%m-%d"),
    ("date", "%d.%m.%Y"),
    ("date", "%Y-%m"),
    ("datetime", "%Y-%m-%d %H:%M"),
    ("datetime", "%Y-%m-%dT%H:%M:00"),
    ("datetime", "%Y-%m-%d %H:%M:%S.%f"),
)
LABELS: dict[str, tuple[str, ...]] = {
    "sex": ("F", "M"),
    "site": ("A", "B", "C"),
    "stage": ("I", "II", "III"),
    "arm": ("1",),
}
CONDITIONS = (
    'sex == "F" and {n} >= 3',
    'stage >= "II" or present({n})',
    'site in ("A", "B")',
    "not ({n} > {m} + 1)",
    'missing({d}) or {d} < "2014-01-01"',
    "{d} - {e} <= 200",
    'sex != "F"',
)
FORMULAS = (
    "{n} + {m}",
    "{n} / ({m} / 100) ** 2",
    "max({n}, {m}) - 2 * {n}",
    "{d} - {e}",
    "round(({d} - {e}) / 365.25, 1)",
)


# ── random tables and rules ──────────────────────────────────────────────────────────────────────────────────────────


def random_schema(rng: np.random.Generator) -> Schema:
    """Columns of every kind under random rules that agree with each other."""
    columns: list[Column] = []
    for name in "abcd":
        places = int(rng.integers(0, 4))
        low, high = float(np.round(rng.uniform(-3, 3), int(rng.integers(0, 3)))), float(rng.integers(5, 40))
        columns.append(
            Column(
                name,
                "number" if places else "integer",
                low=low if rng.random() < 0.7 else None,
                high=high if rng.random() < 0.7 else None,
                bounds="declared" if rng.random() < 0.3 else "inferred",
                decimals=places,
                missing=("",),
            )
        )
    for name in ("p", "q", "r", "s"):
        kind, form = FORMATS[rng.integers(len(FORMATS))]
        size = 1.0 if kind == "date" else 86_400.0
        bound = rng.random() < 0.6
        columns.append(
            Column(
                name,
                kind,
                date_format=form,
                low=DAY0 * size if bound else None,
                high=(DAY1 + 0.75) * size if bound else None,
                missing=("",),
            )
        )
    for name, labels in LABELS.items():
        columns.append(Column(name, "ordinal" if name == "stage" else "category", categories=labels, missing=("",)))
    schema = Schema(tuple(columns[i] for i in rng.permutation(len(columns))))
    for _ in range(12):
        try:
            schema = replace(schema, rules=(*schema.rules, random_rule(rng)))
        except SchemaError:  # unknown to fight with a rule drawn before
            continue
    return schema


def random_rule(rng: np.random.Generator) -> Rule:
    numbers, dates = rng.permutation(list("abcd")), rng.permutation(list("pqrs"))
    words = dict(zip("nm", numbers, strict=False)) | dict(zip("de", dates, strict=False))
    family = rng.integers(0, 5)
    if family == 0:
        size = int(rng.integers(2, 4))
        names = tuple((numbers if rng.random() < 0.5 else dates)[:size].tolist())
        return Order(names, tuple(bool(v) for v in rng.random(size - 1) < 0.3))
    if family == 1:
        return Anchor(str(dates[0]), tuple(dates[1 : int(rng.integers(2, 4))].tolist()))
    if family == 2:
        return Combination(tuple(rng.permutation(list(LABELS))[: int(rng.integers(2, 4))].tolist()))
    if family == 3:
        condition = CONDITIONS[rng.integers(len(CONDITIONS))].format(**words)
        return MissingUnless(str(rng.choice([*"abcd", *"pqrs", *LABELS])), condition)
    formula = FORMULAS[rng.integers(len(FORMULAS))].format(**words)
    return Derived(str(rng.choice([*"abcd"])), formula)


def random_rows(schema: Schema, rng: np.random.Generator, n: int) -> Dataset:
    """Rows that mostly obey: every fourth value missing, computed columns computed (by pandas), violators left out."""
    frame = pd.DataFrame({column.name: random_values(column, rng, n, wild=False) for column in schema})
    spelled: dict[str, Callable[..., Any]] = {"max": np.maximum, "round": np.round}
    for name in decoding_order(schema.rules, {c.name: c for c in schema}):
        for rule in schema.rules:
            if isinstance(rule, Derived) and rule.column == name:
                days = {c.name: Dataset(frame, schema).scale(c.name) / (86_400 if c.kind == "datetime" else 1)
                        for c in schema if c.numeric}  # fmt: skip
                with np.errstate(all="ignore"):
                    computed = np.asarray(eval(rule.formula, {**spelled, **days}), dtype=np.float64)
                computed[~np.isfinite(computed)] = np.nan
                frame[name] = np.round(computed, schema[name].decimals)
            if isinstance(rule, MissingUnless) and rule.column == name:
                empty = inspect(Dataset(frame, schema), rule).applies
                frame[name] = frame[name].mask(empty, None if frame[name].dtype == object else np.nan)
    data = Dataset(frame[list(schema.names)], schema)
    for column in schema.modelled:  # as a reader would have refused them
        if column.numeric and not any(isinstance(r, Derived) and r.column == column.name for r in schema.rules):
            low, high = (np.inf * sign if end is None else end for end, sign in ((column.low, -1), (column.high, 1)))
            scaled = data.scale(column.name)
            data = data.take(np.flatnonzero(np.isnan(scaled) | ((scaled >= low) & (scaled <= high))))
    obeys = np.ones(data.n_rows, dtype=bool)
    for rule in schema.rules:
        obeys &= ~inspect(data, rule, real=[data]).broken
    few = rng.random(data.n_rows) < 0.02
    return data.take(np.flatnonzero(obeys | few))


def random_values(column: Column, rng: np.random.Generator, n: int, *, wild: bool) -> pd.Series[Any]:
    """Values of a column; `wild` ones lie anywhere its bounds allow, its ends and unknown labels included."""
    gone = rng.random(n) < (0.25 if column.missing or wild else 0.0)
    if not column.numeric:
        labels = [*column.categories, *(["never heard of"] if wild else [])]
        values = rng.choice(np.array(labels, dtype=object), n)
        return pd.Series(np.where(gone, None, values), name=column.name, dtype=object)
    size = 86_400.0 if column.kind == "datetime" else 1.0
    time = column.kind in ("date", "datetime")
    low, high = (DAY0 * size, DAY1 * size) if time else (-4.0, 45.0)
    if wild:
        low, high = (low if time else -1e6), (high if time else 1e6)
        low, high = low if column.low is None else column.low, high if column.high is None else column.high
    scaled = rng.uniform(low, high, n)
    if wild:
        ends = rng.random(n)
        scaled = np.where(ends < 0.1, low, np.where(ends > 0.9, high, scaled))
        scaled = np.where(
            (ends > 0.4) & (ends < 0.6) & (low <= 0 <= high), np.round(scaled / max(abs(low), abs(high))), scaled
        )
    elif time:
        scaled = np.floor(scaled / size) * size + (np.floor(rng.random(n) * 1440) * 60 if size > 1 else 0.0)
        if column.date_format == "%Y-%m":
            months = scaled.astype("int64").astype("datetime64[D]").astype("datetime64[M]")
            scaled = months.astype("datetime64[D]").astype("int64").astype(np.float64)
    scaled[gone] = np.nan
    values = from_scale(scaled, column)
    if wild and not time and column.low is not None:  # a generator keeps bounds, but not to the last decimal
        values = values.clip(column.low, column.high)
    return values


def adversarial(rules: Rules, rng: np.random.Generator, n: int) -> Dataset:
    """Any inner table at all."""
    frame = pd.DataFrame({column.name: random_values(column, rng, n, wild=True) for column in rules.inner})
    return Dataset(frame, rules.inner, "synthetic")


def cases(first: int) -> Iterator[tuple[Rules, Dataset, np.random.Generator]]:
    """Fitted rules and the rows they were fitted to, one random schema after another."""
    for seed in itertools.count(first):
        rng = np.random.default_rng(seed)
        schema = random_schema(rng)
        rows = random_rows(schema, rng, 4000)
        try:
            learned = learn_rules(rows)
        except SchemaError as error:  # a rule that these rows rarely obey, or no room between bounds
            said = str(error)
            if any(words in said for words in ("is broken by", "nothing to learn", "no combination", "no value")):
                continue
            raise
        if rows.n_rows >= 100:
            yield learned.rules, learned.rows, rng


def assert_obeys(fake: Dataset, real: Dataset, applied: Counter[str]) -> None:
    computed = {r.column for r in fake.schema.rules if isinstance(r, Derived)}
    for rule in fake.schema.rules:
        verdict = inspect(fake, rule, real=[real])
        assert not verdict.broken.any(), (str(rule), fake.frame[verdict.broken].head(2).to_dict())
        applied[type(rule).__name__] += int(verdict.applies.sum())
    for column in fake.schema:
        if column.numeric and (column.name not in computed or column.bounds == "declared"):
            scaled = fake.scale(column.name)
            assert not (scaled < (-np.inf if column.low is None else column.low)).any(), column
            assert not (scaled > (np.inf if column.high is None else column.high)).any(), column
            if column.kind in ("number", "integer"):
                assert np.array_equal(scaled, np.round(scaled, column.decimals), equal_nan=True), column


# ── the promises ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_no_row_in_a_million_breaks_a_rule_whatever_the_generator_draws() -> None:
    applied: Counter[str] = Counter()
    wanted = {"Order", "Combination", "MissingUnless", "Derived"}
    for rules, real, rng in cases(first=0):
        fake = rules.decode(adversarial(rules, rng, 150_000))
        assert fake.schema == rules.schema
        assert_obeys(fake, real, applied)
        if all(applied[kind] >= 1_000_000 for kind in wanted):
            break
    assert wanted <= applied.keys()


def test_no_rule_breaks_on_the_way_to_a_file_and_back() -> None:
    applied: Counter[str] = Counter()
    for rules, real, rng in itertools.islice(cases(first=1000), 12):
        fake = rules.decode(adversarial(rules, rng, 400))
        written = Raw(render(fake), {}, {})
        assert_obeys(parse(written, rules.schema, strict=False), real, applied)


def test_rows_that_obey_come_back_as_they_were() -> None:
    for rules, real, _ in itertools.islice(cases(first=2000), 12):
        again = rules.decode(rules.encode(real))
        combined = {
            name: rule.columns for rule in rules.schema.rules if isinstance(rule, Combination) for name in rule.columns
        }
        for column in real.schema:
            before, after = real.frame[column.name], again.frame[column.name]
            same = (before == after) | (before.isna() & after.isna())
            for rule in real.schema.rules:  # rows that break these are learned from otherwise
                if isinstance(rule, Derived | MissingUnless):
                    same |= inspect(real, rule).broken
            if column.name in combined:  # a rare combination comes back empty
                same |= again.frame[list(combined[column.name])].isna().all(axis=1)
            if column.name in {r.column for r in real.schema.rules if isinstance(r, Derived)}:
                assert same.mean() > 0.995, column.name  # pandas and we may round a half either way
            else:
                assert same.all(), (
                    column,
                    [str(r) for r in rules.schema.rules],
                    real.frame[~same].head(2).to_dict(),
                    after[~same].head(2),
                )


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [Independent(), Chain(trees=3)], ids=lambda r: r.name)
def test_no_row_that_a_generator_draws_breaks_a_rule(recipe: Any) -> None:
    applied: Counter[str] = Counter()
    for rules, real, _ in itertools.islice(cases(first=3000), 3):
        run = pipeline.begin(seed=1)
        model = pipeline.fit(real, run, generator=recipe)
        fake = pipeline.sample(model, run, n=20_000)
        assert fake.schema == rules.schema
        assert_obeys(fake, real, applied)
    assert applied
