"""What a draw of demo 2 costs in a real Chromium, with a minute of numbers, with ten minutes, and with all that it keeps.

    python tests/benchmarks/bench_charts.py

Out:   a table: how many numbers the span held, the median and the slowest tenth of 100 draws of 20 a second each with new numbers, and
       the limit of the median: half a frame of 60 a second for the default rate, a whole one for ten times as many.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))
from running_display import chromium, displaying, opened

LIMITS_MS = {6_000: 8.0, 60_000: 8.0, 600_000: 16.0}
DRAW = """async (size) => {
    const { Chart } = await import("/static/charts/numbers.js");
    const host = document.querySelector("#chart");
    host.replaceChildren();
    const page = JSON.parse(document.body.dataset.page);
    const chart = new Chart(host, { page, redraw: { request() {} } });
    chart.spanS = page.history_s;
    const normal = d3.randomNormal.source(d3.randomLcg(1))(), stepNs = page.history_s * 1e9 / size;
    let seq = 0;
    const row = () => ({ event_id: `p-${String(seq).padStart(12, "0")}`, time_ns: 1.76e18 + seq * stepNs, producer: "p", seq: seq++, value: normal(), frame: 0 });
    while (seq < size) chart.take(d3.range(Math.min(5000, size - seq)).map(row));
    const costs = [];
    for (let i = 0; i < 100; i++) {
        chart.take(d3.range(Math.ceil(size / page.history_s / 20)).map(row));
        await new Promise(requestAnimationFrame);
        const began = performance.now();
        chart.draw();
        costs.push(performance.now() - began);
    }
    return [d3.median(costs), d3.quantile(costs, 0.9)];
}"""


def main() -> None:
    table = Table("numbers in the span", "median, ms", "90 %, ms", "limit, ms", box=None)
    with (
        tempfile.TemporaryDirectory() as folder,
        displaying(Path(folder)) as display,
        chromium() as browser,
        opened(browser, f"http://127.0.0.1:{display.port}/demo2") as page,
    ):
        for size, limit_ms in LIMITS_MS.items():
            median_ms, slow_ms = page.evaluate(DRAW, size)
            table.add_row(f"{size:,}", f"{median_ms:.1f}", f"{slow_ms:.1f}", f"{limit_ms:.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
