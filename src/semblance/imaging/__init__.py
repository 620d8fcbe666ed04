"""What image generators share and that needs no torch: drawing from a net, labels to draw, pictures of pictures."""
