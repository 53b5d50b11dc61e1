from collections.abc import Iterator
from pathlib import Path

import pytest

from tiering.stream.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A real server for the whole session; tests use runs of their own."""
    embedded = EmbeddedServer(Path(tmp_path_factory.mktemp("redis")))
    embedded.start()
    yield embedded
    embedded.stop()
