"""Hospitals beside each other, before anything is made: the verbs that look at real data of several sites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from semblance import provenance
from semblance.audits.images.shift import SiteShift
from semblance.audits.images.shortcut import Shortcut
from semblance.contracts import Run
from semblance.errors import InputError
from semblance.evidence import Evidence
from semblance.image_contracts import ImageComparison, Plate
from semblance.pipeline.reading import as_raw, describe, read, roles
from semblance.release import disclosure
from semblance.scans.reading import read_images
from semblance.schema import Schema
from semblance.shifting.groups import of_table
from semblance.shifting.told import tell

MOST = 4_000


def shift(
    source: Any,
    run: Run,
    *,
    site: str,
    schema: Schema | None = None,
    target: str | None = None,
    subject: str | None = None,
) -> Evidence:
    """How the patients of several sites, or times, differ in a table; see ``shifting/told.py``.

    Args:
        site: Column to compare by: labels, or numbers and dates, which are cut at their median.

    Privacy: reads real patients without differential privacy; small counts are blanked.

    Raises:
        InputError: the source cannot be read, lacks the column, or has no two sites with enough patients.
    """
    raw = as_raw(source)
    meaning = describe(raw, target=target, subject=subject) if schema is None else roles(schema, target, subject)
    if meaning[site].name == meaning.target:
        raise InputError(f"the target and the site are both {site!r}; name two columns.")
    data = read(raw, meaning)
    groups = of_table(data, site, target=meaning.target, most=MOST // (2 if run.quick else 1), rng=run.seeds("shift"))
    return disclosure.protect(Evidence(tell(groups, run), {}, provenance.of_run(run)))


def shift_images(source: str | Path, run: Run, **reading: Any) -> tuple[Evidence, tuple[Plate, ...]]:
    """How images of several sites differ, and whether their label could be told by something else.

    Args:
        reading: As `read_images` takes it; a place for the site, or for the label, or both.

    Privacy: reads real images without differential privacy; small counts are blanked, plates show no image.

    Raises:
        InputError: the source cannot be read, or says neither site nor label.
    """
    images = read_images(source, progress=run.progress, **reading).images
    if "site" not in images.schema.attributes and not images.schema.classes:
        raise InputError("nothing says of which site or class an image is; name the place with --site or --labels.")
    nobody = images.take(np.arange(0))
    comparison = ImageComparison(images, nobody, replace(nobody, origin="synthetic"))
    found = [question().judge(comparison, run) for question in (SiteShift, Shortcut)]
    findings = tuple(finding for each in found for finding in each.findings)
    plates = tuple(plate for each in found for plate in each.plates)
    facts = {"images": {"train": len(images), "holdout": 0, "synthetic": 0}, **provenance.of_run(run)}
    return disclosure.protect(Evidence(findings, {}, facts)), plates
