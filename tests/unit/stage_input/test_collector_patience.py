"""Bodies that do not arrive are given up, and nothing else is."""

from __future__ import annotations

import asyncio

import pytest
from pipeline_input.collector import patience
from pipeline_input.collector.patience import Patience


@pytest.fixture(autouse=True)
def _quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SWEEP_S", 0.005)


async def arriving(value: bytes, turns: int) -> bytes:
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


def test_what_comes_is_handed_on_and_nobody_is_waited_for_any_more() -> None:
    async def run() -> tuple[list[bytes], int]:
        waits = Patience(60.0)
        came = await asyncio.gather(*(waits.wait(arriving(b"%d" % i, i)) for i in range(20)))
        return came, len(waits._since)

    assert asyncio.run(run()) == ([b"%d" % i for i in range(20)], 0)


def test_what_never_comes_is_given_up_and_its_task_goes_on() -> None:
    async def run() -> list[str]:
        waits, never = Patience(0.0), asyncio.get_running_loop().create_future()

        async def one() -> str:
            try:
                await waits.wait(never)
            except TimeoutError:
                await asyncio.sleep(0)  # would raise, were the task still cancelled
                return "given up"
            return "came"

        return await asyncio.gather(*(asyncio.create_task(one()) for _ in range(3)))

    assert asyncio.run(run()) == ["given up"] * 3


def test_one_who_is_cancelled_by_another_is_cancelled() -> None:
    async def run() -> None:
        waits = Patience(60.0)
        task = asyncio.create_task(waits.wait(asyncio.get_running_loop().create_future()))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_the_patient_outlive_sweeps() -> None:
    async def run() -> bytes:
        waits, coming = Patience(60.0), asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.05, coming.set_result, b"late but in time")
        return await waits.wait(coming)

    assert asyncio.run(run()) == b"late but in time"
