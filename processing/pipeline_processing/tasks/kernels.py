"""What Numba compiles for tasks, compiled before anybody waits for it.

    python -m pipeline_processing.tasks.kernels

Out:  compiled kernels in Numba's cache, beside the modules or in NUMBA_CACHE_DIR, where each later process finds them.
A kernel is compiled when it first meets a type, which takes up to some seconds; here each node meets all that it takes. It is done
again when a module has changed, and costs little where nothing has.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipeline_processing.errors import ProcessingError

PACKAGE = Path(__file__).parents[1]
STREAMS = (
    'where(lambda: "f" > 1.0 AND "s" == \'x1\')',
    "eval(lambda: sigma(\"f\"), lambda: \"i\" + count(), lambda: spread(\"f\")).as('a', 'c', 'd').keep()",
    "derivative('f').nonNegative().unit(2s)",
    "derivative('i')",
    "difference('f')",
    "difference('i')",
    "elapsed('f', 1s)",
    "cumulativeSum('f')",
    "cumulativeSum('i')",
    "movingAverage('f', 3)",
    "movingAverage('i', 3)",
    "changeDetect('f')",
    "changeDetect('s', 'b')",
    "sample(3)",
    "sample(2s)",
    "shift(5s)",
    'stateDuration(lambda: "f" > 5.0).unit(1s)',
    'stateCount(lambda: "f" > 5.0)',
    "default().field('g', 1.0).tag('z', 'a')",
    "delete().field('i').tag('zone')",
    "groupBy('zone')",
    "groupBy(*)",
    "flatten().on('host').tolerance(2s)",
    "combine(lambda: \"f\" > 1.0, lambda: TRUE).as('l', 'r').tolerance(2s).max(100)",
    "barrier().idle(3s)",
    "barrier().period(3s).delete(TRUE)",
    "stats(3s)",
    "deadman(1.0, 5s)",
    'alert().crit(lambda: "f" > 9.0).warn(lambda: "f" > 5.0).stateChangesOnly()',
    "alert().crit(lambda: \"f\" > 9.0).flapping(0.2, 0.5).history(10).levelField('level').durationField('for')",
    'alert().crit(lambda: "f" > 9.0).all()',
    "httpOut('out')",
)
WINDOWS = (
    "window().period(10s).every(5s)",
    "window().period(10s).every(10s).align()",
    "window().period(10s).every(5s).fillPeriod()",
    "window().period(10s).every(0s)",
    "window().periodCount(5).everyCount(2)",
    "window().periodCount(5).everyCount(2).fillPeriod()",
)
FUNCTIONS = (
    *(f"{name}('{field}')" for name in ("count", "distinct", "mode", "first", "last") for field in "fisb"),
    *(f"{name}('{field}')" for name in ("sum", "mean", "median", "min", "max", "spread", "stddev") for field in "fi"),
    *(f"{name}('{field}', 50.0)" for name in ("percentile",) for field in "fi"),
    *(f"{name}(2, '{field}')" for name in ("top", "bottom") for field in "fi"),
    *(f"{name}(2, 'f', 'host', 's')" for name in ("top", "bottom")),
    *(f"{name}('{field}', 3, 2, 1s)" for name in ("holtWinters", "holtWintersWithFit") for field in "fi"),
)
SEVERAL = (
    "var a = stream|from().groupBy('host')|where(lambda: \"f\" > 1.0)\n"
    "var b = stream|from().groupBy('host')|where(lambda: \"f\" <= 99.0)\n"
    "a|join(b).as('a', 'b').tolerance(2s){how}|httpOut('out')",
    "var a = stream|from().groupBy('host')|window().period(5s).every(5s)|mean('f')\n"
    "var b = stream|from().groupBy('zone')|window().period(5s).every(5s)|mean('f')\n"
    "a|join(b).as('a', 'b').on('zone'){how}|httpOut('out')",
    "var a = stream|from().groupBy('host')\nvar b = stream|from().measurement('m')\na|union(b)|window().period(5s).every(5s)|union(b|window().period(4s).every(4s))|httpOut('out')",
)


def scripts() -> Iterator[str]:
    """Each node on a stream and on batches."""
    grouped, window = "stream|from().groupBy('host')", WINDOWS[0]
    yield "stream|from().groupBy('host').lateness(2s).idle(3s)|httpOut('out')"
    for each in (*STREAMS, *FUNCTIONS, *WINDOWS):
        yield f"{grouped}|{each}|httpOut('last')"
    for each in (*STREAMS, *FUNCTIONS):
        yield f"{grouped}|{window}|{each}|httpOut('last')"
    for each in WINDOWS[1:]:
        yield f"{grouped}|{each}|mean('f')|httpOut('last')"
    for each in SEVERAL:
        for how in ("", ".fill('null')", ".fill(0.0)"):
            yield each.replace("{how}", how)


def points() -> bytes:
    """Of two hosts, with a field of each type, out of order once, and with a pause."""
    times = [*range(0, 30), 27, *range(45, 60)]
    return "".join(
        f'm,host=h{at % 2},zone=z{at % 3} f={at % 11}.5,i={at % 7}i,s="x{at % 3}",b={"tf"[at % 2]} {at}000000000\n'
        for at in times
    ).encode()


def are_compiled() -> bool:
    return _stamp().is_file() and _stamp().read_text() == _sources()


def compile_all() -> None:
    from pipeline_queue.points.block import PointBlock
    from pipeline_queue.points.line_protocol import Parser

    from pipeline_processing.tasks.rehearsal import definition_of, rehearsed

    place = ("d", "r")
    batches = Parser().parse(points(), now_ns=0).batches
    for number, script in enumerate(scripts()):
        with suppress(ProcessingError):  # not every node takes every type, or follows every edge
            rehearsed(definition_of(f"t{number}", script, [place]), [PointBlock(*place, each) for each in batches])
    with suppress(OSError):  # where nothing may be written, nothing was cached either
        _stamp().parent.mkdir(parents=True, exist_ok=True)
        _stamp().write_text(_sources())


def _stamp() -> Path:
    return Path(os.environ.get("NUMBA_CACHE_DIR") or PACKAGE / "__pycache__") / "compiled-for"


def _sources() -> str:
    """Numba, too, goes by the time of a module's last change."""
    newest = max(each.stat().st_mtime_ns for each in PACKAGE.rglob("*.py"))
    return f"{sys.version} {newest}"


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # of points that lack a type
    if not are_compiled():
        print(
            "compiling what tasks need, so that their first points do not wait for it (once, up to two minutes)",
            file=sys.stderr,
        )
        compile_all()
