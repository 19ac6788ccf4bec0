"""The rules that hold the code together, as tests: who may import whom, and how long anything may get."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Each may import those before it. `config` wires them together.
APPS = ["accounts", "profiles", "cohorts", "segments", "campaigns"]
OURS = [*APPS, "config"]
THEME_SEAM = "config.admin"
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 40
FORBIDDEN_MODULES = {"utils", "util", "helpers", "common", "core", "base", "misc", "services"}
HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|index-url|registry\.\w", re.IGNORECASE)
TEXT = {".py", ".toml", ".lock", ".md", ".yaml", ".yml", ".txt", ".cfg", ".html", ".js", ".css", ".sh", ""}


def tracked() -> list[Path]:
    """Return the project's files; in an unpacked copy without git, all that are none of a tool's."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]
    return [
        path for name in [*OURS, "tests", "benchmarks"] for path in (ROOT / name).rglob("*") if path.is_file()
    ]


def sources(*folders: str) -> list[Path]:
    """Return our Python files below the folders, migrations left out: those are written by a machine."""
    files = [
        path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]
    return sorted(path for path in files if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, at any place in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


SOURCES = sources(*OURS)
TREES = {path: ast.parse(path.read_text()) for path in SOURCES}


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[Path, Any]]:
    """Yield every node of the kinds in our sources, with its file."""
    for path, tree in TREES.items():
        yield from ((path, node) for node in ast.walk(tree) if isinstance(node, kinds))


def importing(is_wrong: Callable[[Path, str], bool]) -> list[str]:
    """Return the imports that a rule forbids, as "importer -> imported"."""
    return [
        f"{name_of(path)} -> {name}" for path in SOURCES for name in imports_of(path) if is_wrong(path, name)
    ]


def app_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def test_there_are_sources_to_judge():
    assert len(SOURCES) > 40


def test_apps_import_only_those_below_them():
    def above(path: Path, name: str) -> bool:
        app = app_of(path)
        return app != "config" and name.split(".", maxsplit=1)[0] in APPS[APPS.index(app) + 1 :]

    assert importing(above) == []


def test_apps_know_of_config_the_theme_seam_alone():
    def wrong(path: Path, name: str) -> bool:
        return (
            app_of(path) != "config"
            and name.startswith("config.")
            and not f"{name}.".startswith(f"{THEME_SEAM}.")
        )

    assert importing(wrong) == []


def test_only_the_theme_seam_knows_the_theme():
    assert importing(lambda path, name: name.split(".")[0] == "unfold" and name_of(path) != THEME_SEAM) == []


def test_product_does_not_import_its_tests():
    assert (
        importing(lambda _path, name: name.split(".")[0] in {"tests", "benchmarks", "pytest", "factory"})
        == []
    )


def test_there_are_no_signals():
    hidden = ("django.dispatch", "django.db.models.signals", "django.core.signals")
    assert importing(lambda _path, name: name.startswith(hidden)) == []


def test_module_names_say_something():
    assert [name_of(path) for path in SOURCES if {path.stem, path.parent.name} & FORBIDDEN_MODULES] == []


def test_files_are_short():
    judged = [*SOURCES, *sources("tests")]
    assert [name_of(path) for path in judged if len(path.read_text().splitlines()) > MAX_FILE_LINES] == []


def test_functions_are_short():
    long = [
        f"{name_of(path)}.{node.name}"
        for path, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_rows_have_no_order_of_their_own():
    assert [
        name_of(path)
        for path, node in nodes(ast.ClassDef)
        if node.name == "Meta"
        and any(isinstance(item, ast.Assign) and item.targets[0].id == "ordering" for item in node.body)
    ] == []


def test_saving_a_row_does_nothing_but_save_it():
    assert [
        f"{name_of(path)}.{node.name}"
        for path, node in nodes(ast.ClassDef)
        if path.stem == "models"
        and any(isinstance(it, ast.FunctionDef) and it.name == "save" for it in node.body)
    ] == []


def test_service_classes_do_not_come_back():
    suffixes = ("Service", "Manager", "Registry", "Helper", "Util", "Utils")
    assert [node.name for _path, node in nodes(ast.ClassDef) if node.name.endswith(suffixes)] == []


def test_public_things_say_what_they_are_for():
    silent = [name_of(path) for path, tree in TREES.items() if tree.body and not ast.get_docstring(tree)]
    silent += [
        f"{name_of(path)}.{node.name}"
        for path, tree in TREES.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_members_are_read_and_written_in_one_place():
    tables = re.compile(r"cohorts_cohortdelta|cohorts_cohort\b|unpack\(.*snapshot")
    assert [name_of(path) for path in SOURCES if tables.search(path.read_text())] == [
        "cohorts.history",
        "cohorts.membership",
        "cohorts.membership_history",
        "cohorts.membership_moves",
        "cohorts.membership_pages",
    ]


def test_every_test_belongs_to_an_app_or_has_a_purpose():
    folders = {path.relative_to(ROOT).parts[1] for path in sources("tests") if path.parent.name != "tests"}
    assert folders <= {*OURS, "api", "browser", "reliability", "benchmarks"}


def test_no_file_names_a_package_registry():
    texts = [path for path in tracked() if path.suffix in TEXT and path != Path(__file__).resolve()]
    assert [str(path) for path in texts if HOSTS.search(path.read_text(errors="replace"))] == []


def test_requirements_are_locked_with_hashes():
    lock = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    assert [line.split()[0] for line in lines if "==" not in line or "--hash=sha256:" not in line] == []
