"""Our nearest-row guess against anonymeter's inference attack, on the same tables (tests/fixtures/anonymeter/make.py).

Where it is right, we agree within sampling error. Where it counts hits by a distance relative to the guess, so that a
negative guess is always right, we do not.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.audits.inference.guess import copied
from semblance.audits.inference.secrets import Secret
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.schema import Column, Schema

FIXTURE = Path(__file__).parents[1] / "fixtures" / "anonymeter"
HEIGHT = Column("height", "number")
KNOWN = (
    Column("weight", "number"),
    Column("lactate", "number"),
    Column("stay", "number"),
    Column("sex", "category"),
    Column("ward", "category"),
)
SECRET = Secret(HEIGHT, 8.5, "")
"""A twentieth of a height of 170: what anonymeter allows a guess of 170 to be off."""


@cache
def theirs() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURE / "results.json").read_text(encoding="utf-8"))["faults"]["inference"]
    return found


def ours(leak: float, *, move: float = 0.0) -> tuple[float, float]:
    """Share of heights guessed right by the nearest synthetic row, of training and of held-out patients."""
    everyone = pd.read_csv(FIXTURE / "patients.csv.gz")
    everyone["height"] += move
    schema = Schema((HEIGHT, *KNOWN))
    parts = {p: everyone.loc[everyone["part"] == p, list(schema.names)] for p in ("train", "held", "fresh")}
    copies = round(leak * len(parts["train"]))
    parts["fake"] = pd.concat([parts["train"][:copies], parts["fresh"][copies:]])
    train, held, fake = (Dataset(parts[p].reset_index(drop=True), schema) for p in ("train", "held", "fake"))
    guess, _ = copied(SECRET, KNOWN, fake, (train, held), Space.fit([train, held], KNOWN))
    right = SECRET.right(guess, np.concatenate([SECRET.values(t) for t in (train, held)]))
    return float(right[: train.n_rows].mean()), float(right[train.n_rows :].mean())


@pytest.mark.parametrize("leak", [0.0, 0.5])
def test_rates_agree_where_anonymeter_is_right(leak: float) -> None:
    counts = theirs()[f"sane, leak {leak:g}"]
    n = counts["attacks"]
    for our_rate, hits in zip(ours(leak), (counts["success"], counts["control"]), strict=True):
        pooled = (our_rate + hits / n) / 2
        error = np.sqrt(2 * pooled * (1 - pooled) / n)  # the same patients: if anything, too generous
        assert our_rate == pytest.approx(hits / n, abs=2.58 * error)
    members, others = ours(leak)
    # Of the copied half, those whom strangers' rows would not have given away.
    assert members - others == pytest.approx(leak * (1 - others), abs=0.05)


@pytest.mark.parametrize("leak", [0.0, 0.5])
def test_below_zero_anonymeter_counts_every_guess_and_we_count_the_same_as_above(leak: float) -> None:
    counts = theirs()[f"negative, leak {leak:g}"]
    assert counts["success"] == counts["control"] == counts["attacks"]
    assert ours(leak, move=-1_000.0) == pytest.approx(ours(leak))


def test_single_guesses() -> None:
    case = theirs()["guesses"]
    assert case["hit"] == [True, False, True, True, True, False]
    right = Secret(HEIGHT, 5.0, "").right(np.array(case["guess"]), np.array(case["secret"]))
    assert right.tolist() == [True, False, False, False, True, True]
