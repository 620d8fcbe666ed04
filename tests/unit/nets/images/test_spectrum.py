"""What is computed of images before any net looks."""

from __future__ import annotations

import math

import pytest
import torch

from semblance.nets.images.spectrum import FAINTEST, FEWEST, Gaussian, Spectrum, cosines

NOBODY = torch.full((4000, 1), -1)


@pytest.mark.parametrize("n", [8, 28, 45])
def test_waves_are_orthogonal_and_the_first_is_the_mean(n: int) -> None:
    waves = cosines(n)
    assert torch.allclose(waves @ waves.T, torch.eye(n), atol=1e-5)
    assert torch.allclose(waves[0], torch.full((n,), n**-0.5))


def test_pixels_undo_waves_also_of_images_that_are_not_square() -> None:
    images = torch.randn(5, 3, 12, 17)
    spectrum = Spectrum(3, 12, 17)
    assert torch.allclose(spectrum.pixels(spectrum.waves(images)), images, atol=1e-5)
    assert math.isclose(float(spectrum.waves(images).square().sum()), float(images.square().sum()), rel_tol=1e-4)


def test_waves_keep_their_digits_where_convolutions_do_not() -> None:
    images = torch.randn(4, 1, 16, 16)
    spectrum = Spectrum(1, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        back = spectrum.pixels(spectrum.waves(images))
    assert back.dtype == torch.float32
    assert torch.allclose(back, images, atol=1e-5)


def test_strengths_are_the_standard_deviations_of_waves() -> None:
    noise = torch.Generator().manual_seed(0)
    planted = torch.linspace(0.5, 3, 64).reshape(1, 1, 8, 8)
    spectrum = Spectrum(1, 8, 8)
    mean = torch.randn(1, 1, 8, 8, generator=noise)
    images = spectrum.pixels(planted * torch.randn(4000, 1, 8, 8, generator=noise)) + mean
    spectrum.learn(images, NOBODY[: len(images)])
    assert (spectrum.strength / planted - 1).abs().max() < 0.06
    assert (spectrum.mean - mean).abs().max() < 0.1


def test_images_that_are_all_the_same_have_faint_waves_not_none() -> None:
    spectrum = Spectrum(1, 8, 8)
    spectrum.learn(torch.ones(3, 1, 8, 8), NOBODY[:3])
    assert (spectrum.strength == FAINTEST).all()


def test_frequent_labels_have_a_mean_and_strengths_of_their_own_rare_ones_those_of_all() -> None:
    noise = torch.Generator().manual_seed(0)
    labels = torch.tensor([0] * 200 + [1] * 200 + [2] * (FEWEST - 1))[:, None]
    scale = torch.tensor([0.5, 2.0, 9.0])[labels][:, :, None, None]
    images = scale * torch.randn(len(labels), 1, 8, 8, generator=noise) + labels[:, :, None, None]
    spectrum = Spectrum(1, 8, 8, labels=3)
    spectrum.learn(images, labels)
    told = spectrum.of(torch.tensor([[0], [1], [2], [-1]]))
    assert (told.strength[0] / 0.5 - 1).abs().max() < 0.2
    assert (told.strength[1] / 2.0 - 1).abs().max() < 0.2
    assert (told.mean[1] - 1).abs().max() < 0.6
    assert torch.equal(told.mean[2], told.mean[3])
    assert torch.equal(told.strength[2], told.strength[3])


def test_images_without_conditions_are_all_alike() -> None:
    spectrum = Spectrum(1, 8, 8)
    spectrum.learn(torch.randn(60, 1, 8, 8), torch.zeros(60, 0, dtype=torch.long))
    assert torch.equal(spectrum.of(torch.zeros(5, 0, dtype=torch.long)).mean, spectrum.mean.expand(5, 1, 8, 8))


def test_every_wave_turns_from_noise_to_image_strong_ones_first() -> None:
    gaussian = Gaussian(torch.zeros(1, 1, 8, 8), torch.linspace(10, 0.01, 64).reshape(1, 1, 8, 8))
    time = torch.tensor([0.0, 0.5, 1.0])[:, None, None, None]
    angles = gaussian.angle(time).flatten(1)
    assert torch.allclose(angles[0], torch.zeros(64))
    assert torch.allclose(angles[2], torch.full((64,), math.pi / 2))
    assert (angles[1].diff() < 0).all()
    spread = gaussian.spread(time)
    assert torch.allclose(spread[0], torch.ones(1, 8, 8))
    assert torch.allclose(spread[2], gaussian.strength[0])


def test_velocity_is_how_the_spread_grows_and_how_the_wave_turns() -> None:
    """Against the difference of two places: turned waves move along their angle."""
    gaussian = Gaussian(torch.zeros(1, 1, 2, 2), torch.tensor([3.0, 1.0, 0.3, 0.1]).double().reshape(1, 1, 2, 2))
    noise, image = torch.randn(2, 5, 1, 2, 2, dtype=torch.float64)
    time, later = (torch.full((5, 1, 1, 1), at, dtype=torch.float64) for at in (0.4, 0.4 + 1e-6))

    def turned(t: torch.Tensor) -> torch.Tensor:
        return (noise * (1 - t) + image * t) / gaussian.spread(t)

    turning = (turned(later) - turned(time)) / (gaussian.angle(later) - gaussian.angle(time))
    velocity = gaussian.velocity(turned(time), turning, time)
    assert torch.allclose(velocity, image - noise, atol=1e-4)
    assert torch.allclose(gaussian.turning(turned(time), velocity, time), turning)
