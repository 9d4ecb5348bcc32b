"""What a thumbnail gets: the newest row of each key, once a second."""

from __future__ import annotations

from pipeline_display.feeds.thinned import EVERY_S, Thinned


class Hands:
    """A clock whose time a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_rows_come_at_once_and_the_next_after_a_second_the_newest_of_each_key() -> None:
    clock = Hands()
    thinned: Thinned[str] = Thinned(clock_s=clock)
    first = thinned.take([(1, "a"), (2, "b")])
    early = [thinned.take([(3, "c")]), thinned.take([(3, "d"), (4, "e")])]
    clock.now_s += EVERY_S
    assert (first, early, thinned.take([]), thinned.take([])) == (["a", "b"], [[], []], ["d", "e"], [])


def test_what_comes_after_a_silence_does_not_wait() -> None:
    clock = Hands()
    thinned: Thinned[str] = Thinned(clock_s=clock)
    thinned.take([(1, "a")])
    clock.now_s += 10 * EVERY_S
    assert thinned.take([(1, "b")]) == ["b"]
