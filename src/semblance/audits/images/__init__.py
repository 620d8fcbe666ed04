"""What are synthetic images worth, and what do they give away? One question a file."""
