"""The simplest attack: whoever lies next to a synthetic row was in the training data."""

from __future__ import annotations

import numpy as np

from semblance.audits.membership.answers import Scored, ring
from semblance.audits.membership.game import Game
from semblance.data.nearest import smallest_distance

WHO = "by looking for the synthetic row nearest to them"
HOW = (
    "score = minus the distance to the nearest synthetic row (ranks of numbers, mismatches of labels), the "
    "nearest of a patient's rows"
)


def attack(game: Game, rate: float) -> Scored:
    """Thresholds come from the two parts that are not judged."""
    near = -smallest_distance(game.points(), game.space(game.fake))
    score = np.full(len(game.member), -np.inf)
    np.maximum.at(score, game.patients, near)
    return ring(score, game.member, game.part, rate)
