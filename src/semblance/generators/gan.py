"""A generator and a critic trained against each other on rows of cells (Goodfellow et al. 2014).

The generator turns a hidden row of noise into the probability of every cell of every column (``data/cells.py``), from
which each column is drawn on its own; a critic tries to tell such rows from the training patients'. Which game they
play is an argument (``nets/losses.py``). Columns named in `given` are told to the generator before it draws the others,
and rare cells of them are shown more often in training, which drawing makes up for.

What is learned is checked for collapse before anyone gets it (``data/modes.py``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from semblance.conditionals.latent import LatentModel, load_model
from semblance.conditionals.premises import Premises
from semblance.contracts import Run
from semblance.data.alphabet import Alphabet, Codes
from semblance.data.cells import MIN_PATIENTS
from semblance.data.dataset import Dataset
from semblance.data.modes import Coverage, measure_modes
from semblance.errors import FitError, InputError
from semblance.extras import need
from semblance.marginals.ground import lay_ground, plan_with
from semblance.marginals.patients import cap_rows
from semblance.privacy.sampled import Sampled, cut_short
from semblance.schema import Schema

if TYPE_CHECKING:
    from semblance.nets.gan import Tuning
    from semblance.nets.gan_learning import Size

PRIVATE = {"max_cells": 32, "latent": 32, "width": 128, "depth": 1, "epochs": 40}
"""Where epsilon is promised, these are at most so large: noise grows with each number that is learned."""

LOSSES = ("minimax", "non-saturating", "wgan", "wgan-gp", "relativistic")
TARGET = "target"
TELL_BELOW = 0.9
"""A model that shows fewer of the modes that real rows would show says so."""
REFUSE_BELOW = 0.5
"""A model that shows fewer is not handed out."""
SAMPLE = 20_000
"""Rows drawn to look for modes, at most."""


@dataclass(frozen=True, slots=True)
class GAN:
    """Generator against critic.

    Attributes:
        loss: The game: "minimax", "non-saturating", "wgan", "wgan-gp" or "relativistic".
        given: Columns that the generator is told, with commas between (or a JSON list, for names that hold commas);
            "target" also stands for the schema's target, if it has one.
        max_cells: Spikes, and quantile cells, per numeric column, at most.
        min_patients: Patients behind every label, every spike and every knot of a cell.
        latent: Numbers of noise in a hidden row. width: Of both nets' layers. depth: Layers of both nets.
        steps: Updates of the critic, at most. epochs: Times that every row is seen, at most.
        batch: Rows of an update.
        learning_rate: Of both nets.
        penalty: How strongly the critic is kept smooth, as a multiple of what is usual for the loss; 0 for not at all.
        critic_steps: Updates of the critic for one of the generator; 0 for what is usual for the loss.
        ema: Weight of the past in the running average of the generator, which is what is kept.
        temperature: How soft the draws are that the gradient goes back through.
        sampled: Share of the patients in an update of the critic, where epsilon is promised. reach: Length to which a
            patient's gradient is then clipped. Nets are then no larger than `PRIVATE` says.
    """

    name: ClassVar[str] = "gan"
    about: ClassVar[str] = "a generator against a critic, on rows of cells; needs the extra 'neural'"
    extra: ClassVar[str] = "neural"
    private: ClassVar[bool] = True  # charges all it touches: may be used where epsilon is promised

    loss: str = "relativistic"
    given: str = "target"
    max_cells: int = 32
    min_patients: int = MIN_PATIENTS
    latent: int = 64
    width: int = 256
    depth: int = 2
    steps: int = 4000
    epochs: int = 30
    batch: int = 250
    learning_rate: float = 0.002
    penalty: float = 1.0
    critic_steps: int = 0
    ema: float = 0.999
    temperature: float = 1.0
    sampled: float = 0.05
    reach: float = 1.0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise InputError(f"parameter 'loss' of generator 'gan' must be one of {', '.join(LOSSES)}.")
        for name in ("min_patients", "latent", "width", "depth", "steps", "epochs", "batch", "learning_rate", "reach"):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of generator 'gan' must be above 0.")
        if self.max_cells < 4 or self.penalty < 0 or self.critic_steps < 0 or self.temperature <= 0:
            raise InputError("generator 'gan' needs at least 4 cells, a temperature above 0, and nothing below 0.")
        if not 0 < self.sampled <= 0.5:
            raise InputError("parameter 'sampled' of generator 'gan' must be above 0 and at most 0.5.")
        if not 0 <= self.ema < 1:
            raise InputError("parameter 'ema' of generator 'gan' must be at least 0 and below 1.")
        self.told()

    def told(self) -> tuple[str, ...]:
        """The names in `given`."""
        if not self.given.strip().startswith("["):
            return tuple(name.strip() for name in self.given.split(",") if name.strip())
        try:
            names = json.loads(self.given)
        except ValueError:
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError("parameter 'given' of generator 'gan' must be names with commas between, or a JSON list.")
        return tuple(names)

    def _at(self, alphabet: Alphabet) -> list[int]:
        """Positions of the told columns."""
        target = alphabet.schema.target
        names = [target if name == TARGET and name not in alphabet.names else name for name in self.told()]
        return sorted({alphabet.names.index(name) for name in names if name in alphabet.names})

    def refuses(self, schema: Schema) -> str | None:
        if not schema.modelled:
            return "every column is an identifier, free text, or left out."
        known = {column.name for column in schema.modelled}
        unknown = [name for name in self.told() if name not in known and name != TARGET]
        if unknown:
            return f"column {unknown[0]!r} of 'given' is not one that is learned; name columns of the schema."
        return None

    def fit(self, train: Dataset, run: Run) -> LatentModel:
        """Learn from training rows.

        PRIVACY: uses up what is left of `run.ledger.allowance`: cells, how common each is, and the critic's noisy steps
        (DP-SGD), each charged before it is looked at; the generator sees the critic only. At most `allowance.cap` rows
        of each patient are used (1 where it says None). Without an allowance: no formal guarantee.

        Raises:
            FitError: there is nothing to learn from, training diverged, or what was learned has collapsed.
            BudgetExceeded: nothing is left to spend; nothing was looked at.
            InputError: the game needs real rows where only the critic may see them.
            MissingExtra: PyTorch is not installed.
        """
        if run.ledger.allowance is None:
            return self._learn(train, run)
        return self._learn_privately(train, run)

    def _learn_privately(self, train: Dataset, run: Run) -> LatentModel:
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        need("neural", "generator 'gan'")
        from semblance.nets.private.gan import Plan, learn_gan

        small = self._small()
        budget = plan_with(train.schema, run.ledger, cells=small.max_cells, rest=lambda rho: small._training(rho).event)
        training = small._training(budget.rest)
        rows = cap_rows(train, budget.most)
        ground = lay_ground(rows, budget, run.ledger.spend, "gan")
        run.ledger.spend("gan/training", training.event)
        alphabet = Alphabet(ground.opened(train.schema), ground.cells)
        plan = Plan(small._size(self.steps, self.batch), small._tuning(), self.reach, training)
        told = tuple(self._at(alphabet))
        codes = alphabet.encode(rows)
        net, taken = learn_gan(alphabet, codes, rows.subjects, ground.shares, ground.rows, told, plan=plan, run=run)
        facts = {"rows": ground.rows, "steps": float(taken)}
        return LatentModel(self.name, alphabet, net, cut_short(taken, training), facts)

    def _small(self) -> GAN:
        """The recipe as it can be kept: nets no larger than noise leaves something of, a game without real rows.

        Raises:
            InputError: the critic would be kept smooth between real and generated rows.
        """
        if self.loss == "wgan-gp":
            raise InputError(
                "loss 'wgan-gp' of generator 'gan' keeps the critic smooth at real rows, which epsilon does not cover; "
                "choose another loss."
            )
        sizes = {name: min(getattr(self, name), most) for name, most in PRIVATE.items()}
        return replace(self, **sizes, loss="non-saturating" if self.loss == "relativistic" else self.loss)

    def _training(self, rho: float) -> Sampled:
        """The critic's steps: about `rho`-zCDP together."""
        return Sampled.worth(rho, rate=self.sampled, steps=min(self.steps, max(1, round(self.epochs / self.sampled))))

    def _size(self, steps: int, batch: int) -> Size:
        """How large the nets are, and how long they train."""
        from semblance.nets.gan_learning import Size

        return Size(latent=self.latent, width=self.width, depth=self.depth, steps=steps, batch=batch)

    def _tuning(self) -> Tuning:
        """How the two are trained."""
        from semblance.nets.gan import Tuning

        return Tuning(
            loss=self.loss,
            learning_rate=self.learning_rate,
            penalty=self.penalty,
            critic_steps=self.critic_steps,
            ema=self.ema,
            temperature=self.temperature,
        )

    def _learn(self, train: Dataset, run: Run) -> LatentModel:
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        need("neural", "generator 'gan'")
        from semblance.nets.gan_learning import learn

        alphabet = Alphabet.learn(train, max_cells=self.max_cells, min_patients=self.min_patients)
        codes = alphabet.encode(train)
        at = self._at(alphabet)
        premises = Premises.learn(codes, at, alphabet.sizes, train.subjects, min_patients=self.min_patients)
        batch = min(self.batch, max(32, train.n_rows // 8))
        size = self._size(min(self.steps, max(100, self.epochs * train.n_rows // batch)), batch)
        net, log = learn(alphabet, codes, premises, size=size, tuning=self._tuning(), run=run)
        made = LatentModel(self.name, alphabet, net)
        coverage = look_for_collapse(made, codes, run)
        facts = {"mode_coverage": coverage.ratio, "modes": float(coverage.modes), "steps": float(log.step)}
        if log.lines:
            facts["critic_gap"] = log.lines[-1]["gap"]
        notes = tuple(note for note in (log.note, collapse_note(coverage)) if note)
        return LatentModel(self.name, alphabet, net, notes, facts, {self.name: log.lines})

    @staticmethod
    def load(folder: Path, schema: Schema) -> LatentModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            InputError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "generator 'gan'")
        from semblance.nets.gan_net import GanNet

        return load_model(GAN.name, folder, schema, lambda cells: GanNet.load(folder, cells.sizes))


def look_for_collapse(model: LatentModel, codes: Codes, run: Run) -> Coverage:
    """Compare the training rows' modes with those of drawn rows.

    Raises:
        FitError: what was learned shows too few of them.
    """
    rows = min(SAMPLE, max(len(codes), 500))
    fake = model.alphabet.encode(model.sample(rows, run))
    coverage = measure_modes(codes, fake, run.seeds("fit/gan/modes"))
    if coverage.single or coverage.ratio < REFUSE_BELOW:
        what = (
            f"column {model.alphabet.names[coverage.single[0]]!r} always comes out the same"
            if coverage.single
            else f"it shows {coverage.ratio:.0%} of the kinds of patients that as many real rows would show"
        )
        raise FitError(
            f"the generator has collapsed: {what}; try loss=relativistic, a smaller learning_rate, a larger penalty, "
            "or more steps, or the generator 'chain'."
        )
    return coverage


def collapse_note(coverage: Coverage) -> str | None:
    """One sentence where modes are missing; None where the model shows what real rows would."""
    if coverage.ratio >= TELL_BELOW:
        return None
    return (
        f"The generator leaves out kinds of patients: it shows {coverage.ratio:.0%} of the pairs of values that as "
        "many real rows would show."
    )
