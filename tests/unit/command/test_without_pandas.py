"""pandas stays out of the processes that do not want it."""

import subprocess
import sys

CONVERTS = """
import sys
from pipeline_cli.without_pandas import without_pandas
if "kept out" in sys.argv:
    without_pandas()
import numpy as np
import pyarrow as pa
assert pa.array(np.arange(3)).to_pylist() == [0, 1, 2]
print("pandas" in sys.modules)
"""


def test_pyarrow_converts_without_importing_pandas() -> None:
    said = [
        subprocess.run([sys.executable, "-c", CONVERTS, how], capture_output=True, text=True, check=True).stdout.strip()
        for how in ("kept out", "as it is")
    ]
    assert said == ["False", "True"]
