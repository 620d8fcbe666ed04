"""What every audit promises, on ordinary tables and on awkward ones."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from semblance.audits.copies import Copies
from semblance.audits.fidelity import Fidelity
from semblance.audits.membership import Membership
from semblance.audits.reconstruction import Reconstruction
from semblance.audits.utility import Utility
from semblance.audits.validity import Validity
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Evidence, Finding, canonical_json
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

AUDITS = [Validity(), Fidelity(), Utility(), Copies(), Membership(), Reconstruction()]


def run_of(seed: int = 3, *, workers: int = 2, quick: bool = True) -> Run:
    return Run(Seeds(seed), Ledger(), Local(workers), quick=quick)


def table(n: int, seed: int, *, columns: tuple[Column, ...], origin: str = "real") -> Dataset:
    """Plausible values for any list of columns; a subject column gets about two rows a patient."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    made: dict[str, object] = {}
    for c in columns:
        noisy = hidden + rng.normal(size=n)
        if c.role == "subject":
            made[c.name] = [f"p{seed}-{k}" for k in rng.integers(0, max(1, n // 2), n)]
        elif c.name.startswith("empty"):
            made[c.name] = pd.Series([None] * n, dtype=float if c.numeric else object)
        elif c.name.startswith("constant"):
            made[c.name] = np.full(n, 4.0) if c.numeric else ["same"] * n
        elif c.kind in ("date", "datetime"):
            days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.round(noisy * 100), unit="D")
            made[c.name] = pd.Series(days).astype("datetime64[us]").mask(rng.random(n) < 0.1)
        elif c.kind == "integer":
            made[c.name] = pd.Series(np.round(50 + 10 * noisy)).mask(rng.random(n) < 0.2)
        elif c.kind == "number":
            made[c.name] = np.round(noisy, 2)
        elif c.kind == "code":
            made[c.name] = [f"C{int(k):03d}" for k in rng.integers(0, 90, n)]
        elif c.kind == "boolean":
            made[c.name] = pd.Series(np.where(noisy > 0, "1", "0"), dtype=object).mask(rng.random(n) < 0.1, None)
        else:
            made[c.name] = np.array(["low", "mid", "high"], dtype=object)[
                np.clip(np.round(noisy + 1), 0, 2).astype(int)
            ]
    return Dataset(pd.DataFrame(made), Schema(columns), origin)  # type: ignore[arg-type]


MIXED = (
    Column("age", "integer", unit="years"),
    Column("lab", "number", decimals=2),
    Column("seen", "date"),
    Column("group", "ordinal", categories=("low", "mid", "high")),
    Column("code", "code"),
    Column("died", "boolean", role="target"),
)


def three(
    columns: tuple[Column, ...] = MIXED, sizes: tuple[int, int, int] = (300, 200, 300)
) -> tuple[Dataset, Dataset, Dataset]:
    train, held, fake = (table(n, s, columns=columns) for s, n in enumerate(sizes))
    return train, held, replace(fake, origin="synthetic")


def with_target(kind: str, *, change: Callable[[pd.Series], pd.Series] | None = None, where: int = 2) -> Comparison:
    columns = (*(replace(c, role="feature") for c in MIXED[:4]), Column("y", kind, role="target"))
    tables = list(three(columns))
    if change is not None:
        frame = tables[where].frame.copy()
        frame["y"] = change(frame["y"])
        tables[where] = replace(tables[where], frame=frame)
    return Comparison(*tables)


def _only(*kinds: str) -> tuple[Column, ...]:
    return tuple(Column(f"c{i}", k) for i, k in enumerate(kinds))  # type: ignore[arg-type]


def _shrunk() -> Comparison:
    train, held, fake = three()
    kept = [c for c in fake.schema.names if c != "lab"]
    columns = tuple(fake.schema[n] for n in kept)
    return Comparison(train, held, Dataset(fake.frame[kept], Schema(columns), "synthetic"))


AWKWARD: dict[str, Callable[[], Comparison]] = {
    "ordinary": lambda: Comparison(*three()),
    "twenty patients": lambda: Comparison(*three(MIXED[:3], (14, 6, 14))),
    "one row each": lambda: Comparison(*three(MIXED, (1, 1, 1))),
    "no synthetic rows": lambda: Comparison(*three(MIXED, (100, 60, 0))),
    "empty holdout": lambda: Comparison(*three(MIXED, (100, 0, 100))),
    "one number": lambda: Comparison(*three(_only("number"))),
    "one label": lambda: Comparison(*three(_only("category"))),
    "labels only": lambda: Comparison(*three(_only("category", "boolean", "code"))),
    "numbers only": lambda: Comparison(*three(_only("number", "integer", "datetime"))),
    "all missing": lambda: Comparison(*three((*MIXED, Column("empty_n", "number"), Column("empty_l", "category")))),
    "nothing but missing": lambda: Comparison(*three((Column("empty_n", "number"), Column("empty_l", "category")))),
    "constant": lambda: Comparison(*three((*MIXED, Column("constant_n", "number"), Column("constant_l", "category")))),
    "nothing but constants": lambda: Comparison(*three((Column("constant_n", "number"), Column("constant_l", "code")))),
    "repeated patients": lambda: Comparison(
        *three((Column("id", "code", role="subject", handling="surrogate"), *MIXED), (600, 400, 600))
    ),
    "nothing modelled": lambda: Comparison(*three((Column("id", "code", role="subject", handling="surrogate"),))),
    "a column gone": _shrunk,
    "target: three classes": lambda: with_target("category"),
    "target: number": lambda: with_target("number"),
    "target: ninety classes": lambda: with_target("code"),
    "target: one class in fake": lambda: with_target("boolean", change=lambda y: y.map(lambda _: "1")),
    "target: one class in holdout": lambda: with_target("boolean", change=lambda y: y.map(lambda _: "1"), where=1),
    "target: missing in fake": lambda: with_target("boolean", change=lambda y: y.map(lambda _: None)),
    "target: mostly missing": lambda: with_target("number", change=lambda y: y.mask(np.arange(len(y)) % 3 > 0)),
    "target: constant in fake": lambda: with_target("number", change=lambda y: y * 0 + 1),
    "target: new class in fake": lambda: with_target("category", change=lambda y: y.map(lambda _: "unheard of")),
}


@pytest.mark.parametrize("case", AWKWARD)
@pytest.mark.parametrize("audit", AUDITS, ids=lambda a: a.name)
def test_keeps_its_promises(audit: object, case: str) -> None:
    comparison = replace(AWKWARD[case](), forge=_drawn_again)
    before = [t.frame.copy(deep=True) for t in (comparison.train, comparison.held, comparison.fake)]
    findings = audit.judge(comparison, run_of())  # type: ignore[attr-defined]
    assert findings
    for finding in findings:
        _sound(finding, audit.name)  # type: ignore[attr-defined]
    text = canonical_json(Evidence(findings).to_dict())
    assert Evidence.from_dict(json.loads(text)).to_dict() == json.loads(text)
    for frame, table_ in zip(before, (comparison.train, comparison.held, comparison.fake), strict=True):
        pd.testing.assert_frame_equal(frame, table_.frame)


def _drawn_again(patients: Dataset, n: int, run: Run, /) -> Dataset:
    """The simplest recipe there is: its own patients, drawn again."""
    rows = run.seeds("again").integers(0, max(1, patients.n_rows), n if patients.n_rows else 0)
    return replace(patients.take(rows), origin="synthetic")


def _sound(finding: Finding, audit: str) -> None:
    assert finding.name.startswith((f"{audit}.", "power."))
    assert finding.question
    if finding.status == "measured":
        assert finding.method
        assert finding.low is not None
        assert finding.high is not None
    if finding.low is not None:
        assert finding.low <= finding.value <= finding.high  # type: ignore[operator]
    assert finding.n >= 0
    _no_nan(asdict(finding)["detail"])


def _no_nan(part: object) -> None:
    if isinstance(part, dict):
        for value in part.values():
            _no_nan(value)
    elif isinstance(part, list):
        for value in part:
            _no_nan(value)
    elif isinstance(part, float):
        assert math.isfinite(part)


@pytest.mark.parametrize("audit", AUDITS, ids=lambda a: a.name)
def test_same_seed_same_answer_whatever_the_number_of_workers(audit: object) -> None:
    comparison = replace(AWKWARD["repeated patients"](), forge=_drawn_again)
    one = audit.judge(comparison, run_of(workers=1))  # type: ignore[attr-defined]
    two = audit.judge(comparison, run_of(workers=2))  # type: ignore[attr-defined]
    assert canonical_json(Evidence(one).to_dict()) == canonical_json(Evidence(two).to_dict())


def test_findings_carry_the_agreed_names() -> None:
    names = {f.name for a in AUDITS for f in a.judge(AWKWARD["ordinary"](), run_of())}  # type: ignore[attr-defined]
    assert names == {
        "validity.rows.share",
        "validity.columns.match",
        "fidelity.marginal.score",
        "fidelity.pair.score",
        "fidelity.triple.score",
        "fidelity.c2st.auc",
        "fidelity.missing.score",
        "fidelity.map.overlap",
        "utility.tstr.auc",
        "utility.trtr.auc",
        "utility.gap.auc",
        "copies.exact.excess",
        "copies.near.excess",
        "copies.nearest.share",
        "copies.nearest.p",
        "copies.tail.p",
        "copies.patients.excess",
        "copies.outliers.excess",
        "copies.groups.excess",
        "copies.rare.excess",
        "copies.text.excess",
        "reconstruction.rows.excess",
        "reconstruction.strings.excess",
        "reconstruction.strings.share",
        "reconstruction.numbers.excess",
        "reconstruction.extremes.excess",
        "reconstruction.size.nats",
        "membership.distance.auc",
        "membership.distance.tpr_at_fpr_1pct",
        "membership.distance.outliers.auc",
        "membership.density.auc",
        "membership.density.tpr_at_fpr_1pct",
        "membership.density.outliers.auc",
        "membership.shadow.auc",
        "membership.shadow.tpr_at_fpr_10pct",
        "membership.shadow.tpr_at_fpr_1pct",
        "membership.shadow.tpr_at_fpr_01pct",
        "membership.shadow.outliers.auc",
        "membership.shadow.groups.auc",
        "power.shadow.leak",
    }


def test_too_few_patients_is_said_not_measured() -> None:
    comparison = AWKWARD["twenty patients"]()
    for audit in (Fidelity(), Copies(), Membership()):
        for finding in audit.judge(comparison, run_of()):
            assert finding.status != "measured", finding.name
