"""What image generators are worth, on real images that lie in ../shared/data."""
