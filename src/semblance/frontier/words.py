"""What the page of a frontier says, in whole sentences. English is the key; see ``report/language.py``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from semblance.frontier.points import EPSILON, ROWS, STRONGEST
from semblance.release.policy import BUNDLED
from semblance.report.draw import number
from semblance.report.language import Language
from semblance.report.titles import title_of

RATE, DISTORTION = "rate_nats", "distortion_nats"

TITLES = {
    STRONGEST: "Guessing membership, the strongest attack",
    RATE: "Rate: what the code knows of a patient, on average (nats)",
    DISTORTION: "Distortion: what it does not know of a row (nats)",
    "prior_mismatch": "Codes told from the prior (0: not at all, 1: always)",
    "prior_mismatch_repaired": "Codes told from the second stage (0: not at all, 1: always)",
    "prior_repair_nats": "Gained by the second stage (nats)",
    "mode_coverage": "Kinds of patients that are made, of those that real rows show",
    "modes": "Kinds of patients looked for",
    "critic_gap": "What the critic still tells apart",
    "steps": "Training steps",
    "looked_up_columns": "Columns that are looked up",
}


def title(name: str, say: Language) -> str:
    """A finding or a fact in plain words; an unknown fact by its own name."""
    if name in TITLES:
        return say(TITLES[name])
    return title_of(name, say) if "." in name else name.replace("_", " ")


def notes(record: Mapping[str, Any], say: Language) -> list[tuple[str, str]]:
    """What models say of how they were learned, each once, with the values of the knob at which they say so."""
    found: dict[str, list[float]] = {}
    for point in record["points"]:
        for note in point["notes"]:
            found.setdefault(note, []).append(point["value"])
    return [(say(note), say.listed(*(number(v) for v in dict.fromkeys(values)))) for note, values in found.items()]


def headline(record: Mapping[str, Any], say: Language) -> str:
    """The answer in one sentence."""
    slots = {"name": record["knob"], "name_2": record["choice"]["policy"]["name"]}
    chosen = record["choice"]["chosen"]
    if chosen is None:
        return say("At none of these values of “{name}” are the limits of the policy “{name_2}” met.", **slots)
    return say("Of these values of “{name}”, the policy “{name_2}” would choose {x}.", **slots, x=number(chosen))


def how_chosen(record: Mapping[str, Any], say: Language) -> str:
    """Which values met the limits, and why it is this one of them."""
    choice = record["choice"]
    good = [v["value"] for v in choice["values"] if v["met"]]
    asked = len(choice["values"][0]["rules"]) if choice["values"] else 0
    counted = say(
        "A sweep asks {n} of the policy's {a} rules; {m} of {k} values meet them all.",
        n=asked,
        a=asked + len(choice["not_asked"]),
        m=len(good),
        k=len(choice["values"]),
    )
    if choice["chosen"] is None:
        return say.join(counted, say("No point is a better answer than one that nobody should release."))
    if not choice["useful"]:
        return say.join(
            counted, say("How useful they are was not measured; the lowest upper bound on membership decides.")
        )
    read = say("How useful they are is read from “{text}”.", text=title(choice["useful"], say))
    equals = choice["equally_useful"]
    if len(equals) < 2:
        return say.join(counted, say("It is the most useful of them."), read)
    among = say(
        "Within one standard error of the most useful lie {values}; of these it has the lowest upper bound on "
        "membership.",
        values=say.listed(*map(number, equals)),
    )
    return say.join(counted, among, read)


def confirmation(record: Mapping[str, Any]) -> str:
    """The command that judges the chosen value by patients whom no point has seen; empty where there is none."""
    chosen, knob = record["choice"]["chosen"], record["knob"]
    if chosen is None:
        return ""
    words = ["semblance", "run", "SOURCE", "--generator", record["generator"]["name"]]
    for name, value in record["settings"].items():
        if name != knob:
            words += ["--set", f"{name}={value}"]
    words += [f"--{knob}", str(chosen)] if knob in (ROWS, EPSILON) else ["--set", f"{knob}={chosen}"]
    if (allowed := record.get("allowance")) is not None:
        words += [] if knob == EPSILON else ["--epsilon", str(allowed["epsilon"])]
        words += ["--delta", str(allowed["delta"]), "--rows-per-patient", str(allowed["cap"])]
    if record["target"]:
        words += ["--target", record["target"]]
    words += ["--subject", record["subject"]] if record["subject"] else []
    words += ["--schema", "SCHEMA"] if record["edited"] else []
    policy = record["choice"]["policy"]["name"]
    words += ["--policy", policy if policy in BUNDLED else "POLICY", "--seed", str(record["provenance"]["seed"])]
    return shlex.join([*words, "--out", "release"])


def follows(curve: Mapping[str, Any], knob: str, say: Language) -> str:
    """How a measure follows the knob: among the patients who examined all points, and for others like them."""
    order, here = curve["order"], curve.get("order_among_these", _UNKNOWN)
    if here["verdict"] == "unknown":
        return _within_error(order, knob, say)
    among = _among_these(here, knob, say)
    if order["verdict"] == here["verdict"]:
        return (
            among if here["verdict"] == "flat" else say.join(among, say("For others like them the same can be said."))
        )
    if order["verdict"] == "flat":
        return say.join(among, say("For others like them the intervals are too wide to tell."))
    return say.join(among, say("For others like them:"), _within_error(order, knob, say))


_UNKNOWN = {"verdict": "unknown"}


def _among_these(order: Mapping[str, Any], knob: str, say: Language) -> str:
    """Beyond the luck of the fits."""
    rises, falls = chance(order["p_rises"]), chance(order["p_falls"])
    if order["verdict"] == "rises":
        said = "Among these patients it only rises with “{name}” (p {p}); that it stays or falls does not fit (p {q})."
        return say(said, name=knob, p=rises, q=falls)
    if order["verdict"] == "falls":
        said = "Among these patients it only falls with “{name}” (p {p}); that it stays or rises does not fit (p {q})."
        return say(said, name=knob, p=falls, q=rises)
    if order["verdict"] == "flat":
        said = "No change with “{name}” beyond the luck of the fits (rises: p {p}, falls: p {q})."
        return say(said, name=knob, p=rises, q=falls)
    first, second = map(number, order["turn"])
    said = (
        "Among these patients it neither only rises nor only falls with “{name}”: from {a} to {b} it turns by more "
        "than the luck of the fits (p {p})."
    )
    return say(said, name=knob, a=first, b=second, p=chance(max(order["p_rises"], order["p_falls"])))


def _within_error(order: Mapping[str, Any], knob: str, say: Language) -> str:
    """Beyond everything that blurs it."""
    if order["verdict"] == "unknown":
        return say("Its error is not known, so no order is claimed.")
    rises, falls = chance(order["p_rises"]), chance(order["p_falls"])
    if order["verdict"] == "rises":
        said = "Only rises with “{name}”, within error (p {p}); a line that stays or falls does not fit (p {q})."
        return say(said, name=knob, p=rises, q=falls)
    if order["verdict"] == "falls":
        said = "Only falls with “{name}”, within error (p {p}); a line that stays or rises does not fit (p {q})."
        return say(said, name=knob, p=falls, q=rises)
    if order["verdict"] == "flat":
        said = "No change with “{name}” that its intervals could tell (rises: p {p}, falls: p {q})."
        return say(said, name=knob, p=rises, q=falls)
    first, second = map(number, order["turn"])
    said = (
        "Neither only rises nor only falls with “{name}”: from {a} to {b} it turns by more than its intervals allow "
        "(p {p})."
    )
    return say(said, name=knob, a=first, b=second, p=chance(max(order["p_rises"], order["p_falls"])))


def chance(p: float) -> str:
    """A p-value for reading, with the sign that belongs before it."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def unmet(rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [r for r in rules if r["status"] not in ("pass", "not_applicable")]
