"""Alerts: levels, events, templates, and the handlers that scripts name."""
