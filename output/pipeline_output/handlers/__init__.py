"""The handlers of alerts, by the name that scripts call them by.

In:      a HandlerCall, and the operator's settings.
Out:     a handler that delivers alerts. Which of its properties are templates is known to who fills them in, the alert's node.
Refuses: (BadHandler) a name that is none, what the handler does not take, what the operator does not allow.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pipeline_queue.alerts import HandlerCall

from pipeline_output.errors import BadHandler
from pipeline_output.handlers.alerta import AlertaAlert
from pipeline_output.handlers.any_service import NotifyAlert
from pipeline_output.handlers.calls import Calls
from pipeline_output.handlers.discord import DiscordAlert
from pipeline_output.handlers.handler import Handler, Operator
from pipeline_output.handlers.hip_chat import HipChatAlert
from pipeline_output.handlers.log import LogAlert
from pipeline_output.handlers.mail import MailAlert
from pipeline_output.handlers.ops_genie import OpsGenieAlert
from pipeline_output.handlers.ops_genie2 import OpsGenie2Alert
from pipeline_output.handlers.pager_duty import PagerDutyAlert
from pipeline_output.handlers.pager_duty2 import PagerDuty2Alert
from pipeline_output.handlers.post import PostAlert
from pipeline_output.handlers.program import ExecAlert
from pipeline_output.handlers.sensu import SensuAlert
from pipeline_output.handlers.slack import SlackAlert
from pipeline_output.handlers.tcp import SendAlert
from pipeline_output.handlers.teams import TeamsAlert
from pipeline_output.handlers.telegram import TelegramAlert
from pipeline_output.handlers.victor_ops import VictorOpsAlert

__all__ = ["HANDLERS", "Handler", "Operator", "made"]

HANDLERS: Mapping[str, type[Handler]] = {
    "log": LogAlert,
    "exec": ExecAlert,
    "post": PostAlert,
    "tcp": SendAlert,
    "email": MailAlert,
    "slack": SlackAlert,
    "pagerDuty": PagerDutyAlert,
    "pagerDuty2": PagerDuty2Alert,
    "opsGenie": OpsGenieAlert,
    "opsGenie2": OpsGenie2Alert,
    "victorOps": VictorOpsAlert,
    "alerta": AlertaAlert,
    "sensu": SensuAlert,
    "hipChat": HipChatAlert,
    "teams": TeamsAlert,
    "telegram": TelegramAlert,
    "discord": DiscordAlert,
    "apprise": NotifyAlert,
}


def made(call: HandlerCall, operator: Operator) -> Handler:
    """The handler that the call asks for; raises BadHandler."""
    if call.kind not in HANDLERS:
        near = difflib.get_close_matches(call.kind, HANDLERS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(HANDLERS)}"
        raise BadHandler(call.kind, because=f"is none; {hint} `.apprise('url')` reaches many others")
    calls = Calls(call)
    handler = HANDLERS[call.kind].of(calls, operator)
    calls.refuse_others()
    return handler
