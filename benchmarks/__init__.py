"""Perdure beside a floor, in one run on one database; results as ratios. Run by `make bench`."""
