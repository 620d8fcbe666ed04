"""The density-ratio attack: where synthetic patients crowd and real ones do not, somebody was remembered."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.audits.membership.answers import Scored
from semblance.audits.membership.game import PARTS, Game
from semblance.contracts import Run
from semblance.data.boosting import boost
from semblance.data.encode import Features
from semblance.data.nearest import smallest_distance

Floats = NDArray[np.float64]

WHO = "by comparing how thick synthetic and real patients lie around them"
HOW = (
    "density-ratio attack (van Breugel et al. 2023): log-odds of a LightGBM classifier of synthetic against "
    "reference rows plus the log ratio of nearest distances, each in standard deviations of the threshold part, mean "
    "over a patient's rows"
)


def attack(game: Game, run: Run, rate: float) -> Scored:
    """Part k is judged, k + 1 sets scale and threshold, k + 2 is the reference."""
    points, fake = game.points(), game.space(game.fake)
    to_fake = smallest_distance(points, fake)
    features = Features.fit([*game.judged, game.fake], game.columns)
    rows, made = np.vstack([features(d) for d in game.judged]), features(game.fake)
    most = run.seeds("audit/membership/learn").permutation(len(made))[:20_000]

    def judge(k: int) -> tuple[NDArray[np.bool_], Floats]:
        reference = ~game.member[game.patients] & (game.part[game.patients] == (k + 2) % PARTS)
        table = np.vstack([made[most], rows[reference]])
        side = np.arange(len(table)) < len(most)
        balance = np.where(side, 1.0, len(most) / max(1, int(reference.sum())))
        model = boost(
            table,
            side.astype(np.float64),
            categorical=features.categorical,
            seed=run.seeds.integer(f"audit/membership/density/{k}"),
            leaves=63,
            smallest_leaf=5,
            weight=balance,
        )
        judged = game.part[game.patients] != (k + 2) % PARTS
        odds = np.zeros(len(rows))
        odds[judged] = model.predict(rows[judged], raw_score=True, num_threads=1)
        to_reference = np.zeros(len(rows))
        to_reference[judged] = smallest_distance(points[judged], points[reference])
        ratio = np.log(to_reference + 1e-3) - np.log(to_fake + 1e-3)
        counts = np.bincount(game.patients, minlength=len(game.member))
        scale = ~game.member & (game.part == (k + 1) % PARTS)
        total = np.zeros(len(game.member))
        for rowwise in (odds, ratio):
            mean = np.bincount(game.patients, weights=rowwise, minlength=len(game.member)) / counts
            total += (mean - mean[scale].mean()) / max(float(mean[scale].std()), 1e-9)
        return scale, total

    score, alarm, silent = np.zeros(len(game.member)), np.zeros(len(game.member), dtype=bool), False
    for k, (scale, total) in enumerate(run.engine.map(judge, range(PARTS))):
        here = game.part == k
        threshold = stats.threshold_at(total[scale], rate)
        silent |= math.isinf(threshold)
        score[here], alarm[here] = total[here], total[here] > threshold
    return Scored(score, alarm, silent)
