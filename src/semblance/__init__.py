"""Synthetic patients that resemble everyone and are no one.

    import semblance as sb

The nouns are classes, the verbs are functions, and the command line calls the same verbs. Nothing heavy is imported
until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semblance.conditioning import impute, sample_given
    from semblance.contracts import Comparison, Run
    from semblance.data.dataset import Dataset
    from semblance.data.images import Images
    from semblance.data.split import Vault
    from semblance.errors import SemblanceError
    from semblance.evidence import Evidence, Finding
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
    from semblance.image_schema import ImageSchema
    from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order
    from semblance.pipeline import (
        Outcome,
        Sweep,
        audit,
        begin,
        decide,
        describe,
        describe_images,
        explain_column,
        fit,
        fit_images,
        forge_of,
        judge,
        load_schema,
        paint_masks,
        read,
        read_images,
        release,
        run,
        sample,
        sample_images,
        sample_to,
        source_risk,
        split,
        sweep,
        train,
        translate_images,
        write_images,
    )
    from semblance.pipeline.spending import Budget
    from semblance.privacy.ledger import Ledger
    from semblance.release.bundle import verify
    from semblance.release.gate import Policy, Verdict
    from semblance.schema import Column, Schema
    from semblance.seeds import Seeds

__version__ = "0.1.0"

_HOMES = {
    "semblance.conditioning": ("impute", "sample_given"),
    "semblance.contracts": ("Comparison", "Run"),
    "semblance.data.dataset": ("Dataset",),
    "semblance.data.images": ("Images",),
    "semblance.data.split": ("Vault",),
    "semblance.errors": ("SemblanceError",),
    "semblance.evidence": ("Evidence", "Finding"),
    "semblance.generators.chain": ("Chain",),
    "semblance.generators.gan": ("GAN",),
    "semblance.generators.images.cyclegan": ("CycleGAN",),
    "semblance.generators.images.features": ("Features",),
    "semblance.generators.images.flow": ("Flow",),
    "semblance.generators.images.gan": ("ImageGAN",),
    "semblance.generators.images.mask": ("Mask",),
    "semblance.generators.independent": ("Independent",),
    "semblance.generators.marginals": ("Marginals",),
    "semblance.generators.vae": ("VAE",),
    "semblance.image_schema": ("ImageSchema",),
    "semblance.language.rule": ("Anchor", "Combination", "Derived", "MissingUnless", "Order"),
    "semblance.pipeline": (
        "Outcome",
        "Sweep",
        "audit",
        "begin",
        "decide",
        "describe",
        "describe_images",
        "explain_column",
        "fit",
        "fit_images",
        "forge_of",
        "judge",
        "load_schema",
        "paint_masks",
        "read",
        "read_images",
        "release",
        "run",
        "sample",
        "sample_images",
        "sample_to",
        "source_risk",
        "split",
        "sweep",
        "train",
        "translate_images",
        "write_images",
    ),
    "semblance.pipeline.spending": ("Budget",),
    "semblance.privacy.ledger": ("Ledger",),
    "semblance.release.bundle": ("verify",),
    "semblance.release.gate": ("Policy", "Verdict"),
    "semblance.schema": ("Column", "Schema"),
    "semblance.seeds": ("Seeds",),
}

__all__ = [
    "GAN",
    "VAE",
    "Anchor",
    "Budget",
    "Chain",
    "Column",
    "Combination",
    "Comparison",
    "CycleGAN",
    "Dataset",
    "Derived",
    "Evidence",
    "Features",
    "Finding",
    "Flow",
    "ImageGAN",
    "ImageSchema",
    "Images",
    "Independent",
    "Ledger",
    "Marginals",
    "Mask",
    "MissingUnless",
    "Order",
    "Outcome",
    "Policy",
    "Run",
    "Schema",
    "Seeds",
    "SemblanceError",
    "Sweep",
    "Vault",
    "Verdict",
    "audit",
    "begin",
    "decide",
    "describe",
    "describe_images",
    "explain_column",
    "fit",
    "fit_images",
    "forge_of",
    "impute",
    "judge",
    "load_schema",
    "paint_masks",
    "read",
    "read_images",
    "release",
    "run",
    "sample",
    "sample_given",
    "sample_images",
    "sample_to",
    "source_risk",
    "split",
    "sweep",
    "train",
    "translate_images",
    "verify",
    "write_images",
]


def __getattr__(name: str) -> Any:
    """Import the public face when any of it is first used.

    All of it at once, because the verb `release` shares its name with the room ``semblance.release``: importing the
    room sets the attribute, so the verb has to be put back after the last import.
    """
    if name not in __all__:
        raise AttributeError(f"module 'semblance' has no attribute {name!r}")
    for home, names in _HOMES.items():
        module = import_module(home)
        globals().update({public: getattr(module, public) for public in names})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)
