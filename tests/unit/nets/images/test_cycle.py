"""The parts of a CycleGAN: the pool, the losses, the curve that ways begin as, and a training that goes on exactly."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from semblance import pipeline
from semblance.checkpoint import work_on
from semblance.contracts import Run
from semblance.nets import training
from semblance.nets.images.cycle import TOLD, Cycle, Tuning, Way, persuade, share_told, steepness
from semblance.nets.images.image_pool import ImagePool
from semblance.nets.images.jitter import jitter
from semblance.nets.images.patch_critic import PatchCritic
from semblance.nets.images.unet import Shape
from semblance.nets.training import train

TUNING = Tuning(
    loss="lsgan",
    learning_rate=0.002,
    critic_rate=1.0,
    cycle=5.0,
    identity=2.0,
    penalty=0.1,
    ema=0.9,
    pool=5,
    jitter=1.0,
    mirror="left-right",
    precision="float32",
)


def noise(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)


# ── the pool ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pool_lets_through_what_it_has_room_for() -> None:
    pool = ImagePool(3, (1, 2, 2))
    assert torch.equal(pool.swap(numbered(1, 2), noise()), numbered(1, 2))
    assert pool.held == 2


def test_a_full_pool_gives_old_for_new_half_of_the_time() -> None:
    pool = ImagePool(50, (1, 2, 2))
    pool.swap(numbered(*range(50)), noise())
    given = torch.arange(1000.0, 2000.0)
    out = pool.swap(numbered(*given.tolist()), noise(1))[:, 0, 0, 0]
    assert 0.42 < float((out != given).float().mean()) < 0.58
    left = torch.cat([pool.images[:, 0, 0, 0], out])
    assert sorted(left.tolist()) == [*map(float, range(50)), *given.tolist()], "nothing is lost and nothing is doubled"


def test_a_pool_of_none_changes_nothing() -> None:
    assert torch.equal(ImagePool(0, (1, 2, 2)).swap(numbered(4, 5), noise()), numbered(4, 5))


def test_a_restored_pool_goes_on_as_the_old_one() -> None:
    first, second = ImagePool(4, (1, 2, 2)), ImagePool(4, (1, 2, 2))
    first.swap(numbered(1, 2, 3, 4, 5, 6), noise(2))
    second.restore({name: value.clone() for name, value in first.state().items()})
    later = numbered(*range(10, 30))
    assert torch.equal(first.swap(later, noise(3)), second.swap(later, noise(3)))


# ── the losses ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_ways_minimise_by_hand() -> None:
    scores = nn.Identity()
    real, fake = torch.tensor([[2.0]]), torch.tensor([[0.5]])
    assert float(persuade("lsgan", scores, real, fake)) == pytest.approx(0.5 * 0.25)
    assert float(persuade("relativistic", scores, real, fake)) == pytest.approx(math.log1p(math.exp(1.5)))


def test_steepness_of_a_straight_critic() -> None:
    """Each score is 3 × its pixel: half of 9 for each of them."""
    critic = nn.Conv2d(1, 1, 1)
    with torch.no_grad():
        critic.weight.fill_(3.0)
    images = torch.randn(2, 1, 4, 6, generator=noise())
    assert float(steepness(critic, images, noise(1)).detach()) == pytest.approx(4.5)


def test_steepness_does_not_add_up_where_patches_overlap() -> None:
    """Scores of 3 × 3 sums of pixels: half of 9 squares of 1 each, though the sum of all scores has slope 9."""
    critic = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    with torch.no_grad():
        critic.weight.fill_(1.0)
    images = torch.randn(200, 1, 6, 6, generator=noise())
    assert float(steepness(critic, images, noise(1)).detach()) == pytest.approx(4.5, rel=0.1)


def test_places_that_are_scored_alike_tell_nothing() -> None:
    real, fake = torch.tensor([1.0, 1.0, 2.0, 0.0]), torch.tensor([1.0, 0.0, 0.0, 1.0])
    assert share_told(real, fake) == pytest.approx(2 / 3)
    assert share_told(real, real) == 0.5


# ── the ways ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_way_begins_as_its_curve() -> None:
    way = Way(1, shape=Shape(2, (16, 16), attention=False), knots=9)
    with torch.no_grad():
        for weight in way.parameters():
            weight.zero_()
        way.curve.copy_(torch.linspace(1, -1, 9) ** 3)
    x = torch.linspace(-1.2, 1.2, 64).reshape(1, 1, 8, 8)
    body = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    body[..., :2] = False
    wanted = np.interp(x.numpy(), np.linspace(-1, 1, 9), np.linspace(1, -1, 9) ** 3)
    wanted[..., :2] = x.numpy()[..., :2]
    np.testing.assert_allclose(way(x, body).detach().numpy(), wanted, atol=1e-6)


def test_a_critic_scores_places_and_takes_any_size() -> None:
    critic = PatchCritic(1, fold=2, widths=(16,), scale=(0.0, 1.0)).start(noise())
    image = torch.randn(1, 1, 20, 30, generator=noise(1))
    with torch.no_grad():
        score = critic(image)
        assert score.shape == (1, 1, 5, 7)
        image[..., 24:] = 0.0
        changed = (critic(image) - score).abs()[0, 0]
    assert float(changed[:, -1].min()) > 0
    assert float(changed[:, 0].max()) == 0, "what is far away is not seen"


def test_a_critic_sees_images_in_units_of_their_spread() -> None:
    image = torch.randn(2, 1, 16, 16, generator=noise(1))
    plain = PatchCritic(1, fold=1, widths=(16, 32), scale=(0.0, 1.0)).start(noise())
    scaled = PatchCritic(1, fold=1, widths=(16, 32), scale=(-0.3, 0.1)).start(noise())
    with torch.no_grad():
        torch.testing.assert_close(plain(image), scaled(0.1 * image - 0.3), atol=1e-5, rtol=1e-4)


def test_jitter_moves_what_it_is_told_to() -> None:
    images = torch.rand(4, 1, 9, 12, generator=noise())
    assert jitter(images, noise(), strength=0.0, mirror="none") is images
    turned = jitter(images, noise(1), strength=0.0, mirror="left-right")
    same = [torch.equal(a, b) for a, b in zip(turned, images, strict=True)]
    assert not all(same)
    assert all(s or torch.equal(a, b.flip(2)) for s, a, b in zip(same, turned, images, strict=True))
    moved = jitter(torch.full((50, 1, 9, 12), 0.7), noise(2), strength=1.0, mirror="none")
    assert moved.shape == (50, 1, 9, 12)
    assert float(moved.min()) == -1.0, "black comes in"
    assert float(moved[:, :, 3:6, 4:8].mean()) == pytest.approx(0.7, abs=0.02)


# ── training ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def cycle(kinds: tuple[torch.Tensor, torch.Tensor], **more: object) -> Cycle:
    shape = Shape(1, (16, 16), attention=False)
    ways = Way(1, shape=shape, knots=5), Way(1, shape=shape, knots=5)
    critics = [PatchCritic(1, fold=1, widths=(16, 16), scale=(0.0, 1.0)) for _ in kinds]
    bodies = everywhere(kinds[0]), everywhere(kinds[1])
    return Cycle(kinds, bodies, ways, (critics[0], critics[1]), tuning=replace(TUNING, **more), start=noise(7))  # type: ignore[arg-type]


def everywhere(images: torch.Tensor) -> torch.Tensor:
    return torch.ones(len(images), 1, *images.shape[2:], dtype=torch.bool)


def blobs(n: int, seed: int) -> torch.Tensor:
    """Smooth little images, -1 to 1: (n, 1, 8, 8)."""
    coarse = torch.rand(n, 1, 3, 3, generator=noise(seed)) * 2 - 1
    return nn.functional.interpolate(coarse, size=(8, 8), mode="bilinear", align_corners=True)


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=3)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["lsgan", "relativistic"])
def test_stopped_anywhere_it_ends_in_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    """The pool is full and has been swapped when it is stopped."""
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    kinds = blobs(6, 1), -blobs(9, 2)

    def go(one: Cycle, at: Run) -> None:
        train(one, 9, steps=8, batch=3, run=at, key="k", stage="learning", rollbacks=1, log_every=4)

    whole = cycle(kinds, loss=loss)
    go(whole, run)
    stopped, step, taken = cycle(kinds, loss=loss), Cycle.step, 0

    def interrupted(self: Cycle, *args: object) -> object:
        nonlocal taken
        taken += 1
        if taken == 6:
            raise KeyboardInterrupt
        return step(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Cycle, "step", interrupted)
    with pytest.raises(KeyboardInterrupt), work_on(tmp_path / "m", {"a": "b"}, resume=False) as work:
        go(stopped, replace(run, checkpoint=work))
    again = cycle(kinds, loss=loss)
    with work_on(tmp_path / "m", {"a": "b"}, resume=True) as work:
        go(again, replace(run, checkpoint=work))
    assert taken == 6 + 3, "what was kept is not done again"
    first, second = whole.state(), again.state()
    assert first.keys() == second.keys()
    assert int(first["pool.0.held"]) == 5
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_critics_that_know_everything_are_reined_in(run: Run) -> None:
    """Bright images against dark ones: the rein tightens. Where nothing differs it does not."""
    bright, dark = torch.full((2, 1, 8, 8), 0.8), torch.full((2, 1, 8, 8), -0.8)
    one = cycle((bright + 0.05 * blobs(2, 1), dark + 0.05 * blobs(2, 2)), jitter=0.0, pool=0)
    log = train(one, 2, steps=30, batch=2, run=run, key="k", stage="learning", log_every=30)
    assert log.lines[-1]["told"] > TOLD
    assert one.rein > 1.2
    same = cycle((torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)), jitter=0.0)
    train(same, 2, steps=10, batch=2, run=run, key="k2", stage="learning")
    assert same.rein < 1.1


@pytest.mark.slow
def test_learns_to_leave_alone_what_is_the_same(run: Run) -> None:
    """Two kinds that do not differ, and ways that begin as a curve that is wrong: the critics and the cycle undo it."""
    one = cycle((blobs(40, 1), blobs(40, 2)), jitter=0.0, identity=5.0)
    with torch.no_grad():
        for way in one.ways:
            way.curve.copy_(0.3 * torch.linspace(-1, 1, 5) - 0.2)  # type: ignore[operator]
    fresh = blobs(40, 3)

    def wrong() -> float:
        with torch.no_grad():
            return float((one.ways[0](fresh, everywhere(fresh)) - fresh).abs().mean())

    before = wrong()
    train(one, 40, steps=80, batch=8, run=run, key="k", stage="learning")
    assert wrong() < 0.4 * before
