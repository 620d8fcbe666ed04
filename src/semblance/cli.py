"""Words in, one verb called, exit code out. Each command imports what it needs, so that ``--help`` is quick."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semblance import __version__
from semblance.budgeting import ledger
from semblance.command import (
    FILE,
    GENERATOR,
    LANG,
    MINUTES,
    OUT,
    POLICY,
    QUICK,
    RESUME,
    SCHEMA,
    SEED,
    SET,
    SUBJECT,
    TARGET,
    budget_in,
    settings_in,
    verb,
    with_budget,
)
from semblance.comparing import shift, shift_images
from semblance.drawing import impute, sample
from semblance.enriching import augment, invariance
from semblance.errors import GateRefused
from semblance.experimenting import experiment
from semblance.exposing import source_risk
from semblance.manner import Manner, Verbs, run_verbs
from semblance.picturing import images, show_demo
from semblance.proving import audit as audit_images
from semblance.publishing import OVERRIDE, SIGN_WITH, TERMS, keys, overrides_in, report, share, sign, terms_in, verify
from semblance.teaching import explain, titles
from semblance.turning import sweep

if TYPE_CHECKING:
    from semblance.pipeline import Outcome
    from semblance.release.gate import Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return run_verbs(cli, arguments)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="semblance %(version)s")
def cli() -> None:
    """Synthetic patients that resemble everyone and are no one, with the evidence to prove it."""


# ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@verb("semblance demo")
@click.option("--images", "of_images", is_flag=True, help="2,500 chest X-rays of children instead of a table.")
@click.option("--out", type=FILE, metavar="DIR", help="Default: semblance-demo, or semblance-demo-images.")
@LANG
@RESUME
@click.pass_obj
def demo(manner: Manner, of_images: bool, out: Path | None, language: str, resume: bool) -> None:
    """The whole run on 9,105 real seriously ill adults that ship inside.

    With --images: a generator of chest X-rays, and a gallery of what it draws. Six minutes on two processors.
    """
    if of_images:
        return show_demo(manner, out or Path("semblance-demo-images"), language=language, resume=resume)
    from semblance.data import demo as bundled

    out = out or Path("semblance-demo")
    _run(manner, bundled.patients(), out=out, target=bundled.TARGET, language=language, resume=resume)


@verb("semblance describe patients.csv -o schema.toml")
@click.argument("source")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write here; default: stdout.")
@click.option("--explain", "columns", multiple=True, metavar="COLUMN", help="Say why, column by column, instead.")
@SCHEMA
@TARGET
@SUBJECT
@click.pass_obj
def describe(
    manner: Manner,
    source: str,
    output: Path | None,
    columns: tuple[str, ...],
    schema: Path | None,
    target: str | None,
    subject: str | None,
) -> None:
    """Infer what the columns of SOURCE mean, as TOML for you to edit.

    With --explain, say instead what was inferred about a column, why, and how to overrule it; no rare value is shown.
    """
    from semblance import pipeline, schema_toml
    from semblance.destination import check_new, write_text
    from semblance.rules.propose import propose_rules
    from semblance.source import read_source

    if (output if columns else schema) is not None:
        raise click.UsageError("--schema goes with --explain, and -o without it.")
    if columns:
        return _explain(manner, source, columns, schema, target=target, subject=subject)
    check_new(output)

    with redirect_stdout(sys.stderr):
        raw = read_source(source)
        found = pipeline.describe(raw, target=target, subject=subject)
        rules = propose_rules(raw, found)
    text = schema_toml.dumps(found, proposals=rules)
    facts: dict[str, Any] = {"columns": len(found), "target": found.target, "subject": found.subject}
    for handling in ("surrogate", "blank", "drop"):
        facts[handling] = [c.name for c in found if c.handling == handling]
    facts["proposed_rules"] = [str(rule) for rule in rules]
    if output is None:
        return manner.tell({**facts, "schema": text}, text.rstrip("\n"))
    write_text(text, output)
    manner.tell({**facts, "file": str(output)}, f"{output}: {len(found)} columns; read it, edit it, use --schema.")


def _explain(manner: Manner, source: str, names: tuple[str, ...], schema: Path | None, **asked: str | None) -> None:
    from semblance import pipeline
    from semblance.explanation.words import in_words
    from semblance.source import read_source

    with redirect_stdout(sys.stderr):
        raw = read_source(source)
        meaning = pipeline.describe(raw, **asked) if schema is None else pipeline.load_schema(schema)
        told = [pipeline.explain_column(raw, name, schema=meaning, **asked) for name in dict.fromkeys(names)]
    manner.tell({"columns": [e.to_dict() for e in told]}, "\n\n\n".join(map(in_words, told)))


@verb("semblance run patients.csv --out release --target died --subject patient_id")
@click.argument("source")
@OUT
@SCHEMA
@TARGET
@SUBJECT
@GENERATOR
@SET
@click.option("--rows", type=click.IntRange(min=1), help="Synthetic rows; default: as many as were learned from.")
@SEED
@with_budget
@POLICY
@OVERRIDE
@TERMS
@SIGN_WITH
@LANG
@QUICK
@MINUTES
@RESUME
@click.pass_obj
def run(manner: Manner, /, source: str, out: Path, **asked: Any) -> None:
    """Describe, split, fit, sample, audit, decide and release, in one go.

    Exits 20 when the gate refuses; the folder then says what failed and what to try, and holds no synthetic data.
    """
    asked["budget"] = budget = budget_in(asked)
    asked["generator"] = _recipe(asked["generator"], asked.pop("settings"), budget)
    asked |= {"overrides": overrides_in(asked), "terms": terms_in(asked)}
    _run(manner, source, out=out, **asked)


def _recipe(name: str | None, settings: Iterable[str], budget: Any) -> Any:
    """The recipe that was named, or the usual one, with its parameters."""
    from semblance.pipeline.spending import usual_name
    from semblance.recipe import recipe

    return recipe(name or usual_name(budget), settings_in(settings))


def _run(manner: Manner, source: Any, *, out: Path, schema: Path | None = None, **asked: Any) -> None:
    from semblance import pipeline
    from semblance.progress import bars

    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        meaning = None if schema is None else pipeline.load_schema(schema)
        outcome = pipeline.run(source, out=out, schema=meaning, progress=progress, **asked)
    manner.tell(_facts(outcome), _sentences(outcome))
    _refuse(outcome.verdict, f"see {outcome.folder / 'report.html'} for what failed and what to try")


def _facts(outcome: Outcome) -> dict[str, Any]:
    folder = outcome.folder
    return {
        "decision": outcome.verdict.decision,
        "folder": str(folder),
        "report": str(folder / "report.html"),
        "synthetic": next((str(p) for p in folder.glob("synthetic.*")), None),
        "rules": {r.rule.name: r.status for r in outcome.verdict.rules},
        "notes": list(outcome.notes),
        "seconds": dict(outcome.seconds),
    }


def _sentences(outcome: Outcome) -> str:
    facts = _facts(outcome)
    stages = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in outcome.seconds.items())
    lines = [verdict_sentence(outcome.verdict), *_not_asked(outcome.verdict), *outcome.notes]
    if facts["synthetic"]:
        lines.append(f"synthetic data  {facts['synthetic']}")
    return "\n".join([*lines, f"report          {facts['report']}", f"time            {stages}"])


def verdict_sentence(verdict: Verdict) -> str:
    """The verdict as one sentence."""
    asked = [r for r in verdict.rules if r.status != "not_applicable"]
    policy, answered = verdict.policy["name"], {o.rule: o.by for o in verdict.overrides}
    failed = [f"{r.rule.name} (overridden by {answered[r.rule.name]})" if r.rule.name in answered else r.rule.name
              for r in verdict.failures]  # fmt: skip
    if verdict.released and not failed:
        return f"RELEASED: all {len(asked)} rules of policy {policy!r} that apply are met."
    said = "RELEASED all the same" if verdict.released else "REFUSED"
    return f"{said}: {len(failed)} of {len(asked)} rules of policy {policy!r} are not met: {', '.join(failed)}."


def _not_asked(verdict: Verdict) -> list[str]:
    """Which rules fell away, reason by reason."""
    away: dict[str, list[str]] = {}
    for ruling in verdict.rules:
        if ruling.status == "not_applicable":
            away.setdefault(ruling.why, []).append(ruling.rule.name)
    return [f"not asked       {why} {', '.join(names)}." for why, names in away.items()]


def _refuse(verdict: Verdict, cure: str) -> None:
    if not verdict.released:
        raise GateRefused(f"the gate refused to release; {cure}.")


@verb("semblance fit patients.csv --model model --set trees=80")
@click.argument("source")
@click.option("--model", type=FILE, metavar="DIR", required=True, help="Folder to write the model to.")
@SCHEMA
@TARGET
@SUBJECT
@GENERATOR
@SET
@with_budget
@SEED
@MINUTES
@RESUME
@click.pass_obj
def fit(
    manner: Manner,
    /,
    source: str,
    model: Path,
    schema: Path | None,
    generator: str | None,
    settings: tuple[str, ...],
    **asked: Any,
) -> None:
    """Train on all rows of SOURCE: no holdout is kept, so the result cannot be judged by `run`'s audits."""
    from semblance import model_folder, pipeline
    from semblance.progress import bars

    asked["budget"] = budget = budget_in(asked)
    recipe = _recipe(generator, settings, budget)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        meaning = None if schema is None else pipeline.load_schema(schema)
        pipeline.train(source, model, generator=recipe, schema=meaning, progress=progress, **asked)
    notes = json.loads((model / model_folder.CARD).read_text(encoding="utf-8"))["notes"]
    said = f"{model}: a {recipe.name} model; draw with `sample`."
    manner.tell({"model": str(model), "generator": recipe.name, "notes": notes}, "\n".join([said, *notes]))


