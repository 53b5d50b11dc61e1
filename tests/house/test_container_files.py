import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT, tracked
from tiering.cli.entry import parser

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def instructions(word: str) -> list[str]:
    return re.findall(rf"^{word} +(.*)$", DOCKERFILE, re.MULTILINE)


def copied() -> list[str]:
    """What the image copies from the folder, in order."""
    return [name for line in instructions("COPY") for name in line.split()[:-1]]


def test_the_image_is_of_a_named_python_and_runs_as_a_user() -> None:
    (image,) = instructions("FROM")
    assert image == "python:3.11-slim"
    assert instructions("USER") == ["tierscope"]
    assert instructions("HEALTHCHECK")


def test_requirements_are_installed_before_the_sources_are_copied() -> None:
    assert copied()[0] == "requirements.txt"
    assert DOCKERFILE.index("pip install -r requirements.txt") < DOCKERFILE.index("COPY tiering")


def test_the_image_copies_what_is_there_and_the_context_lets_it_through() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert set(copied()) == allowed
    tops = {path.parts[0] for path in tracked()}
    assert set(copied()) <= tops


def test_the_image_starts_the_one_entry() -> None:
    python, app, *options = json.loads(instructions("CMD")[0])
    assert (python, app) == ("python", "app.py")
    assert "app.py" in copied()
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--host": "0.0.0.0",  # a published port leads to no other address
        "--allowed-host": "localhost",
    }


def test_the_user_of_the_image_can_write_where_it_keeps_its_runs() -> None:
    assert re.search(r"useradd --create-home .*tierscope", DOCKERFILE)
    assert re.search(r"XDG_STATE_HOME=/home/tierscope/\S+", DOCKERFILE)


def test_page_workers_and_server_are_services_of_their_own() -> None:
    assert set(SERVICES) == {"valkey", "web", "workers"}
    for name in ("web", "workers"):
        assert SERVICES[name]["environment"]["REDIS_URL"] == "redis://valkey:6379/0"
        assert SERVICES[name]["depends_on"]["valkey"]["condition"] == "service_healthy"


def test_every_image_of_compose_is_pinned_or_built_here() -> None:
    loose = [
        name
        for name, service in SERVICES.items()
        if "build" not in service and not re.fullmatch(r"[\w./-]+:\d[\w.]*", service["image"])
    ]
    assert loose == []


def test_the_server_refuses_to_evict_what_late_viewers_need() -> None:
    command = SERVICES["valkey"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_the_server_ends_reads_that_wait_in_vain_as_often_as_the_embedded_one() -> None:
    command = SERVICES["valkey"]["command"]
    assert command[command.index("--hz") + 1] == "100"


def test_the_workers_command_is_one_of_the_command_line() -> None:
    python, dash_m, package, *arguments = SERVICES["workers"]["command"]
    assert (python, dash_m, package) == ("python", "-m", "tiering")
    assert parser().parse_args(arguments).command == "worker"


def test_the_page_runs_no_workers_and_names_the_hosts_it_answers_to() -> None:
    python, app, *options = SERVICES["web"]["command"]
    assert (python, app) == ("python", "app.py")
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--workers": "0",
        "--host": "0.0.0.0",
        "--allowed-host": "localhost",
    }
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8050:8050"], "not on the network by default"


@pytest.mark.parametrize("option", ["--workers", "--host", "--allowed-host"])
def test_the_entry_knows_the_options_of_compose(option: str) -> None:
    sources = [ROOT / "app.py", *sorted((ROOT / "tiering" / "work").glob("*.py"))]
    assert any(f'"{option}"' in path.read_text() for path in sources if Path(path).exists())
