"""`.log(path)`: the alert's JSON as a line of a file, in the folders that the operator allows.

A relative path is within ALERTS_LOG_DIR; links in it are followed before it is compared, and a file that is a link is not written to.
From: Kapacitor's `log`, which takes any absolute path.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.handler import Delivery, Operator
from pipeline_output.handlers.transport import Transport

MODE = 0o600
OWNER_WRITES = 0o200


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAlert:
    path: Path
    mode: int

    @property
    def target(self) -> str:
        return f"log {self.path}"

    @classmethod
    def of(cls, calls: Calls, operator: Operator) -> Self:
        folders = [Path(os.path.realpath(each)) for each in operator.settings.log_folders]
        mode = calls.number("mode", MODE)
        if not folders:
            raise calls.bad("may not write anywhere; ALERTS_LOG_DIR says into which folder scripts may write")
        path = Path(os.path.realpath(folders[0] / calls.argument("the path")))
        if not any(path.is_relative_to(each) and path != each for each in folders):
            allowed = ", ".join(map(str, folders))
            raise calls.bad(f"may not write to `{path}`; ALERTS_LOG_DIR and ALERTS_LOG_ALLOWED allow {allowed}")
        if not mode & OWNER_WRITES or not 0 <= mode <= 0o777:
            raise calls.bad(f"needs a mode by which the owner may write, got {mode:#o}")
        return cls(path=path, mode=mode)

    def deliver(self, delivery: Delivery, *, transport: Transport) -> None:
        transport.append(self.path, delivery.alert.body + b"\n", mode=self.mode)
