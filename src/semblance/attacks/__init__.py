"""What every attack shares: who is attacked, and how its hits become a finding."""
