"""An environment for each peer, made once from its pinned requirements under .venv-peers/ and nowhere else."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.peers.lines import ENVIRONMENTS, OURS, Line


class CannotInstall(Exception):
    """The peer's pinned packages are not to be had here; the message says which."""


def prepare(line: Line) -> None:
    """Make the line's environment unless the very same requirements are installed already."""
    if line.requirements == OURS:
        return
    place, wanted = ENVIRONMENTS / line.requirements, line.pins.read_text(encoding="utf-8")
    stamp = place / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"  installing {line.requirements}, once", file=sys.stderr, flush=True)
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    # The files list everything, so nothing is resolved: what a peer asks for but does not bear can be left out.
    command = [str(line.python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(line.pins)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CannotInstall(last_words(done.stderr))
    stamp.write_text(wanted, encoding="utf-8")


def version(line: Line) -> str:
    """The version pinned, or our own."""
    if line.requirements == OURS:
        return importlib.metadata.version(OURS)
    found = re.search(rf"^{re.escape(line.package)}==(\S+)", line.pins.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{line.pins} does not pin {line.package}"
    return found[1]


def last_words(printed: str | Path) -> str:
    """The last line that says something of what a failed command printed, fit for a cell of a table."""
    text = printed.read_text(encoding="utf-8", errors="replace") if isinstance(printed, Path) else printed
    said = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("WARNING", "[notice]"))]
    return said[-1].replace("|", "/")[:160] if said else "it said nothing"
