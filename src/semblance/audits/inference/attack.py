"""One secret under attack, by several attackers: what each guessed right, of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.attacks.targets import Targets
from semblance.audits.inference.guess import TREES, constant, copied, learned
from semblance.audits.inference.secrets import Secret
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.schema import Column
from semblance.seeds import Seeds

Mask = NDArray[np.bool_]

CLOSE = 0.05
"""Share of the patients attacked, those nearest to a synthetic row, for whom that row is unusually near."""


@dataclass(frozen=True)
class Arena:
    """Who is attacked, with what.

    Attributes:
        known: Columns that the attacker knows of a patient, by a name for that knowledge.
        fake: Synthetic rows to look up. lesson: Those to learn from.
    """

    targets: Targets
    known: Mapping[str, tuple[Column, ...]]
    fake: Dataset
    lesson: Dataset
    trees: int = TREES

    @property
    def exam(self) -> tuple[Dataset, Dataset]:
        return self.targets.members, self.targets.others


@dataclass(frozen=True)
class Attacked:
    """What came of the attacks on one secret. Masks run over the patients attacked, members first.

    Attributes:
        hits: Whom each attacker guessed right, by the attacker's name.
        naive: By the same names, whom a learner guessed right that knows the same columns and saw held-out patients,
            never the patient himself, and no synthetic row. Of what was only looked up, the same as `constant`.
        constant: Whom the best single guess for all held-out patients hits.
    """

    secret: Secret
    hits: Mapping[str, Mask]
    naive: Mapping[str, Mask]
    constant: Mask


def knowledge(columns: Sequence[Column]) -> dict[str, tuple[Column, ...]]:
    """What an attacker may know: what strangers know of a person; and, far more than most do, all but the secret."""
    strangers = tuple(c for c in columns if c.role == "quasi-identifier")
    return {"the quasi-identifiers": strangers, "all other columns": tuple(columns)}


def attack(arena: Arena, secret: Secret, seeds: Seeds) -> Attacked:
    """Let every attacker guess `secret` of every patient.

    Three for each knowledge: one who learns from the synthetic table; one who looks up the nearest row, which is what
    copies fear; and one who learns, but believes the nearest row where it is unusually near, which shows a few copies
    among many honest rows. The last must answer elsewhere too: were his silence a miss, a common secret would count
    nearness itself as a guess.
    """
    truth = np.concatenate([secret.values(e) for e in arena.exam])
    hits: dict[str, Mask] = {}
    naive: dict[str, Mask] = {}
    seen: list[tuple[Column, ...]] = []
    for what, columns in arena.known.items():
        known = tuple(c for c in columns if c.name != secret.name)
        if not known or known in seen:
            continue
        seen.append(known)
        seed = seeds.integer(f"{secret.name}/{what}")
        guess = learned(secret, known, arena.lesson, arena.exam, seed, trees=arena.trees)
        found, distance = copied(secret, known, arena.fake, arena.exam, Space.fit(arena.exam, known))
        by_learning, by_looking = secret.right(guess, truth), secret.right(found, truth)
        near = distance <= np.quantile(distance, CLOSE)
        mine = {
            f"a learner that knows {what}": by_learning,
            f"the nearest synthetic row by {what}": by_looking,
            f"the nearest synthetic row by {what} where it is unusually near, a learner elsewhere": np.where(
                near, by_looking, by_learning
            ),
        }
        hits |= mine
        naive |= dict.fromkeys(mine, secret.right(_without(arena, secret, known, seeds.within(what)), truth))
    same = secret.right(constant(secret, arena.targets.others, arena.exam), truth)
    return Attacked(secret, hits, naive, same)


def look_up(arena: Arena, secret: Secret) -> Attacked:
    """Let one attacker guess: who knows the quasi-identifiers and looks up the nearest synthetic row.

    Cheap enough for the columns that are too many to be attacked in every way: one that was tied to whose row it was
    would otherwise leak unasked.
    """
    what = "the quasi-identifiers"
    known = tuple(c for c in arena.known[what] if c.name != secret.name)
    truth = np.concatenate([secret.values(e) for e in arena.exam])
    found, _ = copied(secret, known, arena.fake, arena.exam, Space.fit(arena.exam, known))
    name = f"the nearest synthetic row by {what}"
    same = secret.right(constant(secret, arena.targets.others, arena.exam), truth)
    return Attacked(secret, {name: secret.right(found, truth)}, {name: same}, same)


def _without(arena: Arena, secret: Secret, known: tuple[Column, ...], seeds: Seeds) -> NDArray[Any]:
    """Guesses by learners that saw one half of the held-out patients each, and answer for the other half.

    Training patients are shared out between the two, so that every patient is judged by a learner of the same size.
    """
    members, others = arena.exam
    first = np.arange(members.n_rows) % 2
    half = seeds(f"{secret.name}/halves").permutation(others.n_rows) % 2
    turn = np.concatenate([first, half])
    guesses = np.full(len(turn), np.nan, dtype=np.float64 if secret.column.numeric else object)
    for side in (0, 1):
        exam = members.take(first == side), others.take(half == side)
        seed = seeds.integer(f"{secret.name}/without/{side}")
        guesses[turn == side] = learned(secret, known, others.take(half != side), exam, seed, trees=arena.trees)
    return guesses
