"""The page on a real port, over a bus in memory that can be switched off."""

from collections.abc import Iterator

import pytest

from tests.ui.runs import SwitchedBus
from tests.ui.serving import serving


@pytest.fixture(scope="session")
def shared_bus() -> SwitchedBus:
    return SwitchedBus()


@pytest.fixture(scope="session")
def address(shared_bus: SwitchedBus) -> Iterator[str]:
    """host:port of the server."""
    with serving(shared_bus) as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture
def bus(shared_bus: SwitchedBus) -> Iterator[SwitchedBus]:
    """The bus of the server, switched on and without runs."""
    shared_bus.down = False
    for run_id in shared_bus.runs():
        shared_bus.delete(run_id)
    yield shared_bus
    shared_bus.down = False
