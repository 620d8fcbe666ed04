"""What is usual for each way of taking images: mild, and within what the schema says of anatomy.

A list of what is done widely, not of what helps: that is measured (``audits/images/invariance.py`` tells whether labels
survive, an experiment whether anybody gains).
"""

from __future__ import annotations

from semblance.augment.elastic import Elastic
from semblance.augment.grain import Blur, Noise
from semblance.augment.light import Brightness, Contrast, Gamma
from semblance.augment.mirror import allowed_by
from semblance.augment.place import Rotate, Scale, Shift
from semblance.image_contracts import Augmentation
from semblance.image_schema import ImageSchema

XRAYS = ("CR", "DX", "RG", "XA", "RF", "MG", "PX", "IO")
SLICES = ("CT", "PT", "NM", "MR")
PHOTOGRAPHS = ("XC", "GM", "SM", "ES", "OP", "OPT", "DMS")


def preset(schema: ImageSchema) -> tuple[Augmentation, ...]:
    """The usual transformations of images of this modality, in the order in which they are made.

    Only those that claim to keep every label of the schema. Mirror images only where `mirror` of the schema allows
    them; brightness only where a value has no unit.
    """
    usual = [*allowed_by(schema), *_of(schema)]
    return tuple(one for one in usual if not any(one.keeps(schema).values()) and _meaningful(one, schema))


def _of(schema: ImageSchema) -> tuple[Augmentation, ...]:
    if schema.modality in XRAYS:
        return (Rotate(7.0), Shift(0.06), Scale(0.08), Contrast(0.15), Gamma(0.2), Noise(0.02))
    if schema.modality == "MR":
        return (Rotate(8.0), Shift(0.04), Elastic(0.02), Contrast(0.15), Gamma(0.25), Noise(0.03))
    if schema.modality in SLICES:
        return (Rotate(8.0), Shift(0.05), Scale(0.08), Elastic(0.02), Noise(0.02))
    if schema.modality == "US":
        return (Rotate(5.0), Shift(0.05), Scale(0.1), Brightness(0.08), Gamma(0.25), Noise(0.05))
    if schema.modality in PHOTOGRAPHS:
        return (Rotate(15.0), Shift(0.06), Scale(0.15), Brightness(0.1), Contrast(0.2), Blur(0.01))
    return (Rotate(5.0), Shift(0.05), Scale(0.05), Brightness(0.05), Contrast(0.1))


def _meaningful(one: Augmentation, schema: ImageSchema) -> bool:
    return not (schema.unit and isinstance(one, Brightness | Contrast | Gamma))
