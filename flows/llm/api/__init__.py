"""REST doors to provider profiles."""
