"""The event types that come with the pipeline. A package outside adds its own in the same way (see docs/events.md)."""

from pipeline_queue.service_events.event_type import EventType
from pipeline_queue.topics import Column


class CrashReport(EventType):
    name = "crash_report"
    doc = "A program ended as it should not"
    fields = (Column(name="message", kind="string", doc="what it said"),)


class Purchase(EventType):
    name = "purchase"
    doc = "Somebody bought something"
    fields = (Column(name="sku", kind="string", doc="what: the stock keeping unit"),)


class Install(EventType):
    name = "install"
    doc = "A program was installed"
