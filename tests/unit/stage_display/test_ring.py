"""The ring: numbers without a gap, bounded by age and size, and honest about what it no longer has."""

from __future__ import annotations

from pipeline_display.feeds.ring import Ring

SECOND = 1_000_000_000


def ring_of(*bodies: bytes, history_s: float = 100, bytes_max: int = 1000) -> Ring:
    """A ring to which the bodies were appended, one each second."""
    ring = Ring(history_s=history_s, bytes_max=bytes_max)
    for second, body in enumerate(bodies):
        ring.append(body, made_ns=second * SECOND)
    return ring


def read(ring: Ring, seq: int, *, limit: int = 100, bytes_max: int = 1000) -> tuple[list[tuple[int, bytes]], bool]:
    found = ring.since(seq, limit=limit, bytes_max=bytes_max)
    return [(frame.seq, frame.body) for frame in found.frames], found.start_over


def test_frames_are_numbered_from_zero_without_a_gap() -> None:
    assert read(ring_of(b"a", b"b", b"c"), 0) == ([(0, b"a"), (1, b"b"), (2, b"c")], False)


def test_a_reader_gets_what_it_has_not_got() -> None:
    assert read(ring_of(b"a", b"b", b"c"), 2) == ([(2, b"c")], False)


def test_a_reader_that_has_all_gets_nothing_and_need_not_start_over() -> None:
    assert read(ring_of(b"a", b"b"), 2) == ([], False)


def test_frames_older_than_the_history_are_forgotten_and_a_reader_of_them_starts_over() -> None:
    assert read(ring_of(b"a", b"b", b"c", b"d", history_s=1), 0) == ([(2, b"c"), (3, b"d")], True)


def test_frames_beyond_the_size_are_forgotten_oldest_first() -> None:
    assert read(ring_of(b"aaaa", b"bbbb", b"cccc", bytes_max=8), 0) == ([(1, b"bbbb"), (2, b"cccc")], True)


def test_a_frame_larger_than_the_ring_is_kept_until_the_next() -> None:
    assert read(ring_of(b"a", b"b" * 20, bytes_max=8), 1) == ([(1, b"b" * 20)], False)


def test_a_reader_ahead_of_the_ring_starts_over() -> None:
    assert read(ring_of(b"a"), 7) == ([(0, b"a")], True)


def test_one_read_is_bounded_by_number() -> None:
    assert read(ring_of(b"a", b"b", b"c"), 0, limit=2) == ([(0, b"a"), (1, b"b")], False)


def test_one_read_is_bounded_by_size_but_brings_one_frame_at_least() -> None:
    ring = ring_of(b"aaaa", b"bbbb", b"cccc")
    assert [read(ring, 0, bytes_max=8)[0], read(ring, 0, bytes_max=1)[0]] == [
        [(0, b"aaaa"), (1, b"bbbb")],
        [(0, b"aaaa")],
    ]


def test_two_rings_have_two_epochs() -> None:
    assert ring_of().epoch != ring_of().epoch


def test_frames_that_replace_all_others_go_on_with_the_numbers() -> None:
    ring = ring_of(b"a", b"b")
    ring.replace([b"C", b"D"], made_ns=9 * SECOND)
    assert (read(ring, 2), read(ring, 0)) == (
        ([(2, b"C"), (3, b"D")], False),
        ([(2, b"C"), (3, b"D")], True),
    )


def test_replaced_frames_no_longer_count_for_the_size() -> None:
    ring = ring_of(b"aaaa", b"bbbb", bytes_max=8)
    ring.replace([b"cccc"], made_ns=9 * SECOND)
    ring.append(b"dddd", made_ns=9 * SECOND)
    assert read(ring, 2) == ([(2, b"cccc"), (3, b"dddd")], False)
