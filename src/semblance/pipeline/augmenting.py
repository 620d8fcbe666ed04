"""More images from the same patients: the verb of classical augmentation. What it makes counts as real to the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from semblance import image_destination, provenance
from semblance.audits.images.invariance import Invariance
from semblance.audits.images.invariance.verdict import MARGIN
from semblance.augment.oversample import duplicate, interpolate
from semblance.augment.presets import preset
from semblance.catalog import AUGMENTATIONS
from semblance.contracts import Run
from semblance.data.images import PATIENT, Images
from semblance.errors import InputError, Unsupported
from semblance.evidence import Evidence
from semblance.extras import need
from semblance.image_contracts import Augmentation, Plate
from semblance.image_schema import ImageSchema
from semblance.recipe import turned

BALANCES = {"duplicate": duplicate, "interpolate": interpolate}


def augmentation(name: str, settings: Mapping[str, Any] | None = None) -> Augmentation:
    """The transformation of that name with these strengths.

    Raises:
        Unsupported: no such transformation. InputError: no such strength, or of the wrong type.
    """
    if name not in AUGMENTATIONS:
        raise Unsupported(f"there is no augmentation {name!r}; there are {', '.join(AUGMENTATIONS)}.")
    return turned(AUGMENTATIONS[name], settings or {}, called=f"augmentation {name!r}")


def usual_augmentations(schema: ImageSchema) -> tuple[Augmentation, ...]:
    """The preset of the images' modality; see ``augment/presets.py``."""
    return preset(schema)


def doubted(changes: Sequence[Augmentation], schema: ImageSchema) -> dict[str, dict[str, str]]:
    """Of each transformation that does not claim to keep every label: the conditions in doubt, and why."""
    told = {one.name: {name: why for name, why in one.keeps(schema).items() if why} for one in changes}
    return {name: why for name, why in told.items() if why}


def augment_images(
    images: Images,
    run: Run,
    *,
    changes: Sequence[Augmentation],
    copies: int = 1,
    balance: str = "",
    even_so: bool = False,
) -> Images:
    """Each image `copies` times, each time transformed anew by all of `changes` in turn; the originals are not in it.

    Args:
        balance: "duplicate" or "interpolate": bring every class to the number of the most frequent one first.
        even_so: Also where a transformation says of itself that it may change a label.

    Returns: Origin "augmented", with the labels and patients of the images they were made of; where no patient is
        named, each image is taken for one, so that its copies stay together in any split.

    Privacy: shows real patients' anatomy; spends nothing, promises nothing.

    Raises:
        InputError: nothing was asked for, or a label may change, or there are no classes to balance.
    """
    if not changes and not balance:
        raise InputError("nothing to do to the images: name a transformation with --with, or use --preset.")
    if copies < 1:
        raise InputError("the number of copies must be at least 1.")
    if not even_so and (doubts := doubted(changes, images.schema)):
        name, why = next(iter(doubts.items()))
        condition, reason = next(iter(why.items()))
        raise InputError(f"augmentation {name!r} may change {condition!r} ({reason}); leave it out, or say --even-so.")
    images = _named(images)
    if balance:
        images = BALANCES[balance](images, run.seeds(f"augment/{balance}"))
    made = []
    for copy in range(copies):
        one = replace(images, origin="augmented")
        for place, change in enumerate(changes):
            run.progress("transforming", copy * len(changes) + place, copies * len(changes))
            one = change(one, run.seeds(f"augment/{copy}/{place}/{change.name}"))
        made.append(one)
    run.progress("transforming", copies * len(changes), copies * len(changes))
    return _together(made)


def write_augmented(
    images: Images,
    out: Path | str,
    run: Run,
    *,
    changes: Sequence[Augmentation],
    facts: Mapping[str, Any],
    form: str = "",
) -> list[str]:
    """Write what `augment_images` made: whole or not at all; the names of what was written.

    Raises:
        InputError: something is there already, or the place cannot be written to.
    """
    told = {
        "augmentations": [{"name": one.name, **asdict(cast(Any, one))} for one in changes],
        "in_doubt": doubted(changes, images.schema),
        "guarantee": "None: these are altered images of real patients.",
        **provenance.of_run(run),
        **facts,
    }
    made_by = {"generator": "augmentation", "model": "none", "seed": str(run.seeds.root)}
    return image_destination.write_images(images, Path(out), form=form, made_by=made_by, facts=told)


def _named(images: Images) -> Images:
    """The images with a patient each, so that copies of one image never count as several patients."""
    if images.schema.patient:
        return images
    about = images.about.assign(**{PATIENT: [str(number) for number in range(len(images))]})
    return replace(images, about=about, schema=replace(images.schema, patient=True))


def _together(parts: Sequence[Images]) -> Images:
    """Images of one schema, one after the other."""
    masks = [part.masks for part in parts if part.masks is not None]
    return replace(
        parts[0],
        pixels=np.concatenate([part.pixels for part in parts]),
        about=pd.concat([part.about for part in parts], ignore_index=True),
        masks=np.concatenate(masks) if masks else None,
    )


def try_changes(
    images: Images, run: Run, *, changes: Sequence[Augmentation] = (), margin: float | None = None, net: bool = False
) -> tuple[Evidence, tuple[Plate, ...]]:
    """Whether changes keep the labels of real images; see ``audits/images/invariance``.

    Args:
        changes: By default the preset of the modality, and a flip. margin: In nats. net: Ask nets.

    Privacy: findings are computed on real patients and covered by no epsilon; plates marked `board` show them.

    Raises:
        MissingExtra: nets were asked for, and PyTorch is not installed.
    """
    if net:
        need("neural", "--net")
    asked = Invariance(
        changes=tuple(changes), margin=MARGIN if margin is None else margin, net=net, folds=2 if net else 5
    )
    found, _ = asked.try_on(images, run)
    counted = {"train": len(images), "holdout": 0, "synthetic": 0}
    origin = {"images": counted, "patients": {"train": images.n_patients}, **provenance.of_run(run)}
    return Evidence(found.findings, run.ledger.to_dict(), origin), found.plates


def verdicts_in(evidence: Evidence) -> dict[str, str]:
    """Of each change that was tried: its verdict and why, in a sentence."""
    found = [finding for finding in evidence if finding.name.endswith(".verdict")]
    return {
        finding.name.split(".")[1]: f"{finding.detail['verdict']}: {finding.detail['because']}"
        if finding.detail
        else f"not asked: {finding.why}"
        for finding in found
    }
