"""Seconds as a person says them, the same in every command."""

from __future__ import annotations

UNITS = (("days", 86400.0), ("h", 3600.0), ("min", 60.0))


def lasted(seconds: float) -> str:
    """Return a time that was measured: `0.8 s`, `42 s`, `17 min`, `3.4 h`, `2.5 days`."""
    unit, size = unit_of(seconds)
    value = seconds / size
    tenths = 0.05 <= value < 9.95 and unit != "min"
    return f"{value:.1f} {unit}" if tenths else f"{value:.0f} {unit}"


def about(seconds: float) -> str:
    """Return a time that is guessed, with the one digit that a guess has: `40 s`, `3 min`."""
    unit, size = unit_of(seconds)
    return f"{one_digit(max(seconds, 1.0) / size)} {unit}"


def one_digit(value: float) -> str:
    """Return a number rounded to its first digit: `300`, `7`, `0.02`."""
    rounded = float(f"{value:.0e}")
    return f"{rounded:,.0f}" if rounded >= 1 else f"{rounded:g}"


def unit_of(seconds: float) -> tuple[str, float]:
    """Return the largest unit of which there are two, and its seconds."""
    return next(((unit, size) for unit, size in UNITS if seconds >= 2 * size), ("s", 1.0))
