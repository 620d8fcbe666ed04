"""The page of an experiment: one HTML file that opens offline, drawn from ``experiment.json`` and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semblance.experiment import words
from semblance.experiment.plan import NAMED
from semblance.experiment.plots import draw_arms, draw_cuts, draw_doses
from semblance.experiment.scoring import endpoints
from semblance.report.draw import number, plain
from semblance.report.language import Language
from semblance.report.language import language as language_of
from semblance.report.sheet import environment, style

Known = Mapping[str, Any]
SEALS = {"HELPS": "✓", "NO EVIDENCE": "?", "HARMS": "✕"}


def render(record: Known, *, language: str = "en") -> str:
    """The whole page as text. Pure: the same record gives the same bytes.

    Args:
        language: "en" or "zh".

    Raises:
        InputError: there is no such language.
    """
    return render_in(language_of(language), record)


def render_in(say: Language, record: Known) -> str:
    """`render`, in a language that the caller holds: what it could not say is then in ``say.missing``."""
    sites = [site for site in ("here", "elsewhere") if site in record["lines"][0]]
    made = environment("experiment")
    made.globals.update(say=say)
    return made.get_template("experiment.html").render(
        headline=words.headline(record, say),
        kind=record["verdict"].split()[0].lower(),
        seal=SEALS[record["verdict"]],
        made_of=_made_of(record, say),
        doubts=words.doubts(record, say),
        judgements=[_judgement(found, record, say) for found in record["judgements"]],
        elsewhere="elsewhere" in sites,
        cuts=draw_cuts(record, say),
        keeps=[_cut(record, keep, sites, say) for keep in record["design"]["keeps"]],
        endpoints=[words.endpoint(e.name, record, say) for e in endpoints(record["design"]["specificity"])],
        design=record["design"],
        own=bool(record["generator"]["name"]),
        transforms=say.listed(*(str(t["name"]) for t in record["transforms"]))
        if any(NAMED[arm].classical for arm in record["arms"])
        else "",
        percent=number(100 * record["design"]["confidence"]),
        tail=number(50 * (1 - record["design"]["confidence"])),
        rare=plain(record["rare"], longest=40),
        style=style("experiment", "experiment.css"),
    )


def _made_of(record: Known, say: Language) -> list[str]:
    cohort, generator = record["cohort"], record["generator"]
    told = [
        say("generator “{name}”", name=generator["name"])
        if generator["name"]
        else say("{n} synthetic images made elsewhere", n=say.thousands(generator["images"])),
        say("rare class “{name}”", name=plain(record["rare"], longest=40)),
        say("{n} patients who may be learned from", n=say.thousands(cohort["pool"]["patients"])),
        say("{n} who choose", n=say.thousands(cohort["validation"]["patients"])),
        say("{n} who judge", n=say.thousands(cohort["test"]["patients"])),
    ]
    if "elsewhere" in cohort:
        told.append(say("{n} who judge at another site", n=say.thousands(cohort["elsewhere"]["patients"])))
    design = record["design"]
    return [*told, say("{n} seeds of {m} steps each", n=design["seeds"], m=design["steps"])]


def _judgement(found: Known, record: Known, say: Language) -> dict[str, Any]:
    here = {(x["arm"], x["ratio"]): x for x in record["lines"] if x["keep"] == found["keep"]}
    line, best = (here[x["arm"], x["ratio"]] for x in (found, found["best"]))
    further = found["elsewhere"]
    return {
        "name": words.setting(found, say),
        "keep": number(found["keep"]),
        "verdict": words.verdict(found, say),
        "kind": found["verdict"].split()[0].lower(),
        "seal": SEALS[found["verdict"]],
        "reason": words.reason(found, record, say),
        "best": words.setting(found["best"], say),
        "gain": _cell(found["gain"], say),
        "change": _cell(found["change"], say),
        "elsewhere": None if further is None else _cell(further["gain"], say),
        "worth": words.worth(line, say),
        "worth_best": words.worth(best, say),
    }


def _cut(record: Known, keep: int, sites: list[str], say: Language) -> dict[str, Any]:
    lines = [line for line in record["lines"] if line["keep"] == keep]
    return {
        "keep": number(keep),
        "arms": [(site, draw_arms(record, keep, site, say, key=f"arms-{keep}-{site}")) for site in sites],
        "doses": draw_doses(record, keep, say, key=f"doses-{keep}"),
        "tables": [
            (
                site,
                [
                    (
                        words.setting(line, say),
                        say.thousands(line["images"]),
                        [_cell(line[site][e.name], say) for e in endpoints(record["design"]["specificity"])],
                    )
                    for line in lines
                ],
            )
            for site in sites
        ],
    }


def _cell(found: Known, say: Language) -> tuple[str, str]:
    return say.figure(found["value"]), say.interval(found["low"], found["high"])
