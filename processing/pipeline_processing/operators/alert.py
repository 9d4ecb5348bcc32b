"""Alerts: which points are worth telling, and how badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pipeline_processing.alerts.event import HandlerCall, Place
from pipeline_processing.alerts.identities import Identities
from pipeline_processing.alerts.judgement import Case, Failures, judged
from pipeline_processing.alerts.machine import Groups, Rules, Units, forget, no_groups, unsettled, with_room
from pipeline_processing.alerts.marks import Marks
from pipeline_processing.alerts.telling import Teller, Told, in_order
from pipeline_processing.alerts.wording import DETAILS, ID, MESSAGE, Wording
from pipeline_processing.expressions import Expression
from pipeline_processing.operators.operator import EITHER, Data, Edge, Step, Tick
from pipeline_processing.operators.options import (
    Arguments,
    a_duration,
    a_float,
    a_string,
    arguments,
    expression,
    flag,
    integer,
    option,
    string,
)
from pipeline_processing.operators.runs import forgotten
from pipeline_processing.points.batches import Batches
from pipeline_processing.points.keys import Ids, Keys

HISTORY, HISTORY_MIN = 21, 2
COUNTED = ("ok", "info", "warn", "crit")
"""The levels as statistics name them."""


def a_longest_silence(given: Arguments) -> int:
    """A duration; 0 without one."""
    if len(given) > 1:
        raise ValueError(f"takes 1 duration at most, got {len(given)}")
    return a_duration(given[0]) if given else 0


def an_inhibition(given: Arguments) -> tuple[str, ...]:
    if not given:
        raise ValueError("takes a category and tags, got none")
    return tuple(a_string(each) for each in given)


@dataclass(slots=True)
class AlertState:
    """By group: its level and history; by alert's id: its last event; by expression: its own state."""

    groups: Groups
    identities: Identities
    expressions: list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Tell handlers of points that make an expression true, and when it is so no more.

    In:    points in arrival order, or batches, which count as one each.
    State: a level, two times and a history a group; the last event of each id. A group that is not OK is not forgotten.
    Out:   the points and batches that made an event, and the event itself in `Step.emitted`. What an expression cannot be
           computed for counts as not true, and is counted.
    From:  Kapacitor's `alert`.
    """

    KIND: ClassVar[str] = "alert"
    TAKES: ClassVar[frozenset[Edge]] = EITHER
    GIVES: ClassVar[Edge | None] = None
    COUNTS: ClassVar[tuple[str, ...]] = (
        "alerts_inhibited",
        "alerts_triggered",
        *(f"{each}s_triggered" for each in COUNTED),
    )

    id: str = option("id", string, ID, "the template of its id")
    message: str = option("message", string, MESSAGE, "the template of its message")
    details: str = option("details", string, DETAILS, "the template of its details, which are HTML")
    info: Expression | None = option("info", expression, None, "when the level is INFO")
    warn: Expression | None = option("warn", expression, None, "when the level is WARNING")
    crit: Expression | None = option("crit", expression, None, "when the level is CRITICAL")
    info_reset: Expression | None = option("infoReset", expression, None, "when INFO may be left for OK")
    warn_reset: Expression | None = option("warnReset", expression, None, "when WARNING may be left for less")
    crit_reset: Expression | None = option("critReset", expression, None, "when CRITICAL may be left for less")
    changes_only_ns: int | None = option(
        "stateChangesOnly", a_longest_silence, None, "tell changes of level alone, and what lasts this long (0: never)"
    )
    flapping: tuple[float, float] | None = option(
        "flapping",
        arguments(("low", a_float), ("high", a_float)),
        None,
        "be silent from when more than the second share of the history are changes until fewer than the first are",
    )
    history: int = option("history", integer, HISTORY, "how many levels the history has")
    no_recoveries: bool = option("noRecoveries", flag, False, "do not tell when the level is OK again")
    all_rows: bool = option("all", flag, False, "a batch has the lowest of its points' levels, not the highest")
    level_tag: str = option("levelTag", string, "", "a tag for the level")
    level_field: str = option("levelField", string, "", "a field for the level")
    id_tag: str = option("idTag", string, "", "a tag for the id")
    id_field: str = option("idField", string, "", "a field for the id")
    message_field: str = option("messageField", string, "", "a field for the message")
    duration_field: str = option("durationField", string, "", "a field for the duration, in ns")
    topic: str = option("topic", string, "", "the topic that hears of it")
    category: str = option("category", string, "", "what inhibitions name it by")
    inhibit: tuple[tuple[str, ...], ...] = option(
        "inhibit", an_inhibition, (), "a category that is held back where these tags are equal", gathers=True
    )
    handlers: tuple[HandlerCall, ...] = ()
    place: Place = field(default_factory=Place)
    wording: Wording = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.flapping is not None and max(self.flapping) > 1.0:
            raise ValueError("alert flap thresholds are percentages and should be between 0 and 1")
        texts = (self.id, self.message, self.details)
        object.__setattr__(self, "wording", Wording.of(texts=texts, handlers=self.handlers, place=self.place))

    def initial(self) -> AlertState:
        groups = no_groups(max(self.history, HISTORY_MIN) if self.flapping else 0)
        states = [None if each is None else each.initial() for each in self.expressions]
        return AlertState(groups=groups, identities=Identities(), expressions=states)

    @property
    def expressions(self) -> tuple[Expression | None, ...]:
        """As levels.EXPRESSIONS names them; a level that there is not is never left by its reset."""
        resets = (self.info_reset, self.warn_reset, self.crit_reset)
        levels = (self.info, self.warn, self.crit)
        return (*levels, *(reset if level else None for level, reset in zip(levels, resets, strict=True)))

    def step(self, state: AlertState, inputs: Sequence[Data], tick: Tick, keys: Keys) -> Step:
        data = inputs[0]
        if len(data) == 0:
            forget(state.groups, forgotten(data))
            return Step(state=state, out=data)
        alerts = self._alerts(state, data, keys)
        failures = Failures({})
        decided = judged(self._case(state, data, alerts, (tick, keys)), failures)
        told = Told.of(data, decided, [state.identities.texts[each] for each in alerts[decided.event].tolist()])
        events = self._teller.events(told, keys)
        out = self._marks.marked(told.out, events, keys)
        forget(state.groups, forgotten(data))
        emitted = in_order([*events, *self._teller.inhibitions(data, decided, keys)])
        return Step(state=state, out=out, emitted=emitted, errors=failures.found, counted=_counted(told))

    def keeps(self, state: AlertState) -> Ids:
        """The groups that owe a recovery."""
        return unsettled(state.groups)

    def forget(self, state: AlertState, groups: Ids) -> None:
        forget(state.groups, groups)
        state.identities.forget_settled()

    @property
    def topics(self) -> tuple[str, ...]:
        """Those that hear of its events: its own if it has handlers, and the one that it names."""
        own = (self.place.topic,) if self.handlers else ()
        return (*own, self.topic) if self.topic else own

    @property
    def _teller(self) -> Teller:
        return Teller(
            wording=self.wording,
            topic=self.topic,
            category=self.category,
            recoverable=not self.no_recoveries,
            inhibit=self.inhibit,
        )

    @property
    def _marks(self) -> Marks:
        return Marks(
            level_tag=self.level_tag,
            id_tag=self.id_tag,
            level_field=self.level_field,
            message_field=self.message_field,
            id_field=self.id_field,
            duration_field=self.duration_field,
        )

    def _alerts(self, state: AlertState, data: Data, keys: Keys) -> np.ndarray:
        return state.identities.numbers(
            data.series,
            data.group,
            lambda series, group: self.wording.id_of(keys.series[series], keys.groups[group].id),
        )

    def _case(self, state: AlertState, data: Data, alerts: np.ndarray, when: tuple[Tick, Keys]) -> Case:
        tick, keys = when
        batches = isinstance(data, Batches)
        rows = data.rows if isinstance(data, Batches) else data
        units = Units(
            group=data.group,
            alert=alerts,
            end_ns=data.tmax_ns if isinstance(data, Batches) else data.time_ns,
            start=data.start if isinstance(data, Batches) else np.arange(len(data) + 1),
            row_ns=rows.time_ns,
        )
        state.groups = with_room(state.groups, len(keys.groups))
        return Case(
            expressions=self.expressions,
            states=state.expressions,
            rows=rows,
            units=units,
            rules=self._rules(batches),
            groups=state.groups,
            topic=state.identities.topic,
            tick=tick,
            keys=keys,
        )

    def _rules(self, batches: bool) -> Rules:
        low, high = self.flapping or (0.0, 0.0)
        return Rules(
            batches,
            self.all_rows,
            self.changes_only_ns is not None,
            self.changes_only_ns or 0,
            not self.no_recoveries,
            self.flapping is not None,
            low,
            high,
            bool(self.handlers or self.topic),
            *(each is not None for each in self.expressions),
        )


def _counted(told: Told) -> dict[str, int]:
    by_level = {f"{name}s_triggered": told.level.count(level) for level, name in enumerate(COUNTED)}
    return {"alerts_triggered": len(told.level), **by_level}
