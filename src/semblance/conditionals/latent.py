"""Models that draw a hidden row first, and then each column on its own given it: plain rows, and rows under conditions.

A condition on such a model weighs its hidden rows by how likely they meet it; rows wanted are then resampled from many
weighted hidden rows, and their cells drawn among what is allowed: sampling importance resampling (Rubin 1988). Every
row meets the conditions exactly; what is approximate is the distribution of the rest, and the Account says how well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from semblance.conditionals.evidence import Allowed, read_evidence
from semblance.contracts import Account, Filled, Run
from semblance.data.alphabet import Alphabet, Codes
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import InputError, Unsupported
from semblance.schema import Schema
from semblance.seeds import Seeds

Wide = NDArray[np.float32]
Floats = NDArray[np.float64]

FILE, TRAINING = "cells.json", "training.json"
BLOCK = 2**13
"""Hidden rows decoded at a time: what bounds the memory. Part of what a seed means."""
SPARE = 2.0
"""Effective hidden rows wanted for each row, so that few rows share one."""
MOST = 64
"""Hidden rows weighed for each row wanted (or for each of FEWEST), at most."""
FEWEST = 512


class Net(Protocol):
    """What a generator learned, in numbers; the columns' cells and their order are the model's."""

    def propose(self, n: int, rng: np.random.Generator, allowed: Mapping[int, Floats]) -> tuple[Wide, Floats]:
        """Hidden rows, and the natural log of the weight that makes each count as one drawn freely: (n, d), (n,).

        Args:
            allowed: Position of a column → how much of each of its cells may be drawn. A net may use it to propose
                rows that meet conditions more often; log weights then say how much more likely they were proposed.
        """

    def log_chances(self, hidden: Wide) -> Wide:
        """Natural log of the probability of every cell of every column given the hidden row: (n, d) -> (n, width)."""

    def save(self, folder: Path) -> None:
        """Write data files into `folder`."""


@dataclass(frozen=True, eq=False)
class LatentModel:
    """A fitted net together with the cells it speaks in.

    Attributes:
        name: Of the generator, for seeds. net: What was learned. notes: What a reader must know about how.
        facts: What was measured while it learned. training: Its curves, by the name of what was learned.
    """

    name: str
    alphabet: Alphabet
    net: Net
    notes: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"LatentModel({self.name}: {len(self.alphabet.cells)} columns)"

    @property
    def schema(self) -> Schema:
        return self.alphabet.schema

    @property
    def rows(self) -> float | None:
        """Rows that were learned from, as far as noise lets know; None where that was no secret."""
        return self.facts.get("rows")

    @property
    def keeps_real_values(self) -> bool:
        """True where some labels were too rare to be drawn: the schema saved beside the model still lists them."""
        return self.alphabet.n_rare > 0

    def sample(self, n: int, run: Run) -> Dataset:
        """Draw `n` rows. Reads no real data."""
        seeds = run.seeds.within(f"sample/{self.name}")
        blocks = []
        for start in range(0, n, BLOCK):
            run.progress("drawing rows", start, n)
            rng = seeds(f"hidden/{start}")
            hidden, _ = self.net.propose(min(BLOCK, n - start), rng, {})
            blocks.append(self._cells(hidden, {}, rng))
        codes = np.concatenate(blocks) if blocks else np.empty((0, len(self.alphabet.cells)), dtype=np.int32)
        run.progress("drawing rows", n, n)
        return self.alphabet.decode(codes, seeds)

    def sample_given(self, n: int, given: Sequence[str], run: Run) -> tuple[Dataset, Account]:
        """Draw `n` rows that all meet the conditions, and say what they are worth.

        Args:
            given: Such as "sex=F", "age>=65", "ward in icu|surgery", "lactate is missing".

        Raises:
            InputError: a condition is not understood, or no value that the model can draw meets it.
        """
        evidence = read_evidence(given, self.alphabet.names, self.alphabet.cells)
        if not evidence:
            raise InputError("no condition was given; write one such as age>=65, or sample without.")
        seeds = run.seeds.within(f"sample/{self.name}/given")
        hidden, account = self._hidden_given(n, {at: allowed.share for at, allowed in evidence.items()}, seeds)
        blocks = [
            self._cells(hidden[start : start + BLOCK], evidence, seeds(f"cells/{start}"))
            for start in range(0, n, BLOCK)
        ]
        codes = np.concatenate(blocks)
        drawn: dict[str, pd.Series[Any]] = {}
        for position, cells in enumerate(self.alphabet.cells):
            rng, name = seeds(f"values/{cells.column.name}"), cells.column.name
            mine = codes[:, position]
            drawn[name] = evidence[position].decode(mine, rng) if position in evidence else cells.decode(mine, rng)
        return from_columns(drawn, self.schema, n), account

    def impute(self, data: Dataset, run: Run, *, columns: Sequence[str] = ()) -> tuple[Dataset, Filled]:
        """Not offered. Raises Unsupported."""
        raise Unsupported(f"generator {self.name!r} cannot fill gaps; fit one with the generator 'chain', which can.")

    def log_prob(self, data: Dataset) -> Floats:
        """Not offered: the probability of a row has no closed form here. Raises Unsupported."""
        raise Unsupported(
            f"generator {self.name!r} cannot tell the probability of a row; fit one with 'chain', which can."
        )

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels of a column that can be drawn. Raises InputError where it is not learned or holds no labels."""
        return self.alphabet.labels_of(column)

    def save(self, folder: Path) -> None:
        """Write the cells, the training curves, and what the net writes."""
        told = {"cells": self.alphabet.to_list(), "facts": dict(self.facts)}
        (folder / FILE).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        (folder / TRAINING).write_text(json.dumps(self.training), encoding="utf-8")
        self.net.save(folder)

    def _hidden_given(self, n: int, shares: Mapping[int, Floats], seeds: Seeds) -> tuple[Wide, Account]:
        """Hidden rows resampled by how likely they meet the conditions: (n, d)."""
        pool = max(n, FEWEST)
        proposed: list[Wide] = []
        weighed: list[Floats] = []
        for turn in range(MOST):
            hidden, log_weights = self._weighed(pool, shares, seeds(f"pool/{turn}"))
            proposed.append(hidden)
            weighed.append(log_weights)
            logs = np.concatenate(weighed)
            if not np.isfinite(logs).any():
                continue
            weights = np.exp(logs - logsumexp(logs))
            effective = float(1 / np.square(weights).sum())
            if effective >= SPARE * n or effective > 0.999 * len(logs) >= n:
                break
        else:
            if not np.isfinite(logs).any():
                raise InputError("the model never draws rows that meet all conditions together; widen one of them.")
        chosen = _systematic(weights, n, seeds("resample"))
        places = seeds("order").permutation(chosen)
        account = Account(
            rows=n,
            particles=len(logs),
            effective=effective,
            repeated=n - len(np.unique(chosen)),
            probability=float(np.exp(logsumexp(logs) - np.log(len(logs)))),
        )
        return np.concatenate(proposed)[places], account

    def _weighed(self, n: int, shares: Mapping[int, Floats], rng: np.random.Generator) -> tuple[Wide, Floats]:
        """Proposed hidden rows and their log weights, in blocks."""
        parts = []
        for start in range(0, n, BLOCK):
            hidden, log_weights = self.net.propose(min(BLOCK, n - start), rng, shares)
            blocks = self._by_column(self.net.log_chances(hidden))
            for position, share in shares.items():
                with np.errstate(divide="ignore"):
                    log_weights = log_weights + np.log(np.exp(blocks[position].astype(np.float64)) @ share)
            parts.append((hidden, log_weights))
        return np.concatenate([h for h, _ in parts]), np.concatenate([w for _, w in parts])

    def _cells(self, hidden: Wide, evidence: Mapping[int, Allowed], rng: np.random.Generator) -> Codes:
        """One cell of each column, each column on its own: (n, n_columns)."""
        codes = np.empty((len(hidden), len(self.alphabet.cells)), dtype=np.int32)
        for position, block in enumerate(self._by_column(self.net.log_chances(hidden))):
            chances = np.exp(block.astype(np.float64))
            if position in evidence:
                chances *= evidence[position].share
            upto = np.cumsum(chances, axis=1)
            aim = rng.random((len(hidden), 1)) * upto[:, -1:]
            drawn = (upto <= aim).sum(axis=1)
            last = chances.shape[1] - 1 - np.argmax(chances[:, ::-1] > 0, axis=1)  # a tie of rounding at the very end
            codes[:, position] = np.minimum(drawn, last)
        return codes

    def _by_column(self, wide: Wide) -> list[Wide]:
        return np.split(wide, np.cumsum(self.alphabet.sizes)[:-1], axis=1)


def load_model(name: str, folder: Path, schema: Schema, read_net: Callable[[Alphabet], Net]) -> LatentModel:
    """Read back what `LatentModel.save` wrote: JSON and what the net wrote, none of which runs code.

    Args:
        name: Of the generator. read_net: Reads the net's own files, given the cells it speaks in.

    Raises:
        InputError: the folder does not hold such a model, or a file of it is damaged.
    """
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        training = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
        alphabet = Alphabet.from_list(told["cells"], schema)
        return LatentModel(name, alphabet, read_net(alphabet), facts=dict(told["facts"]), training=training)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{folder} does not hold a complete {name} model; fit it again or copy the whole folder."
        ) from error


def _systematic(weights: Floats, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`n` positions, each as often as its weight says, up to one (Kitagawa 1996)."""
    places = (rng.random() + np.arange(n)) / n
    upto = np.cumsum(weights)
    return np.minimum(np.searchsorted(upto / upto[-1], places, side="right"), len(weights) - 1).astype(np.int64)
