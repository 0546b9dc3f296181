"""``addons_include``: files beside cluster.yml, and addresses when asked to fetch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rkx.config import load_text
from rkx.errors import ConfigError

from .bad_inputs import added


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/good" else 404)
        self.end_headers()
        self.wfile.write(b"kind: X\n")

    def log_message(self, *_words: object) -> None:
        return


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def included(folder: Path, entry: str, *, fetch: bool = False) -> object:
    loaded = load_text(added(f"addons: a\naddons_include: [{entry}]\n"), folder / "cluster.yml", fetch=fetch)
    return loaded.cluster.addons[-1].options.get("addons_include")


def test_a_file_is_read_from_beside_the_cluster_file(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("kind: A\n")
    assert included(tmp_path, "./a.yml") == [{"source": "./a.yml", "text": "kind: A\n"}]


def test_a_file_in_the_working_folder_is_read_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "a.yml").write_text("kind: A\n")
    monkeypatch.chdir(work)
    loaded = load_text(added("addons_include: [a.yml]\n"), tmp_path / "cluster.yml")
    assert [(each.where, each.line) for each in loaded.warnings] == [("addons_include[0]", 7)]


def test_a_missing_file_is_a_mistake_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        included(tmp_path, "none.yml")
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (8, 18)
    assert "No such file" in problem.message


def test_an_address_is_fetched_only_when_asked(tmp_path: Path, address: str) -> None:
    assert included(tmp_path, f"{address}/good") is None
    fetched = included(tmp_path, f"{address}/good", fetch=True)
    assert fetched == [{"source": f"{address}/good", "text": "kind: X\n"}]


def test_an_answer_of_404_is_a_mistake(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        included(tmp_path, f"{address}/bad", fetch=True)
    assert "404" in caught.value.problems[0].message
