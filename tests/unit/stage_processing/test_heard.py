"""What was sent again counts once, whoever sent it and in whatever order it arrives."""

from __future__ import annotations

import random

from pipeline_processing.points.heard import PRODUCERS_MAX, RUNS_MAX, Heard, Sent
from pipeline_queue.brokers import Message, Record
from pipeline_queue.codec import as_repeated
from pipeline_queue.events import event_id, event_type
from pipeline_queue.points.message_ids import MessageIds, id_of
from pipeline_queue.topics import RANDOM_NUMBERS


def recorded(message: Message) -> Record:
    return Record(
        topic="points",
        partition=0,
        offset=0,
        append_time_ns=0,
        key=message.key,
        value=message.value,
        headers=message.headers,
    )


def sent(producer: str, *numbers: int, again: bool = False) -> Sent:
    """Each number a row."""
    return Sent(spans=[(producer, (number, number)) for number in numbers], is_again=again)


def taken(heard: Heard, of: Sent, rows: int) -> list[int]:
    """Positions of the rows that count."""
    found = heard.new_rows(of, rows)
    return list(range(rows)) if found is None else found.tolist()


def test_a_message_that_is_not_marked_counts_whatever_its_number_is() -> None:
    heard = Heard()
    assert [taken(heard, sent("a", 0), 1) for _ in range(3)] == [[0]] * 3


def test_of_a_marked_message_counts_what_was_not_heard() -> None:
    heard = Heard()
    heard.new_rows(sent("a", 0, 1, 3), 3)
    assert taken(heard, sent("a", 0, 1, 2, 3, 4, again=True), 5) == [2, 4]
    assert taken(heard, sent("a", 0, 1, 2, 3, 4, again=True), 5) == []


def test_another_producers_numbers_are_others() -> None:
    heard = Heard()
    heard.new_rows(sent("a", 0), 1)
    assert taken(heard, sent("b", 0, again=True), 1) == [0]


def test_an_attempt_that_arrives_after_its_repeat_does_not_count() -> None:
    heard = Heard()
    assert taken(heard, sent("a", 0, again=True), 1) == [0]
    assert taken(heard, sent("a", 0), 1) == []
    assert taken(heard, sent("a", 1), 1) == [0]


def test_a_block_of_points_counts_whole_or_not_at_all() -> None:
    (message,) = MessageIds().given([Message(key=b"d\0r", value=b"")])
    heard, first = Heard(), recorded(message)
    assert taken(heard, Sent.of_message(first), 3) == [0, 1, 2]
    assert taken(heard, Sent.of_message(recorded(as_repeated(message))), 3) == []


def test_a_message_without_an_id_counts_though_it_is_marked() -> None:
    message = as_repeated(Message(key=None, value=b"", headers=(("id", b"\xff-no number"),)))
    heard = Heard()
    assert [taken(heard, Sent.of_message(recorded(message)), 2) for _ in range(2)] == [[0, 1]] * 2


def test_each_key_has_numbers_of_its_own_without_a_gap() -> None:
    ids = MessageIds()
    given = ids.given([Message(key=key, value=b"") for key in (b"a", b"b", b"a")]) + ids.given(
        [Message(key=b"b", value=b"")]
    )
    found = [id_of(recorded(each)) for each in given]
    assert [number for _, number in found] == [0, 0, 1, 1]
    assert len({producer for producer, _ in found}) == 2


def test_events_are_known_by_their_own_producer_and_number() -> None:
    kind = event_type(RANDOM_NUMBERS)

    def event(producer: str, seq: int) -> object:
        named = {"event_id": event_id(producer, seq), "producer": producer, "seq": seq, "time_ns": 0}
        rest = {name: 0.5 for name in kind.__struct_fields__ if name not in named}
        return kind(**named, **rest)

    record = recorded(as_repeated(Message(key=None, value=b"")))
    found = Sent.of_events(record, [event("a", 5), event("a", 6), event("b", 7), event("a", 7)])
    assert found == Sent(spans=[("a", (5, 6)), ("b", (7, 7)), ("a", (7, 7))], is_again=True)


def test_messages_in_any_order_count_as_a_list_of_all_that_was_heard_says() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        heard, every, marked = Heard(), set(), set()
        for _ in range(60):
            first, again = chance.randrange(40), chance.random() < 0.4
            producer = chance.choice("ab")
            numbers = list(range(first, first + chance.randrange(1, 6)))
            known = every if again else marked
            expected = [at for at, number in enumerate(numbers) if (producer, number) not in known]
            assert taken(heard, sent(producer, *numbers, again=again), len(numbers)) == expected
            every |= {(producer, number) for number in numbers}
            if again:
                marked |= {(producer, number) for number in numbers}


def test_what_is_kept_is_bounded() -> None:
    heard = Heard()
    for number in range(2 * RUNS_MAX):
        heard.new_rows(sent("gaps", 2 * number), 1)
    for number in range(2 * PRODUCERS_MAX):
        heard.new_rows(sent(f"{number}", 0), 1)
        heard.new_rows(sent("gaps", 4 * RUNS_MAX + 2 * number), 1)
    assert taken(heard, sent("gaps", 4 * RUNS_MAX + 2 * number, again=True), 1) == []
    assert (len(heard._all), len(heard._all["gaps"])) == (PRODUCERS_MAX, RUNS_MAX)
