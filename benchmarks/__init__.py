"""What Semblance promises in numbers, measured: one module a promise, results in RESULTS.md."""
