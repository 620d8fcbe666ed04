"""What tells one group of patients from another: probes, distances, and what a model loses on the way between them."""
