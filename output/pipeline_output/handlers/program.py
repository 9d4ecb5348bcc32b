"""`.exec(program, arguments…)`: a program that the operator allows gets the alert's JSON on its standard input.

Its environment is the path and ALERT_EVENT_ID, which is the same when an alert is delivered again. Status 0 means done, any other
that it is to be tried again.
From: Kapacitor's `exec`, which starts any program, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator
from pipeline_output.handlers.transport import Run, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecAlert:
    command: tuple[str, ...]
    timeout_s: float

    @property
    def target(self) -> str:
        return f"exec {self.command[0]}"

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        program, *arguments = calls.arguments("the program and its arguments") or ("",)
        allowed = operator.settings.programs
        found = next((each for each in allowed if program and program in (each, PurePath(each).name)), None)
        if found is None:
            raise calls.bad(f"may not start `{program}`; ALERTS_EXEC_ALLOWED allows {', '.join(allowed) or 'nothing'}")
        if any("\0" in each for each in arguments):
            raise calls.bad("takes no NUL in an argument")
        return cls(command=(found, *arguments), timeout_s=operator.settings.timeout_s)

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        transport.run(
            Run(
                command=self.command,
                given=delivery.alert.body + b"\n",
                environment={"ALERT_EVENT_ID": delivery.key},
                timeout_s=self.timeout_s,
            )
        )
