"""Delivery: each frame once and in order, by credit; who does not draw is not sent to, and is caught up later."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline_display import wire
from pipeline_display.delivery import BYTES_PER_MESSAGE_MAX, CREDIT, Delivery, Follow
from pipeline_display.feeds.feed import Batch, Feed
from pipeline_display.feeds.ring import Ring
from pipeline_display.wakeup import Bell


class Silent:
    """A reader that never has news; its feed is not started."""

    away: tuple[type[Exception], ...] = ()

    def look(self) -> Batch:
        return Batch(bodies=[])

    def let_go(self) -> None:
        pass


@dataclass
class Stage:
    """A delivery over feeds that tests append to, and what each page was sent."""

    feeds: dict[str, Feed]
    sent: dict[str, list[Any]] = field(default_factory=dict)
    rounds: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.feeds, self._send)

    def _send(self, message: Mapping[str, Any], pages: list[str]) -> None:
        self.rounds.append(len(pages))
        for page in pages:
            self.sent.setdefault(page, []).append(wire.loads(wire.dumps(message)))

    def make(self, feed: str, *values: int) -> None:
        for value in values:
            self.feeds[feed].ring.append(b"%d" % value, made_ns=value)

    def frames(self, page: str, feed: str = "f") -> list[int]:
        return [
            frame
            for message in self.sent.get(page, [])
            for part in message["parts"]
            if part["feed"] == feed
            for frame in part["frames"]
        ]

    def draw_all(self, page: str) -> None:
        """The page draws whatever it is sent until it is caught up."""
        behind = True
        while behind:
            behind = self.delivery.deliver()
            for _ in range(CREDIT):
                self.delivery.drawn(page)
            behind = behind or self.delivery.deliver()


def stage(*names: str, history_s: float = 100, bytes_max: int = 10**7) -> Stage:
    rings = {name: Ring(history_s=history_s, bytes_max=bytes_max) for name in names or ("f",)}
    return Stage({name: Feed(Silent(), ring, bell=Bell(), stopping=threading.Event()) for name, ring in rings.items()})


def follow(name: str = "f", **place: Any) -> Follow:
    return Follow(feed=name, **place)


def test_a_page_gets_messages_no_faster_than_its_tick_and_holds_up_no_other() -> None:
    now = [0.0]
    here = stage("f", "g")
    here.delivery = Delivery(here.feeds, here._send, tick_s=0.1, clock=lambda: now[0])
    here.delivery.follow("of f", [follow("f")])
    here.delivery.follow("of g", [follow("g")])
    here.delivery.deliver()
    now[0] = 1.0
    here.make("f", 1)
    first = here.delivery.deliver()
    now[0] = 1.05
    here.make("f", 2)
    here.make("g", 3)
    second = here.delivery.deliver()
    assert (first, second, here.frames("of f"), here.frames("of g", "g")) == (False, True, [1], [3])
    now[0] = 1.11
    assert (here.delivery.deliver(), here.frames("of f")) == (False, [1, 2])


def test_a_page_opened_late_gets_the_recent_past_then_what_is_new_each_once() -> None:
    here = stage()
    here.make("f", 1, 2)
    here.delivery.follow("page", [follow()])
    here.delivery.deliver()
    here.make("f", 3)
    here.delivery.deliver()
    here.delivery.deliver()
    assert here.frames("page") == [1, 2, 3]


def test_a_page_that_comes_back_gets_what_it_missed() -> None:
    here = stage()
    here.make("f", 1, 2, 3)
    here.delivery.follow("again", [follow(epoch=here.feeds["f"].ring.epoch, seq=2)])
    here.delivery.deliver()
    assert [(part["seq"], part["frames"], part["start_over"]) for part in here.sent["again"][0]["parts"]] == [
        (2, [3], False)
    ]


def test_a_page_that_comes_back_after_the_ring_moved_on_starts_over() -> None:
    here = stage(bytes_max=2)
    here.make("f", 1, 2, 3, 4)
    here.delivery.follow("again", [follow(epoch=here.feeds["f"].ring.epoch, seq=1)])
    here.delivery.deliver()
    assert [(part["seq"], part["frames"], part["start_over"]) for part in here.sent["again"][0]["parts"]] == [
        (2, [3, 4], True)
    ]


def test_a_page_of_another_epoch_starts_over() -> None:
    here = stage()
    here.make("f", 1)
    here.delivery.follow("again", [follow(epoch="gone", seq=9)])
    here.delivery.deliver()
    assert [(part["seq"], part["frames"], part["start_over"]) for part in here.sent["again"][0]["parts"]] == [
        (0, [1], True)
    ]


def test_a_page_is_told_to_start_over_only_once() -> None:
    here = stage()
    here.make("f", 1)
    here.delivery.follow("again", [follow(epoch="gone", seq=9)])
    here.delivery.deliver()
    here.make("f", 2)
    here.delivery.deliver()
    assert [message["parts"][0]["start_over"] for message in here.sent["again"]] == [True, False]


def test_a_page_that_stops_drawing_is_sent_no_more_than_its_credit_and_slows_no_other() -> None:
    here = stage()
    here.delivery.follow("slow", [follow()])
    here.delivery.follow("quick", [follow()])
    for value in range(20):
        here.make("f", value)
        here.delivery.deliver()
        here.delivery.drawn("quick")
    assert (len(here.sent["slow"]), here.frames("quick")) == (CREDIT, list(range(20)))


def test_only_a_page_that_had_no_credit_calls_for_another_round() -> None:
    here = stage()
    here.delivery.follow("page", [follow()])
    for value in range(CREDIT):
        here.make("f", value)
        here.delivery.deliver()
    assert [here.delivery.drawn(page) for page in ("page", "page", "nobody")] == [True, False, False]


def test_messages_that_are_acknowledged_together_free_as_much_credit_and_no_more() -> None:
    here = stage()
    here.delivery.follow("page", [follow()])
    for value in range(3 * CREDIT):
        here.make("f", value)
        here.delivery.deliver()
        if value == CREDIT:
            here.delivery.drawn("page", 2)
    assert [len(message["parts"][0]["frames"]) for message in here.sent["page"]] == [1, 1, 1, 1, 2, 1]


def test_an_acknowledgement_of_nothing_counts_as_one_and_of_too_much_as_all() -> None:
    here = stage()
    here.delivery.follow("page", [follow()])
    for value in range(CREDIT):
        here.make("f", value)
        here.delivery.deliver()
    here.delivery.drawn("page", -7)
    here.delivery.drawn("page", 10**9)
    for value in range(2 * CREDIT):
        here.make("f", value)
        here.delivery.deliver()
    assert len(here.sent["page"]) == 2 * CREDIT


def test_a_page_that_draws_again_is_caught_up_without_gap_or_repetition() -> None:
    here = stage()
    here.delivery.follow("slow", [follow()])
    for value in range(20):
        here.make("f", value)
        here.delivery.deliver()
    here.draw_all("slow")
    assert here.frames("slow") == list(range(20))


def test_a_slow_page_that_the_ring_left_behind_starts_over_with_what_is_left() -> None:
    here = stage(bytes_max=4)
    here.delivery.follow("slow", [follow()])
    for value in range(10):
        here.make("f", value)
        here.delivery.deliver()
    here.draw_all("slow")
    last = here.sent["slow"][-1]["parts"][0]
    assert (here.frames("slow"), last["start_over"]) == ([0, 1, 2, 3, 6, 7, 8, 9], True)


def test_a_round_sends_one_message_however_many_feeds_have_news() -> None:
    here = stage("f", "g")
    here.delivery.follow("page", [follow("f"), follow("g")])
    here.make("f", 1, 2)
    here.make("g", 3)
    here.delivery.deliver()
    assert [[part["frames"] for part in message["parts"]] for message in here.sent["page"]] == [[[1, 2], [3]]]


def test_pages_at_the_same_place_share_one_message() -> None:
    here = stage()
    for page in ("a", "b", "c"):
        here.delivery.follow(page, [follow()])
    here.make("f", 1)
    here.delivery.deliver()
    assert here.rounds == [3]


def test_a_long_past_comes_in_messages_of_bounded_size() -> None:
    here = stage()
    body = b'"%s"' % (b"x" * (BYTES_PER_MESSAGE_MAX // 3 - 2))
    for time_ns in range(10):
        here.feeds["f"].ring.append(body, made_ns=time_ns)
    here.delivery.follow("page", [follow()])
    here.draw_all("page")
    assert [len(message["parts"][0]["frames"]) for message in here.sent["page"]] == [3, 3, 3, 1]


def test_a_page_hears_when_its_feed_is_away_and_when_it_is_back_though_there_is_no_frame() -> None:
    here = stage()
    here.delivery.follow("page", [follow()])
    here.delivery.deliver()
    well = here.feeds["f"].status
    for status in (replace(well, away="the store sleeps"), well):
        here.feeds["f"].status = status
        here.delivery.deliver()
        here.delivery.deliver()
    assert [message["parts"][0]["status"]["away"] for message in here.sent["page"]] == ["", "the store sleeps", ""]


def test_an_unknown_feed_is_left_out() -> None:
    assert [extent["feed"] for extent in stage().delivery.follow("page", [follow("f"), follow("nonsense")])] == ["f"]


def test_a_page_that_left_costs_nothing() -> None:
    here = stage()
    here.delivery.follow("page", [follow()])
    here.delivery.leave("page")
    here.make("f", 1)
    here.delivery.deliver()
    assert (here.sent, here.delivery.pages) == ({}, 0)
