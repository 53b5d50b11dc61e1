import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import grimp
import pytest

from tests.house.tree import ROOT

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract for contract in CONFIG["tool"]["importlinter"]["contracts"]}
ROOMS = {"workloads", "sources", "hotness", "promotion", "demotion", "migration"}
HOMES = {
    "recordings": {"workloads"},
    "dash": {"ui"},
    "plotly": {"ui", "report"},
    "redis": {"stream", "work"},
    "pandas": {"report"},
    "numba": {"engine"} | ROOMS,
}
"""Where each contract's packages may be imported; everywhere else is forbidden."""


def packages() -> set[str]:
    """Every package on the floors, as named by the layers contract."""
    layers = " | ".join(CONTRACTS["floors"]["layers"])
    return set(layers.split(" | ")) - {"(__main__)"}


def lint(*options: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-logo", "--no-cache", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_import_contracts_hold() -> None:
    done = lint()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


def test_there_is_a_contract_for_each_home_and_nothing_else() -> None:
    assert set(CONTRACTS) == {"floors"} | set(HOMES)
    assert CONTRACTS["floors"]["exhaustive"] is True


@pytest.mark.parametrize("name", HOMES)
def test_a_contract_forbids_every_package_but_the_homes(name: str) -> None:
    sources = {source.removeprefix("tiering.") for source in CONTRACTS[name]["source_modules"]}
    own = {module.removeprefix("tiering.") for module in CONTRACTS[name]["forbidden_modules"]}
    assert sources == packages() - HOMES[name] - own


def test_what_the_package_imports_is_required_or_in_the_standard_library() -> None:
    graph = grimp.build_graph("tiering", include_external_packages=True)
    imported = {name for name in graph.modules if name.split(".")[0] != "tiering"}
    owners = packages_distributions()
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = {line.split("==")[0].split("[")[0].lower() for line in lines if "==" in line}
    required.add("playwright")  # takes the screenshots; a requirement of the tests
    missing = {
        name
        for name in imported - set(sys.stdlib_module_names)
        if not {owner.lower().replace("_", "-") for owner in owners.get(name, [])} & required
    }
    assert missing == set()
