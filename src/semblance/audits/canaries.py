"""Does the promise of differential privacy hold when made-up patients try it?

A promise holds for every table, or it is none. So the recipe learns once more, with the ε, δ and settings that were
promised, from tables of canaries that are as hard on it as can be (``attacks/canaries.py``); coins decide which of them
are in. How well the coins can be guessed from what comes out bounds ε from below (``attacks/one_run.py``). No real
patient is touched, so this costs no budget and may be published.

A bound above the promise refutes it. One below proves little: so many canaries can prove so much at best, which stands
beside it, and a table says less than the noisy answers it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from semblance.attacks.canaries import Canaries
from semblance.attacks.one_run import Guesses, Plan, best_lower_bound, provable
from semblance.contracts import Comparison, Forge, Run
from semblance.errors import FitError, InputError, Unsupported
from semblance.evidence import Finding
from semblance.privacy.ledger import Allowance

CONFIDENCE = 0.95
EVEN, ONLY_IN = (0.05, 0.2, 0.9), (0.05, 0.08)
"""Numbers of guesses that are tried, as shares of the canaries, fixed before anything is seen: of those most likely in
and most likely out; and only of the first, for a table in which some canaries show and the others leave no trace."""
ROWS = 8
"""Rows of a canary over those that the promise lets count."""
SEEN = 40
"""Synthetic rows drawn for each canary: so many that drawing adds little noise of its own."""


@dataclass(frozen=True, slots=True)
class CanaryAudit:
    """The largest ε that guesses refute, beside the promise; and whether noise comes again with the seed.

    Attributes:
        count: Canaries in each of the two tables. few: In a quick run, and for the question of the seed.
    """

    name: ClassVar[str] = "canaries"
    asks: ClassVar[str] = "Does the promise of differential privacy hold when made-up patients try it?"

    count: int = 1000
    few: int = 300

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        """PRIVACY: learns from made-up patients only; costs nothing."""
        allowed, forge = run.ledger.allowance, comparison.forge
        if allowed is None:
            return _nothing("no formal guarantee is promised, so there is none to try")
        if forge is None:
            return _nothing("the table was made elsewhere, so there is no recipe to try")
        if allowed.relation != "add_or_remove":
            return _nothing("the promise is about patients who are replaced, and canaries are put in or left out")
        own = replace(run, seeds=run.seeds.within("audits/canaries"))
        count = self.few if run.quick else self.count
        tries = [t for kind in ("pairs", "names") if (t := _tried(kind, count, allowed, forge, own)) is not None]
        if not tries:
            return _nothing("the recipe cannot learn the tables that would try it")
        return (*_bounds(tries, allowed), _repeats(self.few, allowed, forge, own))


class Try(NamedTuple):
    """What guesses in one table proved, and could have proved."""

    kind: str
    bound: float
    provable: float
    guesses: Guesses


def _tried(kind: str, count: int, allowed: Allowance, forge: Forge, run: Run) -> Try | None:
    """Guess the coins of one table; None where the recipe refuses to learn from such a one."""
    canaries = _canaries(kind, count, allowed, run)
    try:
        seen = forge(canaries.trained_on, SEEN * count, replace(run, seeds=run.seeds.within(kind)))
    except (FitError, InputError, Unsupported):
        return None
    plans = [Plan.even(round(share * count)) for share in EVEN] + [Plan(round(share * count), 0) for share in ONLY_IN]
    half = 1 - (1 - CONFIDENCE) / 2  # two tables are tried
    bound, guesses = best_lower_bound(canaries.suspicion(seen), canaries.inside, plans, allowed.delta, confidence=half)
    strict = 1 - (1 - half) / len(plans)
    most = max(provable(count, allowed.delta, guessed=sum(plan), confidence=strict) for plan in plans)
    return Try(kind, bound, most, guesses)


def _canaries(kind: str, count: int, allowed: Allowance, run: Run) -> Canaries:
    rng = run.seeds(f"canaries/{kind}")
    rows = ROWS + (allowed.cap or 1)
    return (Canaries.pairs if kind == "pairs" else Canaries.names)(count, rng, rows_each=rows)


def _bounds(tries: list[Try], allowed: Allowance) -> tuple[Finding, Finding]:
    best = max(tries, key=lambda t: t.bound)
    most = max(t.provable for t in tries)
    method = (
        f"{best.guesses.canaries} made-up patients in each of {len(tries)} tables, put in by fair coins; the recipe "
        "learned once from each; the largest ε that guesses of the coins refute with 95 % confidence (Steinke, Nasr "
        "and Jagielski 2023); the interval ends at the most that as many canaries could have proved"
    )
    detail: dict[str, Any] = {
        "claim": {"epsilon": allowed.epsilon, "delta": allowed.delta},
        "provable": most,
        "tables": [
            {"kind": t.kind, "bound": t.bound, "provable": t.provable, "canaries": t.guesses.canaries,
             "guessed": t.guesses.guessed, "right": t.guesses.right}
            for t in tries
        ],
    }  # fmt: skip
    epsilon, excess, _ = _blank()
    why = "" if most > allowed.epsilon else "as many canaries could not refute so large an ε, whatever came out"
    common: dict[str, Any] = {"status": "measured", "why": why, "n": best.guesses.canaries, "method": method}
    beyond = best.bound - allowed.epsilon
    return (
        replace(
            epsilon, value=best.bound, low=best.bound, high=most, baseline=allowed.epsilon, detail=detail, **common
        ),
        replace(excess, value=beyond, low=beyond, high=most - allowed.epsilon, **common),
    )


def _repeats(count: int, allowed: Allowance, forge: Forge, run: Run) -> Finding:
    """Learn twice with the same seeds: only noise may tell the two tables apart, and it must."""
    canaries = _canaries("pairs", count, allowed, run)
    blank = _blank()[2]
    try:
        first, second = (forge(canaries.trained_on, SEEN * count, run).frame for _ in range(2))
    except (FitError, InputError, Unsupported):
        return replace(blank, status="skipped", why="the recipe cannot learn the tables that would try it")
    again = float(first.equals(second))
    method = (
        "the recipe learned twice from the same made-up patients with the same seeds; 1 where both tables are alike"
    )
    return replace(blank, value=again, low=again, high=again, n=count, method=method, status="measured", why="")


def _blank() -> tuple[Finding, Finding, Finding]:
    epsilon = Finding(
        "canaries.epsilon",
        "What is the largest ε that made-up patients refute?",
        unit="ε",
        direction="lower",
        status="skipped",
        why="not asked",
    )
    return (
        epsilon,
        replace(
            epsilon,
            name="canaries.excess",
            question="Do made-up patients refute the ε that was promised?",
            baseline=0.0,
        ),
        replace(
            epsilon,
            name="canaries.repeats",
            question="Does the noise come again with the seed, so that whoever knows it can subtract it?",
            unit="",
            baseline=0.0,
        ),
    )


def _nothing(why: str) -> tuple[Finding, ...]:
    return tuple(replace(f, why=why) for f in _blank())
