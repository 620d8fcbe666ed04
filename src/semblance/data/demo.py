"""The real patients and X-rays that ship inside the package: where they are and whom to thank for them."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

TARGET = "hospdead"
"""Died in hospital: what a model trained on these patients is asked to predict."""

ATTRIBUTION = (
    "Built on an extract of SUPPORT2: 9,105 seriously ill adults in five US hospitals, 1989–1994. "
    "Knaus et al. (1995), The SUPPORT prognostic model, Annals of Internal Medicine 122:191–203; "
    "UCI Machine Learning Repository, data set 880; licence CC BY 4.0."
)

XRAY_LABEL = "finding"
XRAY_CLASSES = ("normal", "pneumonia")
"""What the numbers of the file stand for, in their order."""

XRAY_ATTRIBUTION = (
    "Built on an extract of PneumoniaMNIST: 3,424 chest X-rays of children, 28 × 28 pixels. Kermany et al. (2018), "
    "Identifying medical diagnoses and treatable diseases by image-based deep learning, Cell 172:1122–1131, from the "
    "Guangzhou Women and Children's Medical Center; Yang et al. (2023), MedMNIST v2, Scientific Data 10:41; "
    "licence CC BY 4.0."
)


def patients() -> Path:
    """The bundled SUPPORT2 extract: a gzipped CSV, 9,105 rows × 33 columns, one row per patient."""
    return Path(str(files("semblance.data"))) / "bundled" / "support2.csv.gz"


def chest_xrays() -> Path:
    """The bundled PneumoniaMNIST extract: an .npz of 2,500 training, 300 validation and 624 test images with labels."""
    return Path(str(files("semblance.data"))) / "bundled" / "pneumonia.npz"


def attribution(fingerprint: str) -> str:
    """Whom to thank when the source with this SHA-256 is the bundled one; empty for any other."""
    own = hashlib.sha256(patients().read_bytes()).hexdigest()
    return ATTRIBUTION if fingerprint == own else ""
