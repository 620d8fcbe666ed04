"""Spaces in which images can be near to each other. None needs a net that was trained elsewhere.

windows.py        parts of images, cut out wherever they lie, at one size
random_filters.py fixed random convolutions: no meaning, other looks than the pixels
looks.py          whole images as points: blurred pixels, and random filters
ladder.py         what a space must notice of spoilt real images before it may judge synthetic ones
"""
