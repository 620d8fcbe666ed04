"""Classical transformations of images: each says which labels it claims to keep."""
