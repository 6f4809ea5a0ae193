"""Numbers as people read them at a glance."""

_UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def amount(value: float) -> str:
    """`950`, `1.2 k`, `3.46 M`; of small fractions the digits that say something: `0.0042`."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.2g}"
