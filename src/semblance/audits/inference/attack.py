"""One secret under attack: several attackers, the best of them chosen on some patients and measured on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

CHOOSING = 0.25
"""Share of the patients attacked, on either side, on whom the strongest attacker is chosen; they count no further."""


@dataclass(frozen=True)
class Arena:
    """Who is attacked, with what.

    Attributes:
        known: Columns that the attacker knows of a patient, by a name for that knowledge.
        fake: Synthetic rows to look up. lesson: Those to learn from.
        choosing: Patients on whom attackers are compared, members first: (n_members + n_others,).
    """

    targets: Targets
    known: Mapping[str, tuple[Column, ...]]
    fake: Dataset
    lesson: Dataset
    choosing: Mask
    trees: int = TREES

    @property
    def exam(self) -> tuple[Dataset, Dataset]:
        return self.targets.members, self.targets.others


@dataclass(frozen=True)
class Attacked:
    """What came of the attacks on one secret. Masks run over the patients attacked, members first.

    Attributes:
        hits: Whom each attacker guessed right, by the attacker's name.
        chosen: The attacker with the largest difference among those on whom attackers are compared.
        naive: Whom a learner guessed right that saw held-out patients and no synthetic row; never the patient himself.
        constant: Whom the best single guess for all held-out patients hits.
    """

    secret: Secret
    hits: Mapping[str, Mask]
    chosen: str
    naive: Mask
    constant: Mask

    @property
    def best(self) -> Mask:
        return self.hits[self.chosen]


def knowledge(columns: Sequence[Column]) -> dict[str, tuple[Column, ...]]:
    """What an attacker may know: what strangers know of a person; and, far more than most do, all but the secret."""
    strangers = tuple(c for c in columns if c.role == "quasi-identifier")
    return {"the quasi-identifiers": strangers, "all other columns": tuple(columns)}


def attack(arena: Arena, secret: Secret, seeds: Seeds) -> Attacked:
    """Let every attacker guess `secret` of every patient."""
    truth = np.concatenate([secret.values(e) for e in arena.exam])
    hits: dict[str, Mask] = {}
    knows: dict[str, tuple[Column, ...]] = {}
    for what, columns in arena.known.items():
        known = tuple(c for c in columns if c.name != secret.name)
        if not known or known in knows.values():
            continue
        space = Space.fit(arena.exam, known)
        guesses = {
            f"a learner that knows {what}": learned(
                secret, known, arena.lesson, arena.exam, seeds.integer(f"{secret.name}/{what}"), trees=arena.trees
            ),
            f"the nearest synthetic row by {what}": copied(secret, known, arena.fake, arena.exam, space),
        }
        for name, guess in guesses.items():
            hits[name], knows[name] = secret.right(guess, truth), known
    if not hits:
        hits["one guess for everybody"] = secret.right(constant(secret, arena.lesson, arena.exam), truth)
        knows["one guess for everybody"] = ()
    member, here = arena.targets.member, arena.choosing
    gain = {name: _rate(h, here & member) - _rate(h, here & ~member) for name, h in hits.items()}
    chosen = max(gain, key=lambda name: gain[name])
    naive = secret.right(_without(arena, secret, knows[chosen], seeds), truth)
    same = secret.right(constant(secret, arena.targets.others, arena.exam), truth)
    return Attacked(secret, hits, chosen, naive, same)


def _rate(hits: Mask, who: Mask) -> float:
    return float(hits[who].mean()) if who.any() else 0.0


def _without(arena: Arena, secret: Secret, known: tuple[Column, ...], seeds: Seeds) -> NDArray[np.object_]:
    """Guesses by learners that saw one half of the held-out patients each, and answer for the other half.

    Training patients are shared out between the two, so that every patient is judged by a learner of the same size.
    """
    members, others = arena.exam
    half = seeds(f"{secret.name}/halves").permutation(others.n_rows) % 2
    turn = np.concatenate([np.arange(members.n_rows) % 2, half])
    guesses = np.full(len(turn), None, dtype=object)
    for side in (0, 1):
        lesson = others.take(half != side)
        seed = seeds.integer(f"{secret.name}/without/{side}")
        guesses[turn == side] = learned(secret, known, lesson, arena.exam, seed, trees=arena.trees)[turn == side]
    return guesses.astype(np.float64) if secret.column.numeric else guesses
