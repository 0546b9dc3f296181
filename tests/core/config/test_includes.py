"""``addons_include``: files beside cluster.yml, and addresses when asked to fetch."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import pytest

from rkx.config import load_text
from rkx.config.fetch import _Redirects
from rkx.errors import ConfigError

from .bad_inputs import added


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        leads = {"/moved": "/good", "/far": f"https://127.0.0.1:{10**20}/"}.get(self.path, "")
        self.send_response(302 if leads else {"/good": 200, "/slow": 200}.get(self.path, 404))
        if leads:
            self.send_header("Location", leads)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(b"kind: X\n")
            for _ in range(40 * (self.path == "/slow")):
                self.wfile.write(b"#")
                time.sleep(0.05)  # a slow server is what is tested

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


def included(folder: Path, text: str, *, fetch: bool = False) -> object:
    loaded = load_text(added(f"addons: a\naddons_include: [{text}]\n"), folder / "cluster.yml", fetch=fetch)
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


def digest(content: bytes = b"kind: X\n") -> str:
    return hashlib.sha256(content).hexdigest()


def entry(source: str, sha256: str = "") -> str:
    return f"{{source: '{source}', sha256: {sha256 or digest()}}}"


def refused(folder: Path, text: str, *, fetch: bool = True) -> str:
    with pytest.raises(ConfigError) as caught:
        included(folder, text, fetch=fetch)
    [problem] = caught.value.problems
    assert (problem.line, problem.where.partition(".")[0]) == (8, "addons_include[0]")
    return problem.message


def test_an_address_is_fetched_only_when_asked(tmp_path: Path, address: str) -> None:
    assert included(tmp_path, entry(f"{address}/good")) is None
    fetched = included(tmp_path, entry(f"{address}/good"), fetch=True)
    assert fetched == [{"source": f"{address}/good", "text": "kind: X\n"}]


def test_an_answer_of_404_is_a_mistake(tmp_path: Path, address: str) -> None:
    assert "404" in refused(tmp_path, entry(f"{address}/bad"))


@pytest.mark.parametrize("fetch", [True, False])
@pytest.mark.parametrize("text", ["'http://192.0.2.1/a.yml'", "{source: 'HTTP://192.0.2.1/a.yml'}"])
def test_plain_http_needs_a_digest(text: str, fetch: bool, tmp_path: Path) -> None:
    assert "can be changed on its way: plain http needs a digest" in refused(tmp_path, text, fetch=fetch)


def test_another_content_than_the_digest_says_is_refused_and_what_a_file_holds_is_not_told(
    tmp_path: Path, address: str
) -> None:
    (tmp_path / "a.yml").write_text("kind: A\n")
    said = refused(tmp_path, entry(f"{address}/good", "0" * 64))
    found = digest(b"kind: X\n")
    assert f"has the SHA-256 {found}, not {'0' * 64}" in said
    said = refused(tmp_path, entry("a.yml", "0" * 64))
    assert f'"a.yml" has not the SHA-256 {"0" * 64}' in said
    assert digest(b"kind: A\n") not in said
    assert included(tmp_path, entry("a.yml", digest(b"kind: A\n").upper())) is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{source: a.yml, sha256: abc}", '"abc" is not a SHA-256'),
        ("{source: a.yml, sha1: abc}", 'unknown key "sha1"'),
        ("{sha256: abc}", "required key is missing"),
    ],
)
def test_an_entry_of_another_form_is_a_mistake(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("kind: A\n")
    with pytest.raises(ConfigError) as caught:
        included(tmp_path, text)
    assert message in caught.value.problems[0].message


@pytest.mark.whole
def test_an_address_that_never_ends_is_left_in_time(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rkx.config.fetch.SECONDS", 0.5)
    began = time.monotonic()
    assert "it takes longer than 0.5 s" in refused(tmp_path, entry(f"{address}/slow"))
    assert time.monotonic() - began < 5


def test_what_is_too_large_is_not_read_whole(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.config.includes.LIMIT", 5)
    assert "is larger than 5 bytes" in refused(tmp_path, entry(f"{address}/good"))
    (tmp_path / "a.yml").write_text("kind: A\n")
    assert "is larger than 5 bytes" in refused(tmp_path, "a.yml")


@pytest.mark.parametrize(
    ("former", "new", "anywhere", "followed"),
    [
        ("https://a/x", "https://a/y", False, True),
        ("https://a/x", "http://a/y", False, False),
        ("https://a/x", "http://a/y", True, False),
        ("https://a/x", "https://b/y", False, False),
        ("https://a/x", "https://b/y", True, True),
        ("http://a/x", "https://a/y", True, True),
        ("https://a/x", "file:///etc/hostname", True, False),
    ],
)
def test_a_redirect_is_followed_to_the_same_host_by_https(
    former: str, new: str, anywhere: bool, followed: bool
) -> None:
    redirects = _Redirects(anywhere=anywhere)
    if followed:
        again = redirects.redirect_request(Request(former), io.BytesIO(), 302, "Found", Message(), new)
        assert again is not None
        assert again.full_url == new
    else:
        with pytest.raises(URLError, match="it leads to"):
            redirects.redirect_request(Request(former), io.BytesIO(), 302, "Found", Message(), new)


def test_a_redirect_of_a_server_to_http_is_a_mistake(tmp_path: Path, address: str) -> None:
    assert "only https is followed" in refused(tmp_path, entry(f"{address}/moved"))


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_address_that_leads_nowhere_is_told_and_not_waited_for(tmp_path: Path, address: str) -> None:
    """No C long holds the port that it names."""
    said = refused(tmp_path, entry(f"{address}/far"))
    assert "cannot fetch" in said
    assert "takes longer" not in said


def test_manifests_of_more_items_than_can_be_read_in_time_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("- a\n" * 400_000)
    assert "it may have more than 600000 items of YAML" in refused(tmp_path, "a.yml")
