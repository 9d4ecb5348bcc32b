"""The JVM in which Spark's driver runs, started without Spark's launcher scripts.

In:      options of the JVM, Spark's settings, folders with further jars.
Out:     a process that PySpark connects to. It ends when this process ends, however that ends: its standard input
         closes, and on Linux the kernel sends it SIGTERM when the starting thread is gone, so it is started by the main
         thread.
Refuses: a machine without Java (NoJava), a JVM that ends before it is ready (JvmEnded).
The scripts (`spark-submit`, `spark-class`) run a second JVM to compute this command line: 1.3 s on 2 busy cores.
Without SPARK_HOME in its environment the JVM starts Python workers that import the installed, compiled pyspark; with it
they import from a zip of sources, 0.4 s more for each.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyspark
from pyspark.serializers import UTF8Deserializer, read_int

from pipeline_processing.errors import JvmEnded, NoJava

JARS = Path(pyspark.__file__).parent / "jars"
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


def start_jvm(options: Sequence[str], conf: Mapping[str, str], jars: Sequence[Path]) -> subprocess.Popen[bytes]:
    """Start it and let PySpark know; `SparkSession.builder.getOrCreate()` then uses it."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "gateway"
        jvm = subprocess.Popen(
            _command(options, conf, jars),
            stdin=subprocess.PIPE,
            env=_environment(answer),
            preexec_fn=_end_with_parent() if sys.platform == "linux" else None,
        )
        port, secret = _gateway(jvm, answer)
    os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"] = str(port), secret
    return jvm


def stop_jvm(jvm: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and kill it when it does not."""
    os.environ.pop("PYSPARK_GATEWAY_PORT", None)
    os.environ.pop("PYSPARK_GATEWAY_SECRET", None)
    if jvm.stdin is not None:
        jvm.stdin.close()
    try:
        jvm.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        jvm.kill()
        jvm.wait()


def _command(options: Sequence[str], conf: Mapping[str, str], jars: Sequence[Path]) -> list[str]:
    java = shutil.which(os.path.join(os.environ.get("JAVA_HOME", ""), "bin", "java")) or shutil.which("java")
    if java is None:
        raise NoJava
    return [
        java,
        *options,
        *(f"--add-opens={module}/{package}=ALL-UNNAMED" for module, packages in _OPEN.items() for package in packages),
        *(f"-D{name}={value}" for name, value in {**_PROPERTIES, **conf}.items()),
        "-cp",
        ":".join(f"{folder}/*" for folder in (JARS, *jars)),
        "org.apache.spark.api.python.PythonGatewayServer",
    ]


def _environment(answer: Path) -> dict[str, str]:
    ours = {
        "_PYSPARK_DRIVER_CONN_INFO_PATH": str(answer),
        "SPARK_CONNECT_MODE": "0",
    }
    return {name: value for name, value in os.environ.items() if name != "SPARK_HOME"} | ours


def _end_with_parent():
    prctl = ctypes.CDLL(None).prctl

    def in_child() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for this process, which stops the JVM in its own way
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return in_child


def _gateway(jvm: subprocess.Popen[bytes], answer: Path) -> tuple[int, str]:
    deadline = time.monotonic() + READY_WITHIN_S
    while not answer.exists():
        if jvm.poll() is not None or time.monotonic() > deadline:
            jvm.kill()
            raise JvmEnded(jvm.wait())
        time.sleep(0.02)
    with answer.open("rb") as file:
        return read_int(file), UTF8Deserializer().loads(file)
