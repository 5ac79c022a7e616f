"""What a page of another origin gets done on the local cloud, from a real browser: nothing."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from localcloud import Cloud
from tests.localcloud.gateway.made import made

_PAGE = Path(__file__).with_name("hostile_page.html")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 120


class Site(ThreadingHTTPServer):
    """The page's own server, on a port of its own."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.report: dict[str, Any] = {}
        self.done = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(_PAGE.read_bytes())

    def do_POST(self) -> None:
        self.server.report = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(204)
        self.end_headers()
        self.server.done.set()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    """The page's server, running."""
    with Site() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def visit(browser: str, site: Site, host: str, port: int, profile: Path) -> dict[str, Any]:
    """Open the page in a browser; return what it reports."""
    command = [
        browser,
        *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-popup-blocking"),
        # In a container there is often no more room in /dev/shm, and no user but root.
        "--disable-dev-shm-usage",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        f"--user-data-dir={profile}",
        # A foreign site, and a name of a foreign site that leads to the gateway's own address.
        "--host-resolver-rules=MAP foreign.example 127.0.0.1, MAP rebound.example 127.0.0.1",
        f"http://{host}:{site.server_port}/?port={port}&mark={host.partition('.')[0]}",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            assert site.done.wait(_SECONDS), "the browser has not finished the page"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    return site.report


@pytest.mark.parametrize("host", ["foreign.example", "127.0.0.1"])
def test_a_page_gets_nothing_done(
    host: str, running_cloud: Cloud, site: Site, tmp_path: Path
) -> None:
    """A hundred attempts of a page, by script, form, frame, image and socket, and no effect.

    Neither a page of another site nor one of another port, which is the same site to a browser.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        pytest.skip(f"there is no browser here, none of {', '.join(_BROWSERS)}")
    before = made(running_cloud)
    report = visit(browser, site, host, running_cloud.port, tmp_path)
    effects = made(running_cloud) - before
    print(f"from {host}: {report['attempts']} attempts, {len(effects)} effects")
    assert report["attempts"] >= 100
    assert effects == set()
    assert report["read"] == []
