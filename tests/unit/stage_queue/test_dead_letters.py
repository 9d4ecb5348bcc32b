"""Dead letters: kept byte for byte, listed once, sent again on request."""

from __future__ import annotations

import pytest
from pipeline_queue.brokers import Message
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.brokers.protocol import Record
from pipeline_queue.codec import decode, decode_all
from pipeline_queue.dead_letters import (
    LETTER_BYTES_MAX,
    CutLetter,
    DeadLetter,
    UnknownLetter,
    bury,
    find,
    letters,
    replay,
)
from pipeline_queue.topics import BLOCK_BYTES_MAX, DEAD_LETTERS, RANDOM_NUMBERS

NOON_NS = 1_795_348_800_000_000_000
GOOD = b'{"event_id":"p-0","time_ns":%d,"producer":"p","seq":0,"value":1.5}'


@pytest.fixture
def broker() -> MemoryBroker:
    made = MemoryBroker()
    made.create([RANDOM_NUMBERS, DEAD_LETTERS])
    return made


def letter(offset: int = 3, *, line: int = 0, raw: bytes = b"\x00\xff rubbish", key: bytes | None = b"k") -> DeadLetter:
    return DeadLetter(
        topic="random-numbers",
        partition=2,
        offset=offset,
        line=line,
        key=key,
        raw=raw,
        reason="no JSON – nothing like it",
        append_time_ns=NOON_NS,
        size_bytes=len(raw),
    )


@pytest.mark.parametrize("key", [b"k", b"", None])
@pytest.mark.parametrize("raw", [b"\x00\xff rubbish", b""])
def test_a_letter_is_listed_as_it_was_buried(broker: MemoryBroker, key: bytes | None, raw: bytes) -> None:
    bury(broker, [letter(key=key, raw=raw)])
    assert list(letters(broker)) == [letter(key=key, raw=raw)]


def test_a_letter_larger_than_a_block_is_cut_says_so_and_is_not_replayed(broker: MemoryBroker) -> None:
    record = Record(
        topic="random-numbers", partition=0, offset=0, append_time_ns=NOON_NS, value=bytes(BLOCK_BYTES_MAX + 1)
    )
    bury(broker, decode(RANDOM_NUMBERS, record).dead)
    (kept,) = letters(broker)
    assert (len(kept.raw), kept.size_bytes) == (LETTER_BYTES_MAX, BLOCK_BYTES_MAX + 1)
    with pytest.raises(CutLetter):
        replay(broker, kept)


def test_a_record_of_empty_lines_is_one_letter(broker: MemoryBroker) -> None:
    record = Record(topic="random-numbers", partition=0, offset=0, append_time_ns=NOON_NS, value=b"\n" * 20_000)
    bury(broker, decode(RANDOM_NUMBERS, record).dead)
    assert [each.size_bytes for each in letters(broker)] == [20_000]


def test_letters_are_listed_oldest_first(broker: MemoryBroker) -> None:
    bury(broker, [letter(5), letter(3)])
    bury(broker, [letter(4)])
    assert [each.offset for each in letters(broker)] == [5, 3, 4]


def test_a_letter_buried_by_two_readers_is_one(broker: MemoryBroker) -> None:
    bury(broker, [letter(3), letter(3, line=1)])
    bury(broker, [letter(3)])
    assert [each.letter_id for each in letters(broker)] == ["random-numbers/2/3/0", "random-numbers/2/3/1"]


def test_nothing_buried_is_nothing_listed(broker: MemoryBroker) -> None:
    bury(broker, [])
    assert list(letters(broker)) == []


def test_a_letter_is_found_by_its_id(broker: MemoryBroker) -> None:
    bury(broker, [letter(3), letter(4)])
    assert find(broker, "random-numbers/2/4/0") == letter(4)


def test_an_id_that_is_none_says_how_to_list(broker: MemoryBroker) -> None:
    with pytest.raises(UnknownLetter, match="no dead letter has the id `x`; `pipeline deadletters list` shows"):
        find(broker, "x")


def test_a_replayed_letter_is_on_its_topic_again_under_its_key(broker: MemoryBroker) -> None:
    replay(broker, letter(key=b"k"))
    (record,) = broker.read("random-numbers", dict.fromkeys(range(4), 0))
    assert (record.key, record.value) == (b"k", b"\x00\xff rubbish")


def test_what_was_only_dead_for_its_time_lives_when_replayed_in_time(broker: MemoryBroker) -> None:
    early = Record(topic="random-numbers", partition=0, offset=0, append_time_ns=0, value=GOOD % NOON_NS)
    bury(broker, decode(RANDOM_NUMBERS, early).dead)
    replay(broker, next(letters(broker)))
    (record,) = broker.read("random-numbers", dict.fromkeys(range(4), 0))
    again = Record(topic="random-numbers", partition=0, offset=1, append_time_ns=NOON_NS, value=record.value)
    assert [event.value for event in decode_all(RANDOM_NUMBERS, [again]).events] == [1.5]


def test_rubbish_on_the_dead_letters_themselves_is_listed_too(broker: MemoryBroker) -> None:
    broker.publish(DEAD_LETTERS.name, [Message(value=b"who put this here?")])
    assert [each.raw for each in letters(broker)] == [b"who put this here?"]
