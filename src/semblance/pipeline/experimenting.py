"""Did augmentation really help? The verb that tries every arm, side by side, and writes what may be concluded.

A generator learns from each seed's training patients alone: those who choose and those who judge are cut away before
anything is learned. Every drawn set and every finished training is kept, so that a stopped experiment goes on.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semblance import provenance
from semblance.augment.presets import preset
from semblance.checkpoint import check_resumable, work_on
from semblance.contracts import Progress, Run, silent
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.evidence import canonical_json
from semblance.experiment.arms import added, has
from semblance.experiment.cohort import Cohort, Ground, bare, cut, ground, most, positive, rarest
from semblance.experiment.page import render
from semblance.experiment.plan import ARMS, MORE, NAMED, Design, Setting
from semblance.experiment.record import build
from semblance.experiment.trials import Bench
from semblance.extras import need
from semblance.image_contracts import ImageGenerator
from semblance.pipeline.declared import fingerprint
from semblance.pipeline.reading import begin
from semblance.pipeline.trying import draw, scores
from semblance.privacy.ledger import Charge
from semblance.recipe import image_recipe
from semblance.report.language import language as language_of
from semblance.scans.reading import read_images

RECORD, PAGE, SECONDS = "experiment.json", "experiment.html", "seconds.json"
KEEPS = (50, 100, 200, 500)
QUICK: Mapping[str, Any] = {"ratios": (1.0,), "seeds": 3, "steps": 120}
"""What a quick experiment does with less of, where nobody says otherwise; and it makes one cut, the second."""
USUAL: Mapping[bool, Mapping[str, Any]] = {False: {"kimg": 20.0}, True: {"kimg": 8.0}}
"""How long the usual generator learns, by whether it is quick: there is one of it for every cut and seed."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """What `experiment_images` made. `record` as ``experiment.json`` holds it; seconds lie in a file of their own."""

    folder: Path
    record: Mapping[str, Any]
    seconds: Mapping[str, float]


def experiment_images(
    source: Images,
    *,
    out: Path | str,
    external: Images | None = None,
    synthetic: ImageGenerator | Images | str | None = None,
    rare: str | None = None,
    keeps: Sequence[int] | None = None,
    arms: Sequence[str] | None = None,
    quick: bool = False,
    seed: int = 0,
    resume: bool = False,
    language: str = "en",
    progress: Progress = silent,
    **asked: Any,
) -> Experiment:
    """Train classifiers on real images, with and without what is added to them, and say what the addition was worth.

    Args:
        source: Real images of at least two classes. external: Of another site: they only judge.
        synthetic: A recipe, which then learns from each seed's training patients; or images that were made elsewhere.
        rare: The class that is cut and added to; the rarest where None. keeps: Patients of it that are learned from.
        arms: Names from ``experiment/plan.py``; all where None. asked: Other fields of ``plan.Design``.
        resume: Continue what an interrupted call kept beside `out`.

    Privacy: numbers read off real patients, without any guarantee; charged to the ledger as such.

    Raises:
        InputError: too few patients, no such class or arm, or `out` holds something else.
        Unsupported, FitError: see `learn_images`.
    """
    out = Path(out)
    _check_free(out, language)
    check_resumable(out, resume=resume)
    need("neural", "an experiment with images")
    run = begin(seed=seed, quick=quick, progress=progress, cohort=fingerprint(source))
    made = _made(synthetic, quick)
    cohort = cut(source, run.seeds, rare=rare or rarest(source))
    design = _design(cohort, arms, keeps, quick, {k: v for k, v in asked.items() if v is not None})
    bench = Bench(design, cohort, None if external is None else _alike(external, cohort), preset(cohort.pool.schema))
    _charge(bench, made, run)
    with work_on(out, _identity(bench, made, run), resume=resume) as work:
        begun, spent = time.monotonic(), time.process_time()
        grounds = {(k, s): ground(cohort, run.seeds, keep=k, seed=s) for k in design.keeps for s in range(design.seeds)}
        settings = [
            s
            for s in design.settings()
            if all(has(NAMED[s.arm], grounds[s.keep, n], cohort.rare, s.ratio) for n in range(design.seeds))
        ]
        drawn = {key: draw(made, key, grounds[key], bench, run, work) for key in grounds}
        sites, images = scores(settings, grounds, drawn, bench, run, work)
        real = {s: _real(s, grounds[s.keep, 0], cohort.rare) for s in settings}
        head = _head(bench, made, settings, run)
        record = json.loads(canonical_json(build(design, sites, images, real, run.seeds, head)))
        seconds = {"wall": time.monotonic() - begun, "processor": time.process_time() - spent}
        _write(out, record, seconds, language=language, scratch=work.scratch)
    return Experiment(out, record, seconds)


def read_part(source: str, reading: Mapping[str, Any], progress: Progress = silent) -> Images:
    """Images of a folder or file; of a file that holds several parts, its path may be followed by "@" and the part."""
    path, at, part = source.rpartition("@")
    if at and not Path(source).exists():
        return read_images(path, progress=progress, **{**reading, "split": part}).images
    return read_images(source, progress=progress, **reading).images


def read_alike(source: str, images: Images, reading: Mapping[str, Any], progress: Progress = silent) -> Images:
    """Other images, read as `images` were, and brought to their size and classes."""
    schema = images.schema
    asked = {key: value for key, value in reading.items() if key not in ("size", "classes", "split")}
    if "schema" not in asked:
        asked |= {"size": (schema.height, schema.width), "classes": list(schema.classes)}
    found = read_part(source, asked, progress)
    if found.schema.label != schema.label or found.schema.classes != schema.classes:
        raise InputError(f"{source}: other classes than the real images'; say where they are read with --labels.")
    return found


# ── what is asked ────────────────────────────────────────────────────────────────────────────────────────────────────


def _made(synthetic: ImageGenerator | Images | str | None, quick: bool) -> ImageGenerator | Images:
    """The recipe or the images; the usual recipe learns as long as an experiment has time for."""
    if synthetic is None or synthetic == "flow":
        return image_recipe("flow", USUAL[quick])
    return image_recipe(synthetic) if isinstance(synthetic, str) else synthetic


def _design(
    cohort: Cohort, arms: Sequence[str] | None, keeps: Sequence[int] | None, quick: bool, asked: Mapping[str, Any]
) -> Design:
    usual = [arm.name for arm in ARMS]
    if strange := sorted(set(arms or ()) - set(usual)):
        raise InputError(f"there is no arm {strange[0]!r}; there are {', '.join(usual)}.")
    there = most(cohort)
    possible = [keep for keep in KEEPS if keep <= there] or [there]
    chosen = tuple(keeps or (possible[1:2] or possible if quick else possible))
    if max(chosen) > there:
        raise InputError(
            f"--keep {max(chosen)}: only {there} patients with {cohort.rare!r} may be learned from; the others choose "
            "and judge."
        )
    named = tuple(name for name in usual if arms is None or name in arms or name == usual[0])
    return Design(named, chosen, **{**(QUICK if quick else {}), **asked})


def _charge(bench: Bench, made: ImageGenerator | Images, run: Run) -> None:
    """Enter every generator and what is told at the end, resumed or not."""
    asked = any(NAMED[name].adds == "synthetic" for name in bench.design.arms)
    if asked and not isinstance(made, Images):
        for _ in range(len(bench.design.keeps) * bench.design.seeds):
            run.ledger.charge(Charge(f"experiment/{made.name}", mechanism="none"))
    run.ledger.charge(Charge("experiment/images", mechanism="none"))


def _alike(external: Images, cohort: Cohort) -> Images:
    """The other site's images, if they are of the same geometry and classes."""
    if external.schema.shape != cohort.pool.schema.shape or external.schema.classes != cohort.pool.schema.classes:
        raise InputError("the external images have another size or other classes; use --size and --classes.")
    found = bare(external)
    sides = positive(found, cohort.rare)
    if not sides.any() or sides.all():
        raise InputError("the external images are all of one kind: they cannot judge; add images of other classes.")
    return found


