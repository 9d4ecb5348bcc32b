"""What leaves a task as JSON: series, and how their numbers are written."""

from pipeline_processing.results.json_text import NotJson, dumps
from pipeline_processing.results.series import series_of

__all__ = ["NotJson", "dumps", "series_of"]
