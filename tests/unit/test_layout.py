"""Guard rails: what keeps top-level packages with short names from biting."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("data", "mt", "terminology", "eval", "flows")
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc"}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_vague_names() -> None:
    assert [shown(path) for path in sources(*PACKAGES, "tests", "benchmarks") if path.stem in VAGUE] == []


@pytest.mark.parametrize("init", [p for p in sources(*PACKAGES) if p.name == "__init__.py"], ids=shown)
def test_package_files_hold_a_docstring_only(init: Path) -> None:
    tree = ast.parse(init.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_folders_with_code_are_packages() -> None:
    """Namespace packages are switched off: without its `__init__.py` a folder is left out of the wheel."""
    folders = {path.parent for path in sources(*PACKAGES)}
    assert [shown(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_tests_are_no_packages_and_shadow_none() -> None:
    assert [shown(path) for path in sources("tests") if path.name == "__init__.py"] == []
    assert not (ROOT / "tests" / "data").exists()
    names = [path.name for path in sources("tests")]
    assert sorted(names) == sorted(set(names)), "test files need names of their own"
    assert not {path.stem for path in (ROOT / "flows").iterdir()} & set(PACKAGES)


def test_builtin_eval_is_never_hidden() -> None:
    """`import eval` would hide the builtin in that module; `from eval.x import y` does not."""
    hidden = [
        f"{shown(path)}:{node.lineno}"
        for path in sources(*PACKAGES, "tests", "benchmarks", "docs")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        and any((a.asname or a.name.partition(".")[0]) == "eval" for a in node.names)
    ]
    assert hidden == []


def test_only_llm_imports_openai() -> None:
    importers = [
        shown(path)
        for path in sources(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(a.name.partition(".")[0] == "openai" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "openai")
    ]
    assert set(importers) <= {"data/llm.py"}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_ours_typed_and_in_the_readme(package: str) -> None:
    found = importlib.import_module(package)
    assert Path(str(found.__file__)).resolve() == ROOT / package / "__init__.py"
    assert (ROOT / package / "py.typed").exists()
    assert f"\n{package}/" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_git_ignores_no_package() -> None:
    """A bare `data/` in .gitignore would silently drop a package."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    paths = [f"{package}/__init__.py" for package in PACKAGES]
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", *paths], cwd=ROOT, capture_output=True, check=False
    )
    assert done.stdout == b""


def test_every_package_folder_is_found_by_exact_name() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    find = settings["tool"]["setuptools"]["packages"]["find"]
    assert find["namespaces"] is False
    assert find["include"] == [name for package in PACKAGES for name in (package, f"{package}.*")]


def test_constraints_pin_every_direct_dependency() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    direct = [Requirement(line) for requirements in lists for line in requirements]
    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    for requirement in direct:
        name = canonicalize_name(requirement.name)
        if name == "medloop":
            continue
        assert any(s.operator in (">=", "==") for s in requirement.specifier), f"{name} has no lower bound"
        assert requirement.specifier.contains(pinned[name]), f"{name} {pinned[name]} is outside {requirement}"


def test_importing_the_packages_does_nothing_heavy() -> None:
    program = f"import sys\nfor name in {PACKAGES}: __import__(name)\nprint('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "False\n"
