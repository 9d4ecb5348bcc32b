"""The JVM in which Spark's driver runs, started without Spark's launcher scripts.

In:      options of the JVM, Spark's settings, folders with further jars.
Out:     a process that PySpark connects to. It ends when this process ends, however that ends: its standard input
         closes, and on Linux the kernel sends it SIGTERM when the starting thread is gone, so the main thread starts
         it.
Refuses: a machine without Java (NoJava), a JVM that ends before it is ready (JvmEnded).
The scripts (`spark-submit`, `spark-class`) run a second JVM to compute this command line: with them a session took
5.6 s, without 4.6. Without SPARK_HOME in its environment the JVM starts Python workers that import the installed,
compiled pyspark; with it they import from a zip of sources. This module imports no pyspark: the JVM starts meanwhile.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from pipeline_processing.errors import JvmEnded, NoJava

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 2.0
_PR_SET_PDEATHSIG = 1
# What org.apache.spark.launcher.JavaModuleOptions adds. Spark's scripts also add the module jdk.incubator.vector, which
# only its linear algebra uses, and which makes the JVM print a warning.
_OPEN = {
    "java.base": (
        "java.lang",
        "java.lang.invoke",
        "java.lang.reflect",
        "java.io",
        "java.net",
        "java.nio",
        "java.util",
        "java.util.concurrent",
        "java.util.concurrent.atomic",
        "jdk.internal.ref",
        "sun.nio.ch",
        "sun.nio.cs",
        "sun.security.action",
        "sun.util.calendar",
    ),
    "java.security.jgss": ("sun.security.krb5",),
}
_PROPERTIES = {
    "jdk.reflect.useDirectMethodHandle": "false",
    "io.netty.tryReflectionSetAccessible": "true",
    "io.netty.noUnsafe": "false",
}


class Jvm:
    """A running JVM; use as a context manager."""

    def __init__(self, options: Sequence[str], conf: Mapping[str, str], jars: Sequence[Path]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pipeline-jvm-")
        self._answer = Path(self._folder.name) / "gateway"
        self._process = subprocess.Popen(
            _command(options, conf),
            stdin=subprocess.PIPE,
            env=_environment(self._answer, jars),
            preexec_fn=_end_with_parent() if sys.platform == "linux" else None,
        )

    def connect(self) -> None:
        """Wait until it is ready; `SparkSession.builder.getOrCreate()` then uses it."""
        port, secret = self._gateway()
        os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"] = str(port), secret

    def stop(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """Ask it to end, and kill it when it does not."""
        os.environ.pop("PYSPARK_GATEWAY_PORT", None)
        os.environ.pop("PYSPARK_GATEWAY_SECRET", None)
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Jvm:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def _gateway(self) -> tuple[int, str]:
        """What org.apache.spark.api.python.PythonGatewayServer wrote: port, length of the secret, secret."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._answer.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise JvmEnded(self._process.wait())
            time.sleep(0.02)
        answer = self._answer.read_bytes()
        (port, length), secret = struct.unpack(">ii", answer[:8]), answer[8:]
        return port, secret[:length].decode()


def java_command() -> str:
    """JAVA_HOME's Java, else the one on the PATH; raises NoJava."""
    java = shutil.which(os.path.join(os.environ.get("JAVA_HOME", ""), "bin", "java")) or shutil.which("java")
    if java is None:
        raise NoJava
    return java


def _command(options: Sequence[str], conf: Mapping[str, str]) -> list[str]:
    return [
        java_command(),
        *options,
        *(f"--add-opens={module}/{package}=ALL-UNNAMED" for module, packages in _OPEN.items() for package in packages),
        *(f"-D{name}={value}" for name, value in {**_PROPERTIES, **conf}.items()),
        "org.apache.spark.api.python.PythonGatewayServer",
    ]


def _sparks_jars() -> Path:
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pyspark is not installed; install the extra `processing`")
    return Path(spec.origin).parent / "jars"


def _environment(answer: Path, jars: Sequence[Path]) -> dict[str, str]:
    """The class path is sorted: an archive of classes holds for the order that it was made with."""
    paths = (path for folder in (_sparks_jars(), *jars) for path in sorted(folder.glob("*.jar")))
    ours = {
        "_PYSPARK_DRIVER_CONN_INFO_PATH": str(answer),
        "SPARK_CONNECT_MODE": "0",
        "CLASSPATH": ":".join(map(str, paths)),
    }
    return {name: value for name, value in os.environ.items() if name != "SPARK_HOME"} | ours


def _end_with_parent() -> Callable[[], None]:
    prctl = ctypes.CDLL(None).prctl

    def in_child() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for this process, which stops the JVM in its own way
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return in_child