def _identity(bench: Bench, made: ImageGenerator | Images, run: Run) -> dict[str, str]:
    """What must be the same for finished trainings to be continued."""
    known = provenance.of_run(run)
    return {
        "command": "images experiment",
        "source": run.ledger.cohort,
        "external": "" if bench.elsewhere is None else fingerprint(bench.elsewhere),
        "generator": fingerprint(made) if isinstance(made, Images) else canonical_json(provenance.of_recipe(made)),
        "experiment": canonical_json([bench.design.to_dict(), bench.cohort.rare, _told(bench)]),
        "seed": str(run.seeds.root),
        "version": canonical_json({key: known[key] for key in ("semblance", "python", "libraries")}),
    }


def _told(bench: Bench) -> list[dict[str, Any]]:
    return [{"name": one.name, **asdict(one)} for one in bench.transforms]


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _real(one: Setting, known: Ground, rare: str) -> int:
    """Real images of the rare class that a setting learns from, each counted once."""
    arm, own = NAMED[one.arm], int(positive(known.train, rare).sum())
    return 0 if arm.alone else own + (added(known, rare, one.ratio) if arm.name == MORE else 0)


def _head(bench: Bench, made: ImageGenerator | Images, settings: Sequence[Setting], run: Run) -> dict[str, Any]:
    """What the numbers are of."""
    cohort = bench.cohort
    parts = {"pool": cohort.pool, "validation": cohort.validation, "test": cohort.test}
    sites = parts | ({} if bench.elsewhere is None else {"elsewhere": bench.elsewhere})
    missing = [s for s in bench.design.settings() if s not in settings]
    return {
        "label": cohort.pool.schema.label,
        "rare": cohort.rare,
        "cohort": {
            name: {
                "images": len(images),
                "patients": images.n_patients,
                "rare_images": int(positive(images, cohort.rare).sum()),
            }
            for name, images in sites.items()
        },
        "generator": {"name": "", "images": len(made)} if isinstance(made, Images) else provenance.of_recipe(made),
        "transforms": _told(bench),
        "not_tried": [asdict(s) for s in missing],
        "provenance": provenance.of_run(run),
        "ledger": run.ledger.to_dict(),
    }


def _check_free(out: Path, language: str) -> None:
    """Refuse early: a place that holds something else, a language that is not there."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / RECORD).is_file()):
        raise InputError(f"{out} exists and is not an experiment of Semblance's; choose another place for it.")
    language_of(language)


def _write(
    out: Path, record: Mapping[str, Any], seconds: Mapping[str, float], *, language: str, scratch: Path | None
) -> None:
    """The folder, at once or not at all; an earlier experiment in its place is replaced."""
    told = {name: round(value, 1) for name, value in seconds.items()}
    files = {
        RECORD: canonical_json(record),
        PAGE: render(record, language=language),
        SECONDS: canonical_json(told),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"tmp-{out.name}-", dir=scratch or out.parent))
    try:
        for name, content in files.items():
            (building / name).write_text(content, encoding="utf-8")
        building.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        building.replace(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
