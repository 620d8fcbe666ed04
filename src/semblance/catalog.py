"""The only lists of what there is. A new generator, audit, format or engine is one file and one line here.

Names exist only for the command line and for files; Python callers pass the objects themselves.
"""

from __future__ import annotations

from semblance.audits.canaries import CanaryAudit
from semblance.audits.copies import Copies
from semblance.audits.fidelity import Fidelity
from semblance.audits.images.copies import ImageCopies
from semblance.audits.images.invariance import Invariance
from semblance.audits.images.likeness import ImageLikeness
from semblance.audits.images.membership import ImageMembership
from semblance.audits.images.shift import SiteShift
from semblance.audits.images.shortcut import Shortcut
from semblance.audits.inference import Inference
from semblance.audits.linkage import Linkage
from semblance.audits.membership import Membership
from semblance.audits.reconstruction import Reconstruction
from semblance.audits.singling_out import SinglingOut
from semblance.audits.source import Source
from semblance.audits.utility import Utility
from semblance.audits.validity import Validity
from semblance.augment.elastic import Elastic
from semblance.augment.grain import Blur, Cutout, Noise
from semblance.augment.light import Brightness, Contrast, Gamma
from semblance.augment.mirror import Flip, Turn
from semblance.augment.mixup import Mixup
from semblance.augment.place import Crop, Rotate, Scale, Shift
from semblance.contracts import Audit, Engine, Format, Generator
from semblance.engines.local import Local
from semblance.formats.csv import Csv
from semblance.formats.dicom import Dicom
from semblance.formats.nifti import Nifti
from semblance.formats.npz import Npz
from semblance.formats.parquet import Parquet
from semblance.formats.picture import Png, Tiff
from semblance.generators.chain import Chain
from semblance.generators.gan import GAN
from semblance.generators.images.cyclegan import CycleGAN
from semblance.generators.images.features import Features
from semblance.generators.images.flow import Flow
from semblance.generators.images.gan import ImageGAN
from semblance.generators.images.mask import Mask
from semblance.generators.independent import Independent
from semblance.generators.marginals import Marginals
from semblance.generators.vae import VAE
from semblance.image_contracts import Augmentation, ImageAudit, ImageFormat, ImageGenerator

GENERATORS: dict[str, type[Generator]] = {recipe.name: recipe for recipe in (Chain, GAN, Independent, Marginals, VAE)}

_DRAWERS: tuple[type[ImageGenerator], ...] = (CycleGAN, Features, Flow, ImageGAN, Mask)

IMAGE_GENERATORS: dict[str, type[ImageGenerator]] = {recipe.name: recipe for recipe in _DRAWERS}

_QUESTIONS: tuple[type[Audit], ...] = (
    Source,
    Validity,
    Fidelity,
    Utility,
    Copies,
    Membership,
    SinglingOut,
    Linkage,
    Inference,
    Reconstruction,
    CanaryAudit,
)

AUDITS: dict[str, type[Audit]] = {audit.name: audit for audit in _QUESTIONS}
"""In the order in which a report tells them."""

_LOOKS: tuple[type[ImageAudit], ...] = (ImageLikeness, ImageCopies, ImageMembership, Shortcut, SiteShift, Invariance)

IMAGE_AUDITS: dict[str, type[ImageAudit]] = {audit.name: audit for audit in _LOOKS}
"""In the order in which a report tells them."""

_CHANGES: tuple[type[Augmentation], ...] = (
    Rotate,
    Shift,
    Scale,
    Crop,
    Flip,
    Turn,
    Elastic,
    Brightness,
    Contrast,
    Gamma,
    Noise,
    Blur,
    Cutout,
    Mixup,
)

AUGMENTATIONS: dict[str, type[Augmentation]] = {change.name: change for change in _CHANGES}

FORMATS: dict[str, type[Format]] = {form.name: form for form in (Csv, Parquet)}

IMAGE_FORMATS: dict[str, type[ImageFormat]] = {form.name: form for form in (Dicom, Nifti, Npz, Png, Tiff)}

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (Local,)}
