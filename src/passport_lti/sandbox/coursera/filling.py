"""Grades of a crowd, the same for the same seed."""

import random
from collections.abc import Iterator


def grades_of_many(
    items: int, learners: int, seed: int
) -> Iterator[tuple[int, list[float | None]]]:
    """(number from 1, fraction or None for each item): whole per cents, one in ten is missing."""
    chance = random.Random(seed)
    for n in range(1, learners + 1):
        level = chance.uniform(45, 100)
        yield (
            n,
            [
                None
                if chance.random() < 0.1
                else round(min(100, max(0, chance.gauss(level, 12)))) / 100
                for _ in range(items)
            ],
        )
