"""Optional packages: found before they are needed, and asked for in one sentence."""

from __future__ import annotations

from importlib.util import find_spec

from semblance.errors import MissingExtra

EXTRAS = {"images": ("nibabel", "PIL", "pydicom"), "neural": ("torch", "safetensors", "opacus")}
"""What each extra installs, by the names that are imported."""


def need(extra: str, what: str) -> None:
    """See that an extra is installed.

    Args:
        what: Who needs it, to begin the sentence with: "generator 'vae'".

    Raises:
        MissingExtra: it is not; the sentence holds the line that installs it.
    """
    lacking = [name for name in EXTRAS[extra] if find_spec(name) is None]
    if lacking:
        raise MissingExtra(f"{what} needs {' and '.join(lacking)}: pip install 'semblance[{extra}]' and run it again.")
