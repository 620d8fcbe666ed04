"""Can an attacker who holds a patient's record tell that the generator was trained on it?

Members are training patients, non-members held-out ones. Three attackers, each in a file of its own: one looks for the
nearest synthetic row, one compares how thick synthetic and real patients lie, one trains the recipe again and again to
learn what it does to those it learns from. For the first two the holdout is cut in three; each part in turn is what the
attacker knows of the population (reference), what the alarm threshold is set on, and who is judged, so that nobody is
judged by a threshold or a model made with them. What any attack finds is a lower bound on what is possible, not an
upper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from semblance.audits.membership import answers, density, distance, shadow
from semblance.audits.membership.answers import Scored
from semblance.audits.membership.game import PARTS, Game
from semblance.audits.membership.lira import FULL, QUICK, Size
from semblance.contracts import Comparison, Run
from semblance.data.encode import comparable
from semblance.evidence import Finding, Status

RATE = 0.01
_ATTACKS = {"distance": distance.WHO, "density": density.WHO}
_HOW = {"distance": distance.HOW, "density": density.HOW}


@dataclass(frozen=True, slots=True)
class Membership:
    """Distance, density-ratio and shadow-model attacks: area under the ROC curve, and hits at few false alarms.

    Attributes:
        members, others: Most training and held-out patients judged by distance and density.
        rows: Most synthetic rows the attacker uses there.
        shadows: What the shadow-model attack may cost.
    """

    name: ClassVar[str] = "membership"
    asks: ClassVar[str] = "Can an attacker tell who was in the training data?"

    members: int = 4_000
    others: int = 9_000
    rows: int = 60_000
    shadows: Size = FULL

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        columns = comparable(comparison.train, comparison.fake)
        least = min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows)
        if not columns:
            return _nothing(0, status="skipped", why="there are no modelled columns")
        if least < 10 * PARTS:
            why = f"fewer than {10 * PARTS} patients in one of the tables"
            return _nothing(least, status="underpowered", why=why)
        game = Game.of(comparison, columns, run, members=self.members, others=self.others, rows=self.rows)
        size = QUICK if run.quick else self.shadows
        return (
            *_answer(game, "distance", distance.attack(game, RATE)),
            *_answer(game, "density", density.attack(game, run, RATE)),
            *shadow.judge(comparison, columns, run, size),
        )


def _answer(game: Game, attack: str, scored: Scored) -> tuple[Finding, Finding, Finding]:
    area, hits, outliers = _blank(attack)
    how, isolated = _HOW[attack], game.outliers
    return (
        answers.area(area, scored.score, game.member, method=how, parts=True),
        answers.hits(hits, scored, game.member, rate=RATE, method=how),
        answers.area(outliers, scored.score[isolated], game.member[isolated], method=how, parts=True),
    )


def _nothing(n: int, *, status: Status, why: str) -> tuple[Finding, ...]:
    """All findings where nobody can be judged."""
    found = [replace(f, n=n, status=status, why=why) for attack in _ATTACKS for f in _blank(attack)]
    return (*found, *shadow.nothing(n, status=status, why=why))


def _blank(attack: str) -> tuple[Finding, Finding, Finding]:
    """The findings of one attack, not yet measured."""
    who = f"Can an attacker tell who was in the training data {_ATTACKS[attack]}?"
    area = Finding(
        f"membership.{attack}.auc",
        f"{who} 0.5 is a coin toss.",
        unit="AUC",
        direction="lower",
        baseline=0.5,
        status="underpowered",
        why="not enough patients",
    )
    hits = replace(
        area,
        name=f"membership.{attack}.tpr_at_fpr_1pct",
        question=f"{who} Share found at one false alarm in a hundred.",
        unit="share",
        baseline=RATE,
    )
    outliers = replace(
        area,
        name=f"membership.{attack}.outliers.auc",
        question=f"{who} Patients unlike all others; 0.5 is a coin toss.",
    )
    return area, hits, outliers
