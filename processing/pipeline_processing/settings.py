"""What the service `processing` can be told, each setting an environment variable of the same name.

In:      the environment.
Out:     a frozen object, filled once by the driver.
Refuses: a wrong value, with its name, the value met and what is allowed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pipeline_output.stores import split_urls
from pipeline_queue.settings import ServiceSettings
from pydantic import Field


class ProcessingSettings(ServiceSettings):
    """Settings of the driver and of what it starts."""

    spark_master: Annotated[
        str, Field(validation_alias="SPARK_MASTER", pattern=r"^(local(\[[\d*]+\])?|spark://.+)$")
    ] = "local[2]"
    """Where tasks run: `local[N]`, in the driver's own JVM, or `spark://host:7077`, a standalone cluster."""
    stores: Annotated[str, Field(validation_alias="STORES", min_length=1)] = "sqlite:///data/store.db"
    """Store URLs, a comma between them; each job writes into all of them, and what one that is away lacks waits for it."""
    checkpoint_dir: Annotated[Path, Field(validation_alias="CHECKPOINT_DIR")] = Path("/data/checkpoints")
    """Where queries keep their offsets and state; the same path on the driver and all workers."""
    trigger_s: Annotated[float, Field(validation_alias="TRIGGER_S", ge=0.05, le=3600)] = 1.0
    """Seconds between two micro-batches of a query."""
    records_per_trigger: Annotated[int, Field(validation_alias="RECORDS_PER_TRIGGER", ge=1)] = 10_000
    """About how many records a micro-batch takes at most, fewer where a record holds many events; after an outage many
    batches catch up."""
    parallelism: Annotated[int, Field(validation_alias="PARALLELISM", ge=1, le=64)] = 1
    """Tasks of each step of a query; a checkpoint keeps the number that it was made with. One task decodes 200,000
    events/s that come one a message, a million in blocks."""
    watermark_s: Annotated[int, Field(validation_alias="WATERMARK_S", ge=600)] = 3600
    """How far back windows stay open, longer after an outage that was longer. It bounds state, and half of it how late an
    event that was sent again still meets the first one; what is late is decided record by record."""
    driver_memory: Annotated[str, Field(validation_alias="DRIVER_MEMORY", pattern=r"^\d+[mg]$")] = "512m"
    """Heap of the driver's JVM; with `local[N]` tasks run in it too."""
    executor_memory: Annotated[str, Field(validation_alias="EXECUTOR_MEMORY", pattern=r"^\d+[mg]$")] = "512m"
    """Heap of each executor on a cluster."""
    cores_max: Annotated[int, Field(validation_alias="CORES_MAX", ge=1)] = 2
    """Cores that the application takes on a cluster; without a limit it would take all there are."""
    driver_host: Annotated[str, Field(validation_alias="DRIVER_HOST")] = "127.0.0.1"
    """The name under which executors reach the driver; on a cluster the service's own host name."""
    spark_ui_port: Annotated[int, Field(validation_alias="SPARK_UI_PORT", ge=0, le=65535)] = 0
    """Where Spark's own pages answer; 0 leaves them off."""
    jars_dir: Annotated[Path | None, Field(validation_alias="JARS_DIR")] = None
    """A folder with Spark's Kafka connector, the same on all machines; needed when the queue is Kafka."""

    @property
    def store_urls(self) -> tuple[str, ...]:
        return tuple(split_urls(self.stores))

    @property
    def local(self) -> bool:
        return self.spark_master.startswith("local")
