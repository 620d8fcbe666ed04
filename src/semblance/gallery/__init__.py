"""A page of images that show nobody: what was drawn, how it was learned, what was measured and what was not proven."""
