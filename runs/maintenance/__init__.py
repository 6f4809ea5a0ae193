"""What keeps the tables in order: what a crash left between two transitions, and what has outlived its use."""
