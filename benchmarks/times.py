"""How long something takes, over and over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """What the rounds took, in milliseconds; and the CPU time, which hardly depends on who else uses the machine."""

    rounds: Sequence[float]
    cpu: Sequence[float] = ()

    @property
    def best(self) -> float:
        """The fastest round."""
        return min(self.rounds)

    @property
    def mean_cpu(self) -> float:
        """CPU milliseconds of a round."""
        return sum(self.cpu) / len(self.cpu)

    def percentile(self, share: float) -> float:
        """Return what `share` of the rounds stayed under; with few rounds, the slowest."""
        ordered = sorted(self.rounds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def of(
    work: Callable[[], object],
    rounds: int,
    *,
    before: Callable[[], object] = lambda: None,
    cpu_seconds: Callable[[], float] = time.process_time,
) -> Times:
    """Return what work took in each round; what is done before a round does not count."""
    taken, used = [], []
    for _ in range(rounds):
        before()
        cpu, began = cpu_seconds(), time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
        used.append((cpu_seconds() - cpu) * 1000)
    return Times(taken, used)
