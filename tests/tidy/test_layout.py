"""The rules of the layout, held by reading the tree: who imports whom, what is named how, how long things are."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiers import SOAKED

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "pipeline_queue": ROOT / "queue/pipeline_queue",
    "pipeline_output": ROOT / "output/pipeline_output",
    "pipeline_input": ROOT / "input/pipeline_input",
    "pipeline_processing": ROOT / "processing/pipeline_processing",
    "pipeline_display": ROOT / "display/pipeline_display",
    "pipeline_cli": ROOT / "scripts/pipeline_cli",
}
MAY_IMPORT = {
    "pipeline_queue": set(),
    "pipeline_output": {"pipeline_queue"},
    "pipeline_input": {"pipeline_queue"},
    "pipeline_processing": {"pipeline_queue", "pipeline_output"},
    "pipeline_display": {"pipeline_queue", "pipeline_output"},
    "pipeline_cli": set(PACKAGES) - {"pipeline_cli"},
}
LOADED_BY_NAME = {"tasks_engine.py"}
"""By a server's worker, and by no command."""
LINES_MAX = 400
BODY_LINES_MAX = 50
PARAMETERS_MAX = 5
SAYS_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc", "base"}


def sources() -> list[Path]:
    """Every Python file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).exists()]


def product_sources() -> list[Path]:
    return [path for path in sources() if "tests" not in path.relative_to(ROOT).parts]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PACKAGES[package].rglob("*.py")
        for name in imported(ast.parse(path.read_text()))
        if (root := name.split(".")[0]) in PACKAGES and root != package and root not in MAY_IMPORT[package]
    ]
    assert wrong == []


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what is imported for type checkers only."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node


def test_only_jobs_and_the_spark_runner_import_pyspark() -> None:
    allowed = ("processing/pipeline_processing/jobs/", "processing/pipeline_processing/spark/")
    wrong = [
        str(path.relative_to(ROOT))
        for path in product_sources()
        if any(name.split(".")[0] == "pyspark" for name in imported(WithoutTypes().visit(ast.parse(path.read_text()))))
        and not str(path.relative_to(ROOT)).startswith(allowed)
    ]
    assert wrong == []


def test_the_command_line_imports_stages_only_when_asked() -> None:
    heavy = {"pipeline_input", "pipeline_output", "pipeline_processing", "pipeline_display"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PACKAGES["pipeline_cli"].rglob("*.py")
        if path.name not in LOADED_BY_NAME
        for node in ast.parse(path.read_text()).body
        for name in imported(node)
        if isinstance(node, ast.Import | ast.ImportFrom) and name.split(".")[0] in heavy
    ]
    assert wrong == []


def test_no_stage_folder_and_no_test_folder_is_a_package() -> None:
    stages = ["queue", "output", "input", "processing", "display", "scripts"]
    found = [ROOT / stage / "__init__.py" for stage in stages if (ROOT / stage / "__init__.py").exists()]
    assert found + list((ROOT / "tests").rglob("__init__.py")) == []


def test_nothing_binds_queue_or_input() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in {"queue", "input"})
        or (isinstance(node, ast.arg) and node.arg in {"queue", "input"})
        or (
            isinstance(node, ast.ImportFrom)
            and any((alias.asname or alias.name) in {"queue", "input"} for alias in node.names)
        )
    ]
    assert wrong == []


def test_no_module_is_a_drawer() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in sources()
        if (lines := path.read_text().count("\n")) > LINES_MAX or path.stem in SAYS_NOTHING
    ]
    assert wrong == []


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_are_short_and_take_few_parameters() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {body_lines(function)} lines"
        for path in sources()
        for function in functions(path)
        if body_lines(function) > BODY_LINES_MAX
    ]
    wide = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {count} parameters"
        for path in product_sources()
        for function in functions(path)
        if (count := sum(map(counts, (*function.args.args, *function.args.kwonlyargs)))) > PARAMETERS_MAX
    ]
    assert long + wide == []


def counts(parameter: ast.arg) -> bool:
    """An option of the command line is named by whoever gives it, so a command may have any number."""
    is_option = parameter.annotation is not None and "typer.Option(" in ast.unparse(parameter.annotation)
    return parameter.arg not in {"self", "cls"} and not is_option


def test_every_module_says_what_it_is() -> None:
    silent = [str(path.relative_to(ROOT)) for path in sources() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_no_file_names_a_place_of_one_machine_or_leaves_work_undone() -> None:
    unwanted = re.compile(r"(?<![\w.])/(work|root)/\w|\bTO" + r"DO\b|\bFIX" + r"ME\b")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    wrong = [
        f"{name}: {hit.group(0)}"
        for name in listed
        if "/vendor/" not in name and not name.endswith((".png", ".parquet")) and (ROOT / name).is_file()
        if (hit := unwanted.search((ROOT / name).read_text(errors="replace")))
    ]
    assert wrong == []


def test_every_installed_dependency_is_pinned() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line)] == []


def test_what_is_larger_in_the_soak_runs_in_it() -> None:
    tests = (
        path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py") if "PIPELINE_SOAK" in path.read_text()
    )
    assert {str(path) for path in tests if path.parent.name not in {"stack", "tidy"}} == {*SOAKED}
