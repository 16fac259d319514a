"""Samples of time: whether what was measured tells one kind of answer from another."""

import logging
import os
from math import sqrt


def samples(many: int) -> int:
    """How many of each kind to measure: CABINET_TIME_SAMPLES, for a long quiet measurement."""
    return int(os.environ.get("CABINET_TIME_SAMPLES", many))


def share(one: list[float], other: list[float]) -> float:
    """How often a value of one is larger than one of the other: Mann and Whitney's U, a share."""
    pairs = len(one) * len(other)
    return sum((a > b) + (a == b) / 2 for a in one for b in other) / pairs


def chance(many: int) -> float:
    """How far from a half that may be of equal distributions: five standard deviations."""
    return 5 * sqrt((2 * many + 1) / (12 * many * many))


def log_measured(many: int, waits: float, medians: float) -> None:
    """Logs what was measured: shown by `--log-cli-level=INFO`."""
    logging.info(
        "%s of each: share %.3f ± %.3f, medians %.3f", many, waits, chance(many) / 5, medians
    )
