"""Records of planted points: curves whose answer is known, without a patient."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from semblance.evidence import Finding, canonical_json
from semblance.frontier.points import STRONGEST, Point
from semblance.frontier.record import build
from semblance.release.gate import Policy

BETAS = (0.1, 0.3, 1.0, 3.0, 10.0)


def planted_point(value: float, fit: int, *, shift: float = 0.0) -> Point:
    """More beta: safer, less useful, and a lower rate. Luck of the fits is small and known."""
    rng = np.random.default_rng([fit, int(10 * value)])
    safe = float(np.log10(value)) / 2 + 0.5  # 0 at .1, 1 at 10
    luck = float(rng.normal(0, 0.004))

    def finding(name: str, x: float, half: float, direction: Any, baseline: float | None = None) -> Finding:
        return Finding(
            name,
            "?",
            x + luck,
            x + luck - half,
            x + luck + half,
            n=500,
            direction=direction,
            baseline=baseline,
            unit="AUC",
        )

    membership = 0.66 - 0.14 * safe + shift
    return Point(
        value,
        fit,
        (
            finding("utility.tstr.auc", 0.90 - 0.10 * safe, 0.012, "higher", 0.93),
            finding("fidelity.c2st.auc", 0.62 + 0.2 * safe**2, 0.02, "lower"),
            finding("fidelity.pair.score", 0.95 - 0.03 * safe, 0.004, "higher"),
            finding("copies.nearest.share", 0.52 - 0.02 * safe, 0.03, "lower"),
            finding("membership.distance.auc", membership - 0.02, 0.015, "lower"),
            finding("membership.density.auc", membership, 0.015, "lower", 0.5),
            finding(STRONGEST, membership, 0.015, "lower", 0.5),
            finding("inference.worst.advantage", 0.06 - 0.05 * safe, 0.02, "lower", 0.0),
        ),
        {"rate_nats": 30.0 - 25 * safe + luck, "distortion_nats": 20.0 + 22 * safe**2 + luck, "looked_up_columns": 3.0},
    )


Planted = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def planted() -> Planted:
    """A record as read back from its file: ``planted(shift=…, values=…, fits=…, more=…, head=…)``."""

    def make(
        *,
        shift: float = 0.0,
        values: Sequence[float] = BETAS,
        fits: int = 2,
        more: Sequence[Point] = (),
        **head: Any,
    ) -> dict[str, Any]:
        points = [*(planted_point(v, i, shift=shift) for v in values for i in range(fits)), *more]
        known = {
            "knob": "beta",
            "generator": {"name": "vae", "parameters": {"beta": 1.0, "epochs": 100}},
            "settings": {"epochs": 100},
            "values": sorted({p.value for p in points}),
            "fits": fits,
            "shadows": False,
            "split": {"train_patients": 4463, "train_rows": 4463, "validation_patients": 1911,
                      "holdout_patients": 2731, "holdout_opened_for": [], "sha256": "ab"},
            "source": {"fingerprint": "cd", "attribution": ""},
            "provenance": {"seed": 3, "quick": False},
            "ledger": {},
            "target": "died",
            "subject": None,
            "edited": False,
        }  # fmt: skip
        facts = {"target": "died", "recipe": "vae"}
        return json.loads(canonical_json(build(points, policy=Policy.load(), facts=facts, head=known | head)))

    return make
