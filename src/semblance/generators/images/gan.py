"""A generator and a critic of images trained against each other (Goodfellow et al. 2014; ``nets/images/gan.py``).

The generator draws an image at one go; which game the two play is an argument (``nets/losses.py``). What is learned is
checked for collapse before anyone gets it (``imaging/collapse.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run, silent
from semblance.data.images import Images
from semblance.errors import FitError, InputError
from semblance.extras import need
from semblance.image_schema import ImageSchema
from semblance.imaging.collapse import Variety, measure_variety
from semblance.imaging.model import DrawnModel, Mixture, load_drawn
from semblance.imaging.onlooker import Onlooker
from semblance.imaging.precision import PRECISIONS
from semblance.imaging.told import LABEL, labels_of, refuse_unknown

if TYPE_CHECKING:
    from semblance.nets.images.augment import Dial
    from semblance.nets.images.gan_learning import Plan
    from semblance.nets.images.gan_net import GanNet
    from semblance.nets.training import Log

LOSSES = ("minimax", "non-saturating", "wgan", "wgan-gp", "lsgan", "hinge", "relativistic")
CRITIC_STEPS = {"wgan": 5, "wgan-gp": 5}
JUDGED_BY_CHANCE = ("minimax", "non-saturating")
"""Games whose critic, at its best, would tell the Jensen–Shannon divergence."""
FOLDS = (0, 1, 2, 4, 8)
GAMMA, GAMMA_PIXELS = 0.5, 28 * 28
KIMG, KIMG_PIXELS = 120, 28 * 28
TELL_BELOW, REFUSE_BELOW = 0.7, 0.3
"""A model whose images vary less than such a share of what real ones do says so, or is not handed out."""


@dataclass(frozen=True, slots=True)
class ImageGAN:
    """Generator against critic.

    Attributes:
        loss: The game: "minimax", "non-saturating", "wgan", "wgan-gp", "lsgan", "hinge" or "relativistic".
        given: Conditions that both nets are told, with commas between; "label" stands for the classes, if there are
            any; nothing for none.
        ramp: Share of the training after which labels count in full; they count nothing for the first half of it.
        kimg: Thousands of images to learn from, counted each time that one is seen; 0 for what suits their size.
        batch: Images of a step.
        learning_rate: Of the generator. critic_pace: The critic's, as a multiple of it.
        gamma: How strongly the critic is kept smooth, at first; 0 for what suits the game and the images' size.
        lazy: Updates of the critic for one with the penalty, which then weighs as much more.
        critic_steps: Updates of the critic for one of the generator; 0 for what is usual for the game.
        ema: Weight of the past in the running average of the generator, which is what is kept.
        adaptive: Whether the strength of augmentation is set by what the critic has learned by heart, for which a
            twentieth of the training patients are kept from both nets.
        augment: Probability of each change at first, and throughout where it is not adaptive.
        latent: Numbers of noise for the whole image. width: Channels of the coarsest map, of both nets; a finer map
            has half as many. depth: Blocks of each map of the generator.
        fold: Side of the squares of pixels that enter as one; 0 for what suits the size of the images.
        neighbours: Whether the critic sees how images of a batch differ.
        precision: "auto", "float32" or "bfloat16".
    """

    name: ClassVar[str] = "gan"
    about: ClassVar[str] = "a generator against a critic: draws an image at one go; seven games"
    extra: ClassVar[str] = "neural"

    loss: str = "relativistic"
    given: str = LABEL
    ramp: float = 0.1
    kimg: int = 0
    batch: int = 32
    learning_rate: float = 0.0004
    critic_pace: float = 2.0
    gamma: float = 0.0
    lazy: int = 4
    critic_steps: int = 0
    ema: float = 0.998
    adaptive: bool = True
    augment: float = 0.0
    latent: int = 128
    width: int = 128
    depth: int = 1
    fold: int = 0
    neighbours: bool = True
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name, known in (("loss", LOSSES), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise InputError(f"parameter {name!r} of image generator 'gan' must be one of {', '.join(known)}.")
        for name in ("batch", "learning_rate", "critic_pace", "lazy", "latent", "depth"):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of image generator 'gan' must be above 0.")
        if self.width < 16 or self.width % 16:
            raise InputError("parameter 'width' of image generator 'gan' must be a multiple of 16.")
        if self.fold not in FOLDS:
            raise InputError("parameter 'fold' of image generator 'gan' must be 0, 1, 2, 4 or 8.")
        if min(self.kimg, self.gamma, self.critic_steps) < 0:
            raise InputError("'kimg', 'gamma' and 'critic_steps' of image generator 'gan' must not be below 0.")
        if not (0 <= self.ema < 1 and 0 <= self.ramp <= 1 and 0 <= self.augment <= 1):
            raise InputError("'ema' of image generator 'gan' is 0 to below 1, 'ramp' and 'augment' are 0 to 1.")

    def refuses(self, schema: ImageSchema) -> str | None:
        """Why it cannot learn such images."""
        return refuse_unknown(self.given, schema)

    def fit(self, train: Images, run: Run) -> DrawnModel:
        """Learn from training images. Without differential privacy: no formal guarantee.

        Raises:
            FitError: there is nothing to learn from, training diverged, or what was learned has collapsed.
            MissingExtra: PyTorch is not installed.
        """
        reason = self.refuses(train.schema)
        if reason or len(train) < 2:
            raise FitError(reason or "there are no two training images; check the folder.")
        need("neural", "image generator 'gan'")
        from semblance.nets.images.gan_learning import learn

        schema = replace(train.schema, structures=())  # masks are not learned
        labels = labels_of(train, given=self.given)
        onlooker = Onlooker(run.gallery, schema)
        shown = onlooker.labels()

        def see(net: GanNet, log: Log) -> None:
            onlooker.see(log.step, net.draw(shown, replace(run, progress=silent)), log.lines)

        sizes = tuple(len(known) for known in schema.conditions.values())
        plan = self._plan(len(train), schema)
        unit = train.unit()
        net, log, dial = learn(
            unit, labels, train.patients, sizes, plan=plan, run=run, see=see if run.gallery else None
        )
        made = DrawnModel(self.name, schema, net, Mixture.learn(labels))
        variety = look_for_collapse(made, unit, labels, run)
        notes = tuple(note for note in (log.note, collapse_note(variety, schema)) if note)
        return replace(made, notes=notes, facts=self._facts(plan, log, dial, variety), training={self.name: log.lines})

    def _plan(self, n: int, schema: ImageSchema) -> Plan:
        from semblance.nets.images.gan import Tuning
        from semblance.nets.images.gan_learning import Plan

        batch = min(self.batch, n)
        tuning = Tuning(
            loss=self.loss,
            learning_rate=self.learning_rate,
            critic_pace=self.critic_pace,
            gamma=self.gamma or usual_gamma(self.loss, schema),
            lazy=self.lazy,
            critic_steps=self.critic_steps or CRITIC_STEPS.get(self.loss, 1),
            ema=self.ema,
            ramp=self.ramp,
            adaptive=self.adaptive,
            augment=self.augment,
            mirror=schema.mirror,
            precision=self.precision,
        )
        return Plan(
            steps=max(1, round(1000 * (self.kimg or usual_kimg(schema)) / batch)),
            batch=batch,
            latent=self.latent,
            width=self.width,
            depth=self.depth,
            fold=self.fold,
            group=self.neighbours,
            tuning=tuning,
        )

    def _facts(self, plan: Plan, log: Log, dial: Dial, variety: Variety) -> dict[str, float]:
        facts = {
            "steps": float(log.step),
            "kimg": log.step * plan.batch / 1000,
            "gamma": plan.tuning.gamma,
            "rollbacks": float(log.rollbacks),
            "variety": variety.least,
            "augmentation": dial.strength,
            "by_heart": dial.r,
        }
        if log.lines:
            facts["critic_gap"] = log.lines[-1]["gap"]
            if self.loss in JUDGED_BY_CHANCE:
                facts["jsd_nats"] = max(0.0, (math.log(4) - log.lines[-1]["critic"]) / 2)
        return facts

    @staticmethod
    def load(folder: Path, schema: ImageSchema) -> DrawnModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            FormatError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "image generator 'gan'")
        from semblance.nets.images.gan_net import GanNet

        return load_drawn(DrawnModel, ImageGAN.name, folder, schema, lambda: GanNet.load(folder))


def usual_gamma(loss: str, schema: ImageSchema) -> float:
    """Weight of the penalty that suits a game and a size.

    A score that goes with the whole of an image changes the less with each pixel the more there are of them, and its
    squared gradient falls as their number rises, so gamma rises with it (as in Karras et al. 2020).
    """
    if loss == "wgan-gp":
        return 10.0
    return GAMMA * schema.channels * schema.height * schema.width / GAMMA_PIXELS


def usual_kimg(schema: ImageSchema) -> int:
    """Thousands of images that ten minutes on two processors of 2024 allow at 28 × 28, fewer of larger ones."""
    return max(20, round(KIMG * min(1.0, math.sqrt(KIMG_PIXELS / (schema.height * schema.width)))))


def look_for_collapse(model: DrawnModel, images: NDArray[np.float32], labels: NDArray[np.int64], run: Run) -> Variety:
    """Compare how training images vary with how drawn ones do, label by label.

    Raises:
        FitError: drawn ones vary far too little.
    """
    found = measure_variety(
        images,
        labels,
        lambda rows: model.net.draw(rows, replace(run, progress=silent)),
        run.seeds("fit/gan/variety"),
    )
    if found.least < REFUSE_BELOW:
        raise FitError(
            f"the generator has collapsed: images of {name_of(found.at, model.schema)} differ from each other "
            f"{found.least:.0%} as much as real ones do; try loss=relativistic, a smaller learning_rate, a larger "
            "gamma or more kimg, or the image generator 'flow'."
        )
    return found


def collapse_note(found: Variety, schema: ImageSchema) -> str | None:
    """One sentence where images vary too little; None where they vary as real ones do."""
    if found.least >= TELL_BELOW:
        return None
    return (
        f"The generator leaves out kinds of images: those of {name_of(found.at, schema)} differ from each other "
        f"{found.least:.0%} as much as real ones do."
    )


def name_of(row: tuple[int, ...], schema: ImageSchema) -> str:
    """Labels in words, such as "finding pneumonia"; "any kind" where nothing was told."""
    told = [f"{name} {known[k]}" for (name, known), k in zip(schema.conditions.items(), row, strict=True) if k >= 0]
    return ", ".join(told) or "any kind"
