"""Tissue maps of the MNI152 template, as nilearn ships them inside its wheel; fetched once into benchmarks/.cache.

The wheel is installed without what it depends on into `.venv-phantom`, an environment of its own, and nothing of it is
run: only its data files are read. The template is by Fonov et al. 2011 (© 1993–2009 Louis Collins, McConnell Brain
Imaging Centre, McGill University), free to use; Semblance ships nothing of it.
"""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENT, PINS = ROOT / ".venv-phantom", HERE / "phantom.txt"
KEPT = ROOT / "benchmarks" / ".cache" / "phantom" / "maps.npz"
NAMES = {"gm": "gm", "wm": "wm", "t1": "t1"}


def tissue_maps() -> dict[str, NDArray[np.float32]]:
    """Shares of grey and white matter, and the brain itself, 0 to 1, at 1 mm: (x, y, z) each, from left to right."""
    if not KEPT.exists():
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        folder = install()
        found = {n: np.asarray(nibabel.load(folder / file_of(n)).dataobj, dtype=np.uint8) for n in NAMES}
        draft = KEPT.with_suffix(".draft.npz")
        np.savez_compressed(draft, **found)
        draft.replace(KEPT)
    with np.load(KEPT) as found:
        gm, wm, t1 = (found[name].astype(np.float32) / 255 for name in ("gm", "wm", "t1"))
    return {"gm": gm, "wm": wm, "brain": ndimage.binary_fill_holes(t1 > 0).astype(np.float32)}


def file_of(name: str) -> str:
    return f"mni_icbm152_{NAMES[name]}_tal_nlin_sym_09a_converted.nii.gz"


def install() -> Path:
    """The folder of nilearn's data files."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(PINS)]
    subprocess.run(command, check=True)
    (folder,) = ENVIRONMENT.glob("lib/python*/site-packages/nilearn/datasets/data")
    return folder
