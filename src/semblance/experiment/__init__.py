"""Did augmentation really help? Arms that differ in one thing alone, and what may be concluded from them."""
