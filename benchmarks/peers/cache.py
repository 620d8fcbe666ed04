"""What was measured is kept in benchmarks/.cache, under a key of everything it depends on.

One folder a (table, line): `synthetic.csv`, `record.json` with the key and the cost, `score.json` with the scorer's own
key. An interrupted benchmark goes on where it stopped, and a change of Semblance re-measures Semblance only.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from benchmarks.peers.lines import OURS, ROOT, Line

CACHE = ROOT / "benchmarks" / ".cache"
LIBRARIES = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")


def digest(*parts: str | bytes | Path) -> str:
    """Of texts, bytes, files and folders of Python code, in order and kept apart."""
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(part.rglob("*.py")) if part.is_dir() else [part]
            part = "".join(digest(file.read_bytes()) for file in files)
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()


def libraries() -> str:
    return " ".join(f"{name}=={importlib.metadata.version(name)}" for name in LIBRARIES)


def line_key(line: Line, rows: Path, seed: int) -> str:
    """Of the code that is run, its versions, the rows it learns from and the seed. The limit is no part of it."""
    versions = (ROOT / "src", libraries()) if line.requirements == OURS else (line.pins,)
    return digest(line.script, *versions, rows, json.dumps([line.settings, seed], sort_keys=True))


def recall(path: Path, key: str) -> dict[str, Any] | None:
    """What was written under that key, or None."""
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if found["key"] == key else None


def remember(path: Path, key: str, found: dict[str, Any]) -> dict[str, Any]:
    """Write it whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"key": key, **found}, indent=1), encoding="utf-8")
    draft.replace(path)
    return recall(path, key) or {}
