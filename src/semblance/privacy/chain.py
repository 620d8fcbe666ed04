"""A file to which entries can be added, and none changed or taken out without it being seen.

Each entry holds the SHA-256 of the one before, so that a change anywhere changes every hash after it. Whoever knows
one hash, from a release folder for example, can also tell a file that was put back to an earlier state.

The file is an SQLite database of one table, so that it is written whole or not at all, and by one process at a time
however many try. Keep it on a local disk: file locks over a network are not to be relied on.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from semblance.errors import InputError, LedgerError

PATIENCE_S = 60.0
"""How long to wait for other processes that write."""
NOBODY = "0" * 64

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `facts` is what was entered; `hash` covers it and everything before it."""

    number: int
    facts: Mapping[str, Any]
    hash: str

    @property
    def kind(self) -> str:
        return str(self.facts["kind"])


@dataclass(frozen=True, slots=True)
class Chain:
    """The entries of one file. A file that is not there holds none, and comes into being with the first."""

    path: Path

    def read(self) -> tuple[Entry, ...]:
        """All entries, checked.

        Raises:
            LedgerError: an entry was changed, added, moved or taken out by something else.
            InputError: the file cannot be read.
        """
        if not self.path.exists():
            return ()
        with self._open() as base:
            return _entries(base, self.path)

    def add(self, decide: Callable[[tuple[Entry, ...]], tuple[list[dict[str, Any]], Answer]]) -> Answer:
        """Add what `decide` makes of the entries so far, while no other process can add anything.

        Args:
            decide: Entries → facts to add, each with its "kind", and the answer. If it raises, nothing is added.

        Raises:
            LedgerError, InputError: see `read`.
        """
        with self._open() as base:
            base.execute("BEGIN IMMEDIATE")
            try:
                base.execute("CREATE TABLE IF NOT EXISTS entries (n INTEGER PRIMARY KEY, body TEXT, hash TEXT)")
                known = _entries(base, self.path)
                new, answer = decide(known)
                last = known[-1].hash if known else NOBODY
                for number, facts in enumerate(new, start=len(known) + 1):
                    body = _written({**facts, "n": number, "time": _now(), "previous": last})
                    last = _hash(body)
                    base.execute("INSERT INTO entries VALUES (?, ?, ?)", (number, body, last))
                base.execute("COMMIT")
            except BaseException:
                base.execute("ROLLBACK")
                raise
        return answer

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # it tells who spent what on whom
            with closing(sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)) as base:
                yield base
        except sqlite3.OperationalError as error:
            cure = "wait for other runs to end, or check the path and its rights"
            raise InputError(f"the ledger {self.path} cannot be used ({error}); {cure}.") from error
        except sqlite3.DatabaseError as error:
            raise LedgerError(f"{self.path} is damaged, or no ledger; restore it from a copy.") from error
        except OSError as error:
            reason = error.strerror or "unknown error"
            raise InputError(
                f"the ledger {self.path} cannot be written ({reason}); name another by --ledger."
            ) from error


def _entries(base: sqlite3.Connection, path: Path) -> tuple[Entry, ...]:
    found, last = [], NOBODY
    try:
        rows = base.execute("SELECT n, body, hash FROM entries ORDER BY n").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            rows = []
        else:
            raise
    for position, (number, body, digest) in enumerate(rows, start=1):
        try:
            facts = json.loads(body)
            whole = number == position == facts["n"] and facts["previous"] == last and _hash(body) == digest
        except (TypeError, ValueError, KeyError):
            whole = False
        if not whole:
            raise LedgerError(
                f"{path}: entry {position} is not what was once entered, or stands in another place; "
                "restore the file from a copy, and find out who changed it."
            )
        found.append(Entry(number, facts, digest))
        last = digest
    return tuple(found)


def _written(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
