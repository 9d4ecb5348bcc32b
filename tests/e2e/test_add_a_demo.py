"""docs/add-a-demo.md does what it says: followed by the letter in a copy of the repository, it gives a ninth demo."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from running_demo import ROOT
from running_display import await_true, displaying, opened

TEXT = (ROOT / "docs/add-a-demo.md").read_text()
STAGES = ("queue", "output", "input", "processing", "display", "scripts")
BLOCK = re.compile(r"([^\n]+(?:\n[^\n]+)*)\n\n```(\w+)\n(.*?)```\n", re.DOTALL)
PLACE = re.compile(r"In (a new file, )?`([^`]+)`(?:, above the line `([^`]+)`)?[^`]*(?:`\w+`)?:$")
SCREENSHOTS = ROOT / "tests/screenshots/out"
POINTS = "(document.querySelector('path.line[data-name=here]')?.__data__.points ?? [])"
SMALL = "(document.querySelector('.card[data-demo=demo9] path.line')?.__data__.points ?? [])"


@dataclass(frozen=True)
class Copy:
    """The repository without its history, and a Python that imports from there."""

    folder: Path

    @property
    def python_path(self) -> str:
        return os.pathsep.join(str(self.folder / stage) for stage in STAGES)

    def follow(self, text: str) -> list[str]:
        """Write each block of code where the line above it says; the commands of the others."""
        commands = []
        for before, language, code in BLOCK.findall(text):
            if language == "sh":
                commands += code.splitlines()
            else:
                self._place(before.splitlines()[-1], code)
        return commands

    def _place(self, line: str, code: str) -> None:
        said = PLACE.search(line)
        assert said, f"`{line}` does not say where the code below it goes"
        is_new, name, anchor = said.groups()
        path = self.folder / name
        if is_new:
            assert not path.exists(), f"{name} is there already"
            path.write_text(code)
            return
        lines = path.read_text().splitlines(keepends=True)
        assert lines.count(f"{anchor}\n") == 1, f"{name} has not one line `{anchor}`"
        lines.insert(lines.index(f"{anchor}\n"), code)
        path.write_text("".join(lines))


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Copy, list[str]]:
    """A copy in which the text was followed, and the commands that the text gives then."""
    folder = tmp_path_factory.mktemp("copy")
    passing = shutil.ignore_patterns("__pycache__", "out", "target", ".vmstat-*")
    for name in (*STAGES, "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=passing)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    copy = Copy(folder)
    return copy, copy.follow(TEXT)


def test_every_block_of_code_is_followed() -> None:
    assert TEXT.count("```") / 2 == len(BLOCK.findall(TEXT)) == 4


def test_the_ninth_demo_draws_what_the_topic_holds_and_is_on_the_index(
    followed: tuple[Copy, list[str]], browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", followed[0].python_path)
    with displaying(tmp_path) as display:
        display.publish(50)
        expected = [(event["event_id"], event["in"]) for event in display.raw_events()]
        with opened(browser, f"http://127.0.0.1:{display.port}/live/interrupts") as page:
            await_true(page, f"{POINTS}.length === 50")
            drawn = page.evaluate(f"{POINTS}.map((row) => [row.event_id, row.in])")
            assert ([tuple(each) for each in drawn], page.url.endswith("/demo9")) == (expected, True)
            page.screenshot(path=SCREENSHOTS / "demo9.png", full_page=True)
        with opened(browser, f"http://127.0.0.1:{display.port}/") as page:
            await_true(page, f"{SMALL}.length > 0")
            assert page.evaluate(f"{SMALL}.at(-1).in") == expected[-1][1]
            assert page.locator("a.card[href='/demo9']").count() == 1


def test_the_command_of_the_text_passes(followed: tuple[Copy, list[str]]) -> None:
    copy, commands = followed
    environment = os.environ | {"PYTHONPATH": copy.python_path}
    for command in commands:
        words = shlex.split(command)
        done = subprocess.run(words, cwd=copy.folder, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, " passed" in done.stdout, " skipped" in done.stdout) == (0, True, False), done.stdout
