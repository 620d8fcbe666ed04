"""What a mechanism does to a table, as far as its privacy goes: a tree that can be written down and added up.

The leaves are mechanisms, the branches say how they are put together. ``accounting.py`` turns a tree into epsilon
and delta. A tree is data: building or reading one touches no patient, costs nothing and runs no code.

The unit is whoever is added or removed, which in this house is a patient: a noise multiplier is the noise's standard
deviation (or scale) over how far one patient can move the answer. The parameters of a tree must not depend on what
the data or earlier noise said; who chooses them as it goes (AIM) charges the `Zcdp` total under which it stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from semblance.errors import Unsupported


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Gaussian noise of standard deviation `noise_multiplier` times the L2 distance one patient can make."""

    noise_multiplier: float

    def __post_init__(self) -> None:
        _positive(self.noise_multiplier, "a noise multiplier")


@dataclass(frozen=True, slots=True)
class DiscreteGaussian:
    """Discrete Gaussian noise (Canonne, Kamath and Steinke 2020) on integer counts.

    A patient changes one count, by at most `sensitivity`; where one can change several counts, charge `Zcdp` instead
    (their Theorem 14: the L2 distance squared, over 2 sigma squared).
    """

    sigma: float
    sensitivity: int = 1

    def __post_init__(self) -> None:
        _positive(self.sigma, "sigma")
        _positive(self.sensitivity, "a sensitivity")


@dataclass(frozen=True, slots=True)
class Laplace:
    """Laplace noise, continuous or discrete, of scale `noise_multiplier` times the L1 distance one patient can make.

    The discrete kind on integer answers is never worse than the continuous one of the same scale.
    """

    noise_multiplier: float

    def __post_init__(self) -> None:
        _positive(self.noise_multiplier, "a noise multiplier")


@dataclass(frozen=True, slots=True)
class Selection:
    """The exponential mechanism with weights exp(epsilon score / (2 sensitivity)).

    It is epsilon-DP, and its privacy loss spans at most epsilon (Dong, Durfee and Rogers 2020), which makes it
    epsilon squared / 8 zero-concentrated DP (Cesar and Rogers 2021).
    """

    epsilon: float

    def __post_init__(self) -> None:
        _positive(self.epsilon, "epsilon")


@dataclass(frozen=True, slots=True)
class Zcdp:
    """Anything that is rho-zero-concentrated DP (Bun and Steinke 2016), such as a filter that stops at rho."""

    rho: float

    def __post_init__(self) -> None:
        _positive(self.rho, "rho")


@dataclass(frozen=True, slots=True)
class Failure:
    """With probability `delta` anything may come out, such as a label of one patient above a noisy threshold."""

    delta: float

    def __post_init__(self) -> None:
        if not 0 <= self.delta < 1:
            raise ValueError("delta must be at least 0 and below 1.")


@dataclass(frozen=True, slots=True)
class Uncharged:
    """A touch of the data without differential privacy: epsilon is infinite."""


@dataclass(frozen=True, slots=True)
class Poisson:
    """`event` on a sample into which each patient comes with probability `rate`, alone and anew."""

    rate: float
    event: Event

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ValueError("a sampling rate must be above 0 and at most 1.")


@dataclass(frozen=True, slots=True)
class Repeated:
    """`event`, `count` times."""

    event: Event
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError("a count must be at least 1.")


@dataclass(frozen=True, slots=True)
class Composed:
    """One after another; what is asked may depend on earlier answers, how noisily may not. Empty costs nothing."""

    events: tuple[Event, ...] = ()


Event = Gaussian | DiscreteGaussian | Laplace | Selection | Zcdp | Failure | Uncharged | Poisson | Repeated | Composed

_NAMES: Mapping[str, type[Event]] = {
    "gaussian": Gaussian,
    "discrete_gaussian": DiscreteGaussian,
    "laplace": Laplace,
    "selection": Selection,
    "zcdp": Zcdp,
    "failure": Failure,
    "uncharged": Uncharged,
    "poisson": Poisson,
    "repeated": Repeated,
    "composed": Composed,
}
_KINDS = {kind: name for name, kind in _NAMES.items()}


def compose(events: Sequence[Event]) -> Event:
    """One tree of several; of a single one, itself."""
    return events[0] if len(events) == 1 else Composed(tuple(events))


def to_json(event: Event) -> dict[str, Any]:
    """The tree as JSON: ``{"event": "repeated", "count": 2, "of": {"event": "gaussian", …}}``."""
    facts: dict[str, Any] = {"event": _KINDS[type(event)]}
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name == "events":
            facts["of"] = [to_json(inner) for inner in value]
        elif field.name == "event":
            facts["of"] = to_json(value)
        else:
            facts[field.name] = value
    return facts


def from_json(facts: Any) -> Event:
    """The tree that `to_json` wrote.

    Raises:
        Unsupported: an event of another name, or with other parameters: what is not known cannot be added up.
    """
    if not isinstance(facts, Mapping) or facts.get("event") not in _NAMES:
        raise Unsupported("this version does not know one of the ledger's events; read it with a newer version.")
    name = str(facts["event"])
    given = {key: value for key, value in facts.items() if key not in ("event", "of")}
    if name == "composed":
        given["events"] = tuple(from_json(inner) for inner in facts.get("of", ()))
    elif name in ("poisson", "repeated"):
        given["event"] = from_json(facts.get("of"))
    try:
        return _NAMES[name](**given)
    except (TypeError, ValueError) as error:
        raise Unsupported(f"an event {name!r} of the ledger has parameters that this version does not know.") from error


def describe(event: Event) -> str:
    """The tree in words, for a person: "2 x (Gaussian noise, multiplier 3.1)"."""
    match event:
        case Gaussian(noise_multiplier=noise):
            return f"Gaussian noise, multiplier {noise:.4g}"
        case DiscreteGaussian(sigma=sigma, sensitivity=move):
            return f"discrete Gaussian noise, sigma {sigma:.4g}, sensitivity {move}"
        case Laplace(noise_multiplier=noise):
            return f"Laplace noise, multiplier {noise:.4g}"
        case Selection(epsilon=epsilon):
            return f"exponential mechanism, epsilon {epsilon:.4g}"
        case Zcdp(rho=rho):
            return f"{rho:.4g}-zCDP"
        case Failure(delta=delta):
            return f"failure with probability {delta:.3g}"
        case Uncharged():
            return "no differential privacy"
        case Poisson(rate=rate, event=inner):
            return f"Poisson sample of {rate:.4g} of the patients ({describe(inner)})"
        case Repeated(event=inner, count=count):
            return f"{count} x ({describe(inner)})"
        case Composed(events=events):
            return ", then ".join(describe(inner) for inner in events) or "nothing"


def _positive(value: float, name: str) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be above 0 and finite.")
