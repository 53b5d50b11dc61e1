import re

import pytest

from tests.ui.client import ask
from tests.ui.runs import SwitchedBus
from tiering.ui.server import PLOTLY_URL

CONTROL = "/api/runs/nobody-1/control"


def test_a_foreign_host_name_is_refused(address: str) -> None:
    assert ask(address, "/", headers={"Host": "evil.example"}).status == 400


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost:8050", "LOCALHOST", "[::1]:8050"])
def test_this_machine_may_be_called_by_any_of_its_names(address: str, name: str) -> None:
    assert ask(address, "/", headers={"Host": name}).status == 200


@pytest.mark.parametrize("path", ["/_dash-update-component", "/api/runs", CONTROL])
@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_post_from_another_site_is_refused(
    address: str, path: str, headers: dict[str, str]
) -> None:
    assert ask(address, path, {}, headers).status == 403


def test_a_post_from_the_page_itself_is_heard(address: str, bus: SwitchedBus) -> None:
    headers = {"Origin": f"http://{address}", "Sec-Fetch-Site": "same-origin"}
    assert ask(address, CONTROL, {"cmd": "pause"}, headers).status == 404


def test_a_huge_request_is_refused(address: str) -> None:
    assert ask(address, "/api/runs", b" " * 1_000_001).status == 413


def test_a_request_must_say_how_long_it_is(address: str) -> None:
    chunked = {"Transfer-Encoding": "chunked"}
    assert ask(address, "/api/runs", b"2\r\n{}\r\n0\r\n\r\n", chunked).status in (400, 411)


def test_the_page_may_load_from_its_own_origin_only(address: str) -> None:
    answer = ask(address, "/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert re.findall(rb"(?:src|href)=\"(?:https?:)?//[^\"]*", answer.body) == []
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_plotly_comes_compressed_and_may_be_kept(address: str) -> None:
    packed = ask(address, PLOTLY_URL, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "immutable" in packed.headers["Cache-Control"]
    plain = ask(address, PLOTLY_URL)
    assert len(plain.body) > 2 * len(packed.body)


def test_the_debugger_is_not_there(address: str) -> None:
    body = ask(address, "/?__debugger__=yes&cmd=resource&f=debugger.js").body
    assert b"EVALEX" not in body
