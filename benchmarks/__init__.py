"""Perdure beside a floor and its peers, in one run on one database; results as ratios.

`python -m benchmarks` (`make bench`) runs all; see `python -m benchmarks --help`. A measuring module has
`rows(bench: Bench) -> list[Row]` and a line in `benchmarks.__main__.MODULES`.
"""
