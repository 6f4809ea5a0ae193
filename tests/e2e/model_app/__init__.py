"""A team's app whose jobs ask models."""
