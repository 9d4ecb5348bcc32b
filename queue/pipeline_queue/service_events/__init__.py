"""Events of applications: their types, and where these are found."""

from pipeline_queue.service_events.event_type import EventType
from pipeline_queue.service_events.registry import BadEventType, by_name, event_types

__all__ = ["BadEventType", "EventType", "by_name", "event_types"]
