"""What can go wrong in processing.

ProcessingError
├── BadSketch         bytes that are no sketch
├── UnknownJob        a name that the table JOBS does not hold
├── NotStreamable     a queue that Spark cannot read
├── CheckpointAhead   a checkpoint of a queue that was since made anew
├── NoJava            there is no Java to run Spark
├── JvmEnded          Spark's JVM ended before it was ready
├── TickError         a script that is wrong, and where; its tree is in tickscript/errors.py
├── TaskError         what handling tasks can run into; its tree is in tasks/errors.py
├── StateTooLarge     a task that holds more than it may (engine/limits.py)
├── NotStartable      a task that is kept and cannot run
├── FolderGone        a task's folder that is not there any more (engine/snapshots.py)
├── WrongProperty     an alert's property that there is not, or that takes something else (alerts/properties.py)
├── BadTemplate       an alert's template that cannot be read (alerts/templates/errors.py)
├── TemplateFailed    one that cannot be carried out for an event
├── NotJson           a value that JSON has no form for (results/json_text.py)
└── SparkStopped      the application was ended from outside, by its master for one

Beside them, refusals of the layer below that become one of these where a script's place is known: GraphError (graph/graph.py), CannotRun
(operators/operator.py), ValueError of arguments; and NodeFailed (graph/run.py), which is bad code and ends its task.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class ProcessingError(Exception):
    """Anything this stage refuses or cannot do."""


class BadSketch(ProcessingError):
    def __init__(self, reason: str) -> None:
        super().__init__(
            f"these bytes are no sketch: {reason}; if another version wrote them, delete the checkpoint they came from"
        )


class NotStartable(ProcessingError):
    """A task that is kept and cannot run."""


class UnknownJob(ProcessingError):
    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`" if near else f"there are {', '.join(names)}"
        super().__init__(f"no job is called `{name}`; {hint}")


class NotStreamable(ProcessingError):
    def __init__(self, url: str) -> None:
        super().__init__(f"Spark cannot read the queue `{url}`; use `kafka://host:port` or `sqlite:///absolute/folder`")


class CheckpointAhead(ProcessingError):
    def __init__(self, topic: str, *, at: Mapping[int, int], ends: Mapping[int, int]) -> None:
        super().__init__(
            f"the checkpoint is at {dict(at)} of `{topic}`, ahead of the queue's end {dict(ends)}: the queue was made "
            "anew; delete the query's folder in CHECKPOINT_DIR to begin with the new one"
        )


class NoJava(ProcessingError):
    def __init__(self) -> None:
        super().__init__("no `java` was found in JAVA_HOME or on the PATH; install a headless JRE, version 17 or 21")


class JvmEnded(ProcessingError):
    def __init__(self, status: int) -> None:
        super().__init__(f"Spark's JVM ended with status {status} before it was ready; what it said is above")


class SparkStopped(ProcessingError):
    def __init__(self) -> None:
        super().__init__(
            "Spark's context has stopped, so no query can run; start the service again, it goes on from its checkpoints"
        )
