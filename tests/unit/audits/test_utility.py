from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score

from semblance.audits.utility import Utility, _grade_classes, _grade_numbers, _known, _task
from semblance.audits.utility.learners import LEARNERS, Lesson, _logistic, answer
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds


def table(n: int, seed: int, kind: str) -> Dataset:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    frame = pd.DataFrame({"a": hidden + rng.normal(0, 0.5, n), "b": rng.choice(["u", "v"], n).astype(object)})
    noisy = hidden + rng.normal(0, 0.5, n)
    if kind == "number":
        frame["y"] = noisy
    else:
        edges = [0.0] if kind == "boolean" else [-0.5, 0.5]
        frame["y"] = np.array(["p", "q", "r"], dtype=object)[np.digitize(noisy, edges)]
    columns = (Column("a", "number"), Column("b", "category"), Column("y", kind, role="target"))  # type: ignore[arg-type]
    return Dataset(frame, Schema(columns))


def run() -> Run:
    return Run(Seeds(1), Ledger(), Local(1), quick=True)


def judge(kind: str, fake: Dataset | None = None) -> dict[str, Finding]:
    comparison = Comparison(table(400, 0, kind), table(300, 1, kind), fake or table(400, 2, kind))
    return {f.name: f for f in Utility().judge(comparison, run())}


@pytest.mark.parametrize(("kind", "unit"), [("boolean", "auc"), ("category", "auc"), ("number", "r2")])
def test_names_values_and_details(kind: str, unit: str) -> None:
    found = judge(kind)
    tstr, trtr, gap = (found[f"utility.{n}.{unit}"] for n in ("tstr", "trtr", "gap"))
    assert tstr.value == pytest.approx(trtr.value, abs=0.08)
    assert tstr.value > (0.5 if unit == "r2" else 0.75)  # type: ignore[operator]
    assert gap.value == pytest.approx(tstr.value - trtr.value)  # type: ignore[operator]
    assert [x["name"] for x in tstr.detail["learners"]] == list(LEARNERS)
    assert np.mean([x["value"] for x in tstr.detail["learners"]]) == pytest.approx(tstr.value)
    assert tstr.n == 300
    if unit == "auc":
        curve = tstr.detail["roc"]
        assert len(curve["fpr"]) == len(curve["tpr"]) == 101
        assert curve["tpr"] == sorted(curve["tpr"])
        assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(tstr.value, abs=0.02)
    else:
        assert "roc" not in tstr.detail


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_single_class_teaches_nothing(learner: str) -> None:
    data = table(100, 0, "boolean")
    lesson = Lesson(data, np.zeros(100), table(50, 1, "boolean"), data.schema.columns[:2], 2, 0)
    assert not answer(lesson, learner).any()


def test_single_class_release_scores_a_coin_toss() -> None:
    fake = table(400, 2, "boolean")
    found = judge("boolean", Dataset(fake.frame.assign(y="p"), fake.schema))
    assert found["utility.tstr.auc"].value == 0.5
    assert found["utility.gap.auc"].high < -0.2  # type: ignore[operator]


def test_no_target_is_skipped_with_why() -> None:
    data = table(100, 0, "boolean")
    plain = Dataset(
        data.frame, data.schema.with_role("b", "target").with_role("b", "feature").with_role("y", "feature")
    )
    (only,) = Utility().judge(Comparison(plain, plain, plain), run())
    assert (only.name, only.status) == ("utility.gap.auc", "skipped")
    assert "target" in only.why


def test_grades_agree_with_plain_formulas() -> None:
    rng = np.random.default_rng(0)
    comparison = Comparison(*(table(300, s, "category") for s in range(3)))
    task = _task(comparison)
    assert not isinstance(task, str)
    held = _known(comparison.held, task, 1000, run(), "x")
    scores = rng.random((300, 3))
    expected = np.mean([roc_auc_score(held.target == k, scores[:, k]) for k in range(3)])
    assert _grade_classes(task, scores, held, np.ones((300, 1)))[0] == pytest.approx(expected)
    numeric = Comparison(*(table(300, s, "number") for s in range(3)))
    task = _task(numeric)
    assert not isinstance(task, str)
    held = _known(numeric.held, task, 1000, run(), "x")
    guess = held.target + rng.normal(size=300)
    weights = rng.integers(0, 3, (300, 2)).astype(float)
    for j, found in enumerate(_grade_numbers(task, guess, held, weights)):
        assert found == pytest.approx(r2_score(held.target, guess, sample_weight=weights[:, j]))


def test_logistic_regression_agrees_with_another() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(500, 6))
    target = points[:, 0] + rng.logistic(size=500) > 1
    ours = _logistic(np.column_stack([points, np.ones(500)]), target.astype(float))
    theirs = LogisticRegression(C=1, tol=1e-10).fit(points, target)
    assert ours == pytest.approx(np.r_[theirs.coef_[0], theirs.intercept_], abs=1e-5)


def test_separable_classes_do_not_blow_up() -> None:
    points = np.column_stack([np.r_[np.full(50, -1.0), np.full(50, 1.0)], np.ones(100)])
    assert np.isfinite(_logistic(points, (points[:, 0] > 0).astype(float))).all()


def test_ridge_agrees_with_another() -> None:
    data, exam = table(200, 0, "number"), table(50, 1, "number")
    target = data.frame["y"].to_numpy()
    ours = answer(Lesson(data, target, exam, data.schema.columns[:2], 0, 0), "linear model")
    space = Space.fit([data], data.schema.columns[:2])
    theirs = Ridge(alpha=1.0).fit(space(data).astype(float), target).predict(space(exam).astype(float))
    assert ours == pytest.approx(theirs, abs=1e-5)
