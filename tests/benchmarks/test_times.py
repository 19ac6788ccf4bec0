import pytest

from benchmarks import times
from benchmarks.times import Times


def test_percentile_is_what_that_share_of_the_rounds_stayed_under():
    taken = Times([float(number) for number in range(100, 0, -1)])
    assert (taken.best, taken.percentile(0.5), taken.percentile(0.99)) == (1, 51, 100)


def test_slowest_of_a_few_rounds_is_not_left_out():
    assert Times([1.0, 9.0, 2.0]).percentile(0.95) == 9


def test_what_is_done_before_a_round_comes_first_and_each_round_is_kept():
    done = []
    taken = times.of(lambda: done.append("work"), 3, before=lambda: done.append("before"))
    assert done == ["before", "work"] * 3
    assert len(taken.rounds) == 3


def test_cpu_time_is_that_of_the_rounds_alone():
    spent = iter([0.0, 0.002, 5.0, 5.004])
    assert times.of(lambda: None, 2, cpu_seconds=lambda: next(spent)).mean_cpu == pytest.approx(3)
