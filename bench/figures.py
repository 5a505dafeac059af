"""Medians and ratios."""

import statistics


def median(values) -> float | None:
    """The middle value; absent without values."""
    values = list(values)
    return statistics.median(values) if values else None


def ratios(pairs) -> list[float]:
    """Each first divided by its second."""
    return [first / second for first, second in pairs if second]
