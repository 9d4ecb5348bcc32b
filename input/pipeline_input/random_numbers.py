"""Seeded random numbers, an exact count in every second.

Out:  RANDOM_NUMBERS_RATE events a second on the topic `random-numbers`: event i of a second is dated that second
      + i/rate, from the first whole second after the start. So every whole second holds exactly `rate` events, and a
      loss shows. Each TICK_NS hands over what was due before it; up to MESSAGES_RATE_MAX events/s travel one a message,
      above in blocks.
The same seed gives the same numbers in the same order; a restart is a new producer and starts the sequence again.
Kept waiting, it catches up: events keep their planned times, the count stays exact, and what comes more than the
topic's `lateness_s` after its time is late, which the producer's figures say. After more than CATCH_UP_S_MAX (a
machine that slept) it completes the second at hand and goes on from now: a second holds `rate` events or none, and the
log says so. When the clock is set back it waits until the planned time comes again.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Annotated, Literal

from pipeline_queue.clock import Clock
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import EVENTS_PER_BLOCK_MAX, RANDOM_NUMBERS
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pipeline_input.pacing import SECOND_NS, Batch, wait_until
from pipeline_input.source import Source, SourceSettings

TICK_NS = 50_000_000
"""20 publishes a second at any rate: 25 ms of delay in the median, and 5,000 events a block at the highest rate."""
MESSAGES_RATE_MAX = 1000
"""kafka-python moves some 10,000 messages/s however small, so this is a tenth of a core; faster sources send blocks."""
CATCH_UP_S_MAX = 600

log = logging.getLogger(__name__)


class RandomNumbersSettings(SourceSettings):
    model_config = SettingsConfigDict(env_prefix="RANDOM_NUMBERS_")

    rate: Annotated[int, Field(validation_alias="RANDOM_NUMBERS_RATE", ge=1, le=100_000)] = 100
    """Events a second, 1 to 100,000; every whole second holds exactly as many."""
    distribution: Annotated[
        Literal["normal", "uniform", "walk"], Field(validation_alias="RANDOM_NUMBERS_DISTRIBUTION")
    ] = "normal"
    """`normal`; `uniform` within mean ± spread; `walk`, which starts at the mean and takes normal steps."""
    seed: Annotated[int, Field(validation_alias="RANDOM_NUMBERS_SEED", ge=0)] = 0
    """The same seed gives the same numbers."""
    mean: Annotated[float, Field(validation_alias="RANDOM_NUMBERS_MEAN", allow_inf_nan=False)] = 0.0
    """The middle of the distribution, the start of a walk."""
    spread: Annotated[float, Field(validation_alias="RANDOM_NUMBERS_SPREAD", gt=0, allow_inf_nan=False)] = 1.0
    """Standard deviation of `normal` and of a step of `walk`; half the width of `uniform`."""

    @property
    def events_per_message(self) -> int:
        return 1 if self.rate <= MESSAGES_RATE_MAX else EVENTS_PER_BLOCK_MAX


def batches(settings: RandomNumbersSettings, clock: Clock, producer: str) -> Iterator[Batch]:
    """What was due before each tick, at most a block's worth at a time."""
    make, values, rate, seq = event_type(RANDOM_NUMBERS), numbers(settings), settings.rate, 0
    for second_ns in _seconds(clock):
        made = 0
        while made < rate:
            yield from wait_until(clock, _tick_after(_planned(second_ns, made, rate)))
            due = min(_due(clock.now_ns() - second_ns, rate), made + EVENTS_PER_BLOCK_MAX)
            yield [
                make(
                    event_id=event_id(producer, seq + i),
                    time_ns=_planned(second_ns, made + i, rate),
                    producer=producer,
                    seq=seq + i,
                    value=value,
                )
                for i, value in enumerate(islice(values, due - made))
            ]
            seq, made = seq + due - made, due


def numbers(settings: RandomNumbersSettings) -> Iterator[float]:
    """The endless sequence that the settings describe."""
    return DISTRIBUTIONS[settings.distribution](random.Random(settings.seed), settings.mean, settings.spread)


def _seconds(clock: Clock) -> Iterator[int]:
    """Whole seconds, each once, from the next one on; a long absence is jumped over."""
    second_ns = _whole_second_from(clock.now_ns())
    while True:
        yield second_ns
        second_ns += SECOND_NS
        behind_s = (clock.now_ns() - second_ns) / SECOND_NS
        if behind_s > CATCH_UP_S_MAX:
            log.warning("%.0f s behind, more than the %d s that are made up for: left out", behind_s, CATCH_UP_S_MAX)
            second_ns = _whole_second_from(clock.now_ns())


def _whole_second_from(time_ns: int) -> int:
    return -(-time_ns // SECOND_NS) * SECOND_NS


def _planned(second_ns: int, i: int, rate: int) -> int:
    return second_ns + i * SECOND_NS // rate


def _tick_after(time_ns: int) -> int:
    return (time_ns // TICK_NS + 1) * TICK_NS


def _due(since_ns: int, rate: int) -> int:
    """How many of a second's events are planned before `since_ns` of it."""
    return min(rate, -(-since_ns * rate // SECOND_NS))


def _normal(draw: random.Random, mean: float, spread: float) -> Iterator[float]:
    while True:
        yield draw.gauss(mean, spread)


def _uniform(draw: random.Random, mean: float, spread: float) -> Iterator[float]:
    while True:
        yield draw.uniform(mean - spread, mean + spread)


def _walk(draw: random.Random, mean: float, spread: float) -> Iterator[float]:
    value = mean
    while True:
        yield value
        value += draw.gauss(0.0, spread)


DISTRIBUTIONS: Mapping[str, Callable[[random.Random, float, float], Iterator[float]]] = {
    "normal": _normal,
    "uniform": _uniform,
    "walk": _walk,
}

SOURCE = Source(
    name="random-numbers",
    title="Seeded random numbers, an exact count in every second",
    topic=RANDOM_NUMBERS,
    settings=RandomNumbersSettings,
    batches=batches,
)
