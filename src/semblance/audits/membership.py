"""Can an attacker who holds a patient's record tell that the generator was trained on it?

Members are training patients, non-members held-out ones. The holdout is cut in three; each part in turn is what the
attacker knows of the population (reference), what the alarm threshold is set on, and who is judged, so that nobody is
judged by a threshold or a model made with them. These two attacks are a lower bound on what is possible, not an upper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.contracts import Comparison, Run
from semblance.data.boosting import boost
from semblance.data.dataset import Dataset
from semblance.data.encode import Features, Space, comparable
from semblance.data.nearest import smallest_distance
from semblance.evidence import Finding
from semblance.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARTS = 3
RATE = 0.01
FEW = 100
"""Members or non-members below which an area is noise."""

_ATTACKS = {
    "distance": "by looking for the synthetic row nearest to them",
    "density": "by comparing how thick synthetic and real patients lie around them",
}
_HOW = {
    "distance": "score = minus the distance to the nearest synthetic row (ranks of numbers, mismatches of labels), the "
    "nearest of a patient's rows",
    "density": "density-ratio attack (van Breugel et al. 2023): log-odds of a LightGBM classifier of synthetic against "
    "reference rows plus the log ratio of nearest distances, each in standard deviations of the threshold part, mean "
    "over a patient's rows",
}


@dataclass(frozen=True, slots=True)
class Membership:
    """Distance and density-ratio attacks: area under the ROC curve, and hits at 1 % false alarms.

    Attributes:
        members, others: Most training and held-out patients judged.
        rows: Most synthetic rows the attacker uses.
    """

    name: ClassVar[str] = "membership"
    asks: ClassVar[str] = "Can an attacker tell who was in the training data?"

    members: int = 4_000
    others: int = 9_000
    rows: int = 60_000

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        columns = comparable(comparison.train, comparison.fake)
        least = min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows)
        if not columns:
            return tuple(replace(f, status="skipped", why="there are no modelled columns") for f in _blank(0))
        if least < 10 * PARTS:
            why = f"fewer than {10 * PARTS} patients in one of the tables"
            return tuple(replace(f, why=why) for f in _blank(least))
        game = Game.of(comparison, columns, run, self)
        return (*_attack(game, "distance", _distance(game)), *_attack(game, "density", _density(game, run)))


@dataclass(frozen=True)
class Game:
    """Who is judged and what the attacker holds.

    Attributes:
        judged: Rows of members, then of non-members.
        patients: Patient of each judged row, members first: (n_rows,).
        member: Whether each patient is one: (n_patients,).
        part: The third each patient belongs to: (n_patients,).
    """

    columns: tuple[Column, ...]
    space: Space
    judged: tuple[Dataset, Dataset]
    patients: Ints
    member: NDArray[np.bool_]
    part: Ints
    fake: Dataset

    @classmethod
    def of(cls, comparison: Comparison, columns: tuple[Column, ...], run: Run, size: Membership) -> Game:
        seeds = run.seeds.within("audit/membership")
        halve = 2 if run.quick else 1
        chosen = []
        for name, data, most in (
            ("members", comparison.train, size.members // halve),
            ("others", comparison.held, size.others // halve),
        ):
            chosen.append(data.take_subjects(seeds(name).permutation(data.n_subjects)[:most].astype(np.int64)))
        n_members, n_others = chosen[0].n_subjects, chosen[1].n_subjects
        part = np.concatenate([seeds(f"parts/{i}").permutation(n) % PARTS for i, n in enumerate((n_members, n_others))])
        fake_rows = stats.sample_patients(np.arange(comparison.fake.n_rows), size.rows // halve, seeds("fake"))
        return cls(
            columns,
            Space.fit([comparison.train, comparison.held], columns),
            (chosen[0], chosen[1]),
            np.concatenate([chosen[0].subjects, chosen[1].subjects + n_members]),
            np.arange(n_members + n_others) < n_members,
            part.astype(np.int64),
            comparison.fake.take(fake_rows),
        )

    def points(self) -> NDArray[np.float32]:
        """Judged rows in space: (n_rows, width)."""
        return np.vstack([self.space(d) for d in self.judged])


class Scored(NamedTuple):
    """One attack's answers. Scores of different parts are on one scale.

    Attributes:
        score: Of each patient: (n_patients,).
        alarm: Whether the patient is called a member at 1 % false alarms: (n_patients,).
        silent: True when a threshold part was too small for any alarm.
    """

    score: Floats
    alarm: NDArray[np.bool_]
    silent: bool


def _distance(game: Game) -> Scored:
    """Thresholds come from the two parts that are not judged."""
    near = -smallest_distance(game.points(), game.space(game.fake))
    score = np.full(len(game.member), -np.inf)
    np.maximum.at(score, game.patients, near)
    alarm, silent = np.zeros(len(score), dtype=bool), False
    for k in range(PARTS):
        threshold = stats.threshold_at(score[~game.member & (game.part != k)], RATE)
        silent |= math.isinf(threshold)
        alarm[game.part == k] = score[game.part == k] > threshold
    return Scored(score, alarm, silent)


def _density(game: Game, run: Run) -> Scored:
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
        threshold = stats.threshold_at(total[scale], RATE)
        silent |= math.isinf(threshold)
        score[here], alarm[here] = total[here], total[here] > threshold
    return Scored(score, alarm, silent)


def _attack(game: Game, attack: str, scored: Scored) -> tuple[Finding, Finding]:
    members, others = int(game.member.sum()), int((~game.member).sum())
    area, hits = _blank(members + others, attack)
    found = stats.auc_interval(scored.score, game.member)
    few = min(members, others) < FEW
    grid = np.unique(np.minimum(1.0, np.geomspace(min(1.0, 11 / others), 1.0, 31)))
    curve = stats.roc(scored.score, game.member, grid)
    area = replace(
        area,
        value=found.value,
        low=found.low,
        high=found.high,
        status="underpowered" if few else "measured",
        why=f"fewer than {FEW} members or non-members" if few else "",
        method=f"{_HOW[attack]}; {members} members, {others} non-members in three rotating parts; DeLong interval",
        detail={"roc": {"fpr": [float(f"{x:.4g}") for x in grid], "tpr": [round(float(y), 4) for y in curve]}},
    )
    needed = stats.smallest_n(RATE)
    short = scored.silent or others < needed
    rate = float(scored.alarm[game.member].mean())
    tpr = _hit_interval(rate, members, others, scored.score, game.member)
    fpr = stats.clopper_pearson(int(scored.alarm[~game.member].sum()), others)
    hits = replace(
        hits,
        # Where no score could ever ring the alarm, silence is not a measurement.
        value=None if scored.silent else rate,
        low=None if scored.silent else tpr[0],
        high=None if scored.silent else tpr[1],
        status="underpowered" if short else "measured",
        why=f"1 % false alarms need at least {needed} held-out patients to certify" if short else "",
        method=f"{_HOW[attack]}; threshold set on held-out patients other than those judged, at a false-alarm rate "
        "of at most 1 % (conformal order statistic); Clopper–Pearson interval at the effective number "
        "of members, which allows for the luck of the threshold",
        detail={"false_alarm_rate": {"value": float(scored.alarm[~game.member].mean()), "low": fpr[0], "high": fpr[1]}},
    )
    return area, hits


def _hit_interval(
    rate: float, members: int, others: int, score: Floats, member: NDArray[np.bool_]
) -> tuple[float, float]:
    """Clopper–Pearson for fewer members than there were: the threshold was drawn too.

    Had other held-out patients set it, false alarms would scatter around 1 % with a binomial variance, and hits with
    them by the slope of the ROC curve there.
    """
    before, after = stats.roc(score, member, np.array([RATE / 2, 1.5 * RATE]))
    slope = float(after - before) / RATE
    about = (rate * members + 0.5) / (members + 1)
    own = about * (1 - about) / members
    effective = members * own / (own + slope**2 * RATE * (1 - RATE) / others)
    return stats.clopper_pearson(rate * effective, effective)


def _blank(n: int, *attacks: str) -> list[Finding]:
    """The two findings of each attack, not yet measured."""
    found = []
    for attack in attacks or tuple(_ATTACKS):
        who = f"Can an attacker tell who was in the training data {_ATTACKS[attack]}?"
        found += [
            Finding(
                f"membership.{attack}.auc",
                f"{who} 0.5 is a coin toss.",
                n=n,
                unit="AUC",
                direction="lower",
                baseline=0.5,
                status="underpowered",
                why="not enough patients",
            ),
            Finding(
                f"membership.{attack}.tpr_at_fpr_1pct",
                f"{who} Share found at one false alarm in a hundred.",
                n=n,
                unit="share",
                direction="lower",
                baseline=RATE,
                status="underpowered",
                why="not enough patients",
            ),
        ]
    return found
