"""How often the same patients were held out to judge a release.

Each look at the held-out patients tells a little about them, and whoever may look often can tune a table until the
tests, and not the patients, say that it is safe. So the looks are counted where they can be seen: a release that
replaces another one, cut from the same source in the same way, was judged by the same held-out patients again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semblance.errors import SemblanceError
from semblance.release.manifest import read_manifest


def earlier_uses(out: Path, *, source: str, split: str) -> int:
    """How often the holdout had served the releases that were written to `out` before; 0 where none is there.

    Args:
        source: Fingerprint of the real table. split: SHA-256 of who was held out.
    """
    try:
        known: Any = read_manifest(Path(out))["provenance"]
        same = known["source"]["fingerprint"] == source and known["hashes"]["split"] == split
        return int(known["holdout"]["uses"]) if same else 0
    except (SemblanceError, OSError, KeyError, TypeError, ValueError):
        return 0  # no release of ours, or one that does not say