@verb("semblance audit --train t.csv --holdout h.csv --synthetic s.csv -o evidence.json --report report.html")
@click.option("--train", metavar="T", required=True, help="What the generator learned from.")
@click.option("--holdout", metavar="H", required=True, help="Patients it never saw.")
@click.option("--synthetic", metavar="S", required=True, help="The table to judge.")
@click.option("-o", "--output", type=FILE, metavar="FILE", required=True, help="Evidence to write.")
@click.option("--report", type=FILE, metavar="FILE", help="Report to write.")
@SCHEMA
@TARGET
@SUBJECT
@SEED
@POLICY
@QUICK
@LANG
@click.option("--enforce", is_flag=True, help="Exit 20 when the policy is not met.")
@click.pass_obj
def audit(
    manner: Manner,
    /,
    train: str,
    holdout: str,
    synthetic: str,
    output: Path,
    report: Path | None,
    schema: Path | None,
    policy: str | None,
    language: str,
    enforce: bool,
    **asked: Any,
) -> None:
    """Judge any synthetic table, whoever made it."""
    from semblance import pipeline
    from semblance.destination import check_new, write_text
    from semblance.evidence import canonical_json
    from semblance.progress import bars
    from semblance.release.gate import Policy
    from semblance.report.page import render

    check_new(output, report)

    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        rules = Policy.load(policy)
        meaning = None if schema is None else pipeline.load_schema(schema)
        evidence = pipeline.judge(train, holdout, synthetic, schema=meaning, progress=progress, **asked)
        verdict = pipeline.decide(evidence, rules)
        write_text(canonical_json({**evidence.to_dict(), "verdict": verdict.to_dict()}), output)
        if report is not None:
            write_text(render(evidence, verdict.to_dict(), language=language), report)
    facts = {"decision": verdict.decision, "evidence": str(output), "report": str(report) if report else None}
    lines = [verdict_sentence(verdict), *_not_asked(verdict), *(str(p) for p in (output, report) if p)]
    manner.tell(facts, "\n".join(lines))
    if enforce:
        _refuse(verdict, f"see {report or output}")


LISTS = ("generators", "audits", "formats", "engines", "image-generators", "image-formats", "augmentations")


@verb("semblance list generators", name="list")
@click.argument("what", type=click.Choice([*LISTS, "lessons"]))
@click.pass_obj
def show_list(manner: Manner, what: str) -> None:
    """What there is to choose from."""
    from semblance import catalog

    with redirect_stdout(sys.stderr):
        entries: dict[str, Any] = {} if what == "lessons" else getattr(catalog, what.upper().replace("-", "_"))
        about = {name: entry.asks if what == "audits" else entry.about for name, entry in entries.items()}
        about = titles() if what == "lessons" else about
    width = max(map(len, about))
    manner.tell({what: about}, "\n".join(f"{name:<{width}}  {text}" for name, text in about.items()))


for command in (
    demo,
    describe,
    source_risk,
    shift,
    run,
    sweep,
    fit,
    sample,
    impute,
    audit,
    ledger,
    keys,
    sign,
    share,
    verify,
    report,
    explain,
    images,
    show_list,
):
    cli.add_command(command)
images.add_command(audit_images)
images.add_command(shift_images)
images.add_command(experiment)
images.add_command(augment)
images.add_command(invariance)
