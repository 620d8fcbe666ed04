"""What the shadow-model attack found: of all patients, at few false alarms, of isolated ones, of the worst group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.audits.membership import answers, controls, marginal, worst
from semblance.audits.membership.lira import Attack, Size, prepare
from semblance.audits.membership.traces import NAMES
from semblance.contracts import Comparison, Repeatable, Run
from semblance.errors import SemblanceError
from semblance.evidence import Finding, Status
from semblance.schema import Column

Floats = NDArray[np.float64]

RATES = {"tpr_at_fpr_10pct": 0.1, "tpr_at_fpr_1pct": 0.01, "tpr_at_fpr_01pct": 0.001}
WHO = "by training shadow models, which show what learning from a patient does to the synthetic table"


def judge(comparison: Comparison, columns: tuple[Column, ...], run: Run, size: Size) -> tuple[Finding, ...]:
    """Findings of the shadow attack, and how large a leak it would have seen."""
    if comparison.forge is None:
        return _skipped("the table was made elsewhere, so there is no recipe to train shadow models with")
    try:
        attack = prepare(comparison, comparison.forge, columns, run, size)
    except SemblanceError:
        return _skipped("the recipe could not learn from half of the patients")
    score = attack.scores(comparison)
    floor = marginal.floor(comparison, columns, run, size)
    return (*_answer(attack, score, comparison, floor), controls.leak(attack, score, comparison, run))


def _answer(attack: Attack, score: Floats, comparison: Comparison, floor: stats.Estimate) -> tuple[Finding, ...]:
    member = attack.targets.member
    blank, how = {f.name.removeprefix("membership.shadow."): f for f in _blank()}, _method(attack, comparison)
    single = f"; on a table that knows single columns only, the same attack reaches {floor.value:.3f}"
    found = answers.area(blank["auc"], score, member, method=how + single)
    known = {"single_columns": floor.value, "single_columns_low": floor.low, "single_columns_high": floor.high}
    found = replace(found, detail={**found.detail, **_detail(attack), **known})
    rates = []
    for name, rate in RATES.items():
        hit = answers.hits(blank[name], answers.ring(score, member, attack.part, rate), member, rate=rate, method=how)
        if hit.status != "measured":  # a rate that cannot be certified is not stated either
            hit = replace(hit, value=None, low=None, high=None, detail={})
        rates.append(hit)
    isolated = attack.targets.outliers
    outliers = answers.area(blank["outliers.auc"], score[isolated], member[isolated], method=how)
    return found, *rates, outliers, worst.group(blank["groups.auc"], score, attack.targets, method=how)


def _method(attack: Attack, comparison: Comparison) -> str:
    models, learned = len(attack.shadows.traces), attack.shadows.learned
    told = " that are told what the judged model had searched for" * isinstance(comparison.recipe, Repeatable)
    return (
        f"likelihood ratio of Carlini et al. (2022) from {models} shadow models of the same recipe{told}, each learned "
        f"from {learned} patients (the judged model: {comparison.train.n_subjects}), half of training and held-out "
        "patients pooled; normal distributions of three traces of a patient in the synthetic table (nearest row, rows "
        "that share two or three of its values), spread pooled over targets, shift shrunk towards that of all"
    )


def _detail(attack: Attack) -> Mapping[str, Any]:
    """The naive attack knows the shadow models and no synthetic table: who is always well remembered."""
    naive = stats.auc_interval(attack.odds.blind(), attack.targets.member)
    return {
        "naive": naive.value,
        "naive_low": naive.low,
        "naive_high": naive.high,
        "shadows": len(attack.shadows.traces),
        "shift": {name: round(float(x), 3) for name, x in zip(NAMES, attack.odds.strength, strict=True)},
        "queries": attack.targets.others.n_rows,
    }


def _skipped(why: str) -> tuple[Finding, ...]:
    blank = (*_blank(), controls.blank())
    return tuple(replace(f, status="skipped", why=why) for f in blank)


def nothing(n: int, *, status: Status, why: str) -> tuple[Finding, ...]:
    """The findings where nobody can be attacked."""
    return tuple(replace(f, n=n, status=status, why=why) for f in (*_blank(), controls.blank()))


def _blank() -> tuple[Finding, ...]:
    """The findings of the attack, not yet measured."""
    who = f"Can an attacker tell who was in the training data {WHO}?"
    areas = {
        "auc": f"{who} 0.5 is a coin toss.",
        "outliers.auc": f"{who} Patients unlike all others; 0.5 is a coin toss.",
        "groups.auc": f"{who} The group that is told best; 0.5 is a coin toss.",
    }
    often = {
        "tpr_at_fpr_10pct": "one false alarm in ten",
        "tpr_at_fpr_1pct": "one false alarm in a hundred",
        "tpr_at_fpr_01pct": "one false alarm in a thousand",
    }
    made = {
        name: Finding(f"membership.shadow.{name}", question, unit="AUC", direction="lower", baseline=0.5, **_EMPTY)
        for name, question in areas.items()
    } | {
        name: Finding(
            f"membership.shadow.{name}",
            f"{who} Share found at {often[name]}.",
            unit="share",
            direction="lower",
            baseline=rate,
            **_EMPTY,
        )
        for name, rate in RATES.items()
    }
    return tuple(made[name] for name in ("auc", *RATES, "outliers.auc", "groups.auc"))


_EMPTY: dict[str, Any] = {"status": "underpowered", "why": "not enough patients"}
