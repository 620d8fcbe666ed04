"""Images of which something is promised: what a person declared beforehand, and who they are, for the ledger."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd

from semblance.data.images import PATIENT, Images
from semblance.errors import InputError
from semblance.evidence import canonical_json
from semblance.image_schema import ImageSchema
from semblance.pipeline.spending import Budget, check_delta
from semblance.privacy.kinship import sketch
from semblance.privacy.ledger_file import Extract


def check_declared(source: Images, schema: ImageSchema | None, budget: Budget) -> None:
    """See that nothing has to be read off images before it is charged: their size, range and classes are declared.

    Raises:
        InputError: nobody declared them, or they are not what was declared; delta is too large for so few patients.
    """
    if schema is None:
        raise InputError(
            "with --epsilon nothing of the images may be looked up beforehand: declare their size, range of values "
            "and classes in a schema (--schema; `semblance images describe -o` writes one to be corrected)."
        )
    if schema.bounds != "declared":
        raise InputError(
            "low and high of the schema were read off the images, which --epsilon does not cover: set them to what "
            'they can be, and bounds = "declared".'
        )
    if schema.patient != source.schema.patient:
        told = "names patients" if schema.patient else "names no patients"
        raise InputError(f"the schema {told}, unlike the images; correct `patient` in it, or say where they stand.")
    if replace(schema, structures=()) != replace(source.schema, structures=()):
        raise InputError("the images were not read by the schema that was declared; read them by it.")
    if budget.unit != PATIENT:
        raise InputError("images are counted by patient; leave out --unit, and name the larger unit as --patient.")
    if (allowed := budget.allowance) is not None:
        check_delta(allowed, source.n_patients)


def extract_of(source: Images, budget: Budget) -> Extract:
    """Who the patients are: by the names that the images have, or where they have none, by their pixels."""
    if source.schema.patient:
        who: pd.Series = source.about[PATIENT]
    else:
        who = pd.Series([hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() for image in source.pixels])
    return Extract(fingerprint(source), sketch(who, budget.file.key()), budget.cohort)


def fingerprint(images: Images) -> str:
    """SHA-256 over pixels, labels and masks: tells two sets of images apart, and cannot be read back."""
    whole = hashlib.sha256(canonical_json(images.schema.to_dict()).encode())
    whole.update(np.ascontiguousarray(images.pixels).tobytes())
    whole.update(images.about.to_csv(index=False).encode())
    if images.masks is not None:
        whole.update(np.ascontiguousarray(images.masks).tobytes())
    return whole.hexdigest()
