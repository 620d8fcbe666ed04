"""Training that promises privacy: gradients clipped by patient, and noise from the operating system (DP-SGD)."""
