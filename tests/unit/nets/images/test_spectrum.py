"""What is computed of images before any net looks."""

from __future__ import annotations

import math

import pytest
import torch

from semblance.nets.images.spectrum import FAINTEST, Spectrum, cosines


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
    spectrum.learn(images)
    assert (spectrum.strength / planted - 1).abs().max() < 0.06
    assert (spectrum.mean - mean).abs().max() < 0.1


def test_images_that_are_all_the_same_have_faint_waves_not_none() -> None:
    spectrum = Spectrum(1, 8, 8)
    spectrum.learn(torch.ones(3, 1, 8, 8))
    assert (spectrum.strength == FAINTEST).all()


def test_every_wave_turns_from_noise_to_image_strong_ones_first() -> None:
    spectrum = Spectrum(1, 8, 8)
    spectrum.strength.copy_(torch.linspace(10, 0.01, 64).reshape(1, 1, 8, 8))
    time = torch.tensor([0.0, 0.5, 1.0])[:, None, None, None]
    angles = spectrum.angle(time).flatten(1)
    assert torch.allclose(angles[0], torch.zeros(64))
    assert torch.allclose(angles[2], torch.full((64,), math.pi / 2))
    assert (angles[1].diff() < 0).all()
    spread = spectrum.spread(time)
    assert torch.allclose(spread[0], torch.ones(1, 8, 8))
    assert torch.allclose(spread[2], spectrum.strength[0])
