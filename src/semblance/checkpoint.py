"""Finished parts of a long piece of work, kept beside what it will make, so that it can be stopped and resumed.

.MODEL.partial/
├─ work.json        what the work is of: a SHA-256 each for source, schema, generator, seed and versions
└─ chain-0003/      one finished part: what the step wrote, and seal.json with the SHA-256 of each file

A part is written under another name, flushed to the disk and renamed: it is there whole or not at all, whenever the
process is killed. A part whose files do not match their seal is thrown away and made again.

Privacy: this is a model in the making, as private as a finished one. Only its owner can open the folder, and it is
removed once the work has come to its end.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from semblance.errors import InputError
from semblance.evidence import canonical_json

BEGUN = "work.json"
SEAL = "seal.json"
UNFINISHED = "tmp-"


def place_beside(target: Path) -> Path:
    """Where the unfinished work on `target` lies."""
    return target.parent / f".{target.name}.partial"


def check_resumable(target: Path, *, resume: bool) -> None:
    """Refuse early to begin anew over work that somebody may want to continue.

    Raises:
        InputError: there is unfinished work, and nobody asked to resume it.
    """
    place = place_beside(target)
    if not resume and (place / BEGUN).is_file():
        raise InputError(
            f"{place} holds the work of an interrupted run; add --resume (resume=True) to continue it, "
            "or delete that folder to begin anew."
        )


@dataclass(frozen=True, slots=True)
class Work:
    """A Checkpoint (``contracts.py``) in a folder that comes into being with its first part.

    Attributes:
        place: The folder. begun: What the work is of, as `work.json` holds it.
    """

    place: Path
    begun: Mapping[str, str]

    @property
    def scratch(self) -> Path | None:
        """Where the finished thing may be put together, so that nothing else is left lying about; None as yet."""
        return self.place if self.place.is_dir() else None

    def get(self, key: str) -> Path | None:
        """The folder of a finished part; None where there is none. A damaged one is removed."""
        part = self.place / key
        if not part.is_dir():
            return None
        if _sealed(part):
            return part
        shutil.rmtree(part, ignore_errors=True)
        return None

    def put(self, key: str, write: Callable[[Path], object]) -> None:
        """Let `write` fill an empty folder and keep it under `key`, whole or not at all, in place of an earlier one.

        Raises:
            OSError: the disk is full, or the place cannot be written to.
        """
        self._begin()
        building = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.place))
        try:
            write(building)
            files = {file.name: _digest(file) for file in sorted(building.iterdir())}
            _write_through(building / SEAL, canonical_json(files))
            for name in files:
                _flush(building / name)
            _flush(building)
            shutil.rmtree(self.place / key, ignore_errors=True)  # killed here, the earlier part is lost, nothing else
            building.replace(self.place / key)
            _flush(self.place)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def forget(self, prefix: str) -> None:
        """Remove the finished parts whose keys begin so: what they were for is finished, too."""
        for part in self.place.glob(f"{glob.escape(prefix)}*"):
            shutil.rmtree(part, ignore_errors=True)

    def _begin(self) -> None:
        if not (self.place / BEGUN).is_file():
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=UNFINISHED, dir=self.place)
            os.close(descriptor)
            _write_through(Path(name), canonical_json(dict(self.begun)))
            Path(name).replace(self.place / BEGUN)


@contextmanager
def work_on(target: Path, of: Mapping[str, str], *, resume: bool) -> Iterator[Work]:
    """The unfinished work on `target`; gone once the block ends well, kept when anything stops it.

    Args:
        of: What must be the same for the work to be continued: "source", "schema", …, as texts of any length.

    Raises:
        InputError: there is unfinished work, and it is of something else or nobody asked to resume it.
        KeyboardInterrupt: with a note on how to go on, when it comes from the block and something was kept.
    """
    check_resumable(target, resume=resume)
    work = Work(place_beside(target), {what: hashlib.sha256(text.encode()).hexdigest() for what, text in of.items()})
    _tidy(work)
    try:
        yield work
    except KeyboardInterrupt as stopped:
        if (work.place / BEGUN).is_file():
            stopped.add_note(f"what was learned is kept in {work.place}; add --resume (resume=True) to continue")
        raise
    (work.place / BEGUN).unlink(missing_ok=True)  # first, so that what is left of a killed removal is never resumed
    shutil.rmtree(work.place, ignore_errors=True)


def _tidy(work: Work) -> None:
    """See that what is there is of the same work, and remove what was being written when the last run was killed."""
    if not work.place.is_dir():
        return
    begun = work.place / BEGUN
    if not begun.is_file():
        shutil.rmtree(work.place)
        return
    try:
        before = json.loads(begun.read_text(encoding="utf-8"))
        other = [what for what in work.begun if before.get(what) != work.begun[what]]
    except (ValueError, AttributeError):
        other = ["record of what it is"]
    if other:
        raise InputError(
            f"{work.place} holds work begun with another {' and another '.join(other)}; "
            "run the command as it was then, or delete that folder to begin anew."
        )
    for left in work.place.glob(f"{UNFINISHED}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _sealed(part: Path) -> bool:
    """Whether every file is there, no other, and each as it was written."""
    try:
        seal = json.loads((part / SEAL).read_text(encoding="utf-8"))
        return bool(seal == {file.name: _digest(file) for file in part.iterdir() if file.name != SEAL})
    except (OSError, ValueError):
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _write_through(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    _flush(file)


def _flush(path: Path) -> None:
    """Have the disk hold a file, or the names in a folder, before going on."""
    if path.is_dir() and os.name != "posix":  # only there can a folder be opened
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
