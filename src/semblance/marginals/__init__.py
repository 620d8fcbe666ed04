"""Private tables from noisy marginals: select, measure, infer, draw. Speaks of integer-coded tables and rho only."""
