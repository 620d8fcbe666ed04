"""Everything that needs PyTorch, and nothing else. Imported when a neural recipe is fitted or loaded, not before."""
