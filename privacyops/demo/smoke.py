"""Walks one request through a running demo over HTTP, as customer, reviewer and releaser, and times each leg.

A browser without script: it reads forms out of pages, fills them and sends them. What it cannot find ends the walk with
the leg's name and exit code 1.
"""

import io
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import httpx

PATIENCE_S: Final = 45.0
MOST_CLICKS: Final = 500
PERSON: Final = "theresa"


class LegFailed(Exception):
    """A step of the journey did not lead where it should."""


@dataclass
class Form:
    """One form of a page: where it goes, what stands in it already, and the names of all that can be said with it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""))
            self.forms.append(self._open)
        elif self._open is not None and "name" in given:
            self._open.names.add(given["name"])
            if tag == "input" and given.get("type") == "hidden":
                self._open.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


class Browser:
    """Keeps cookies, follows redirects, knows the page it is on."""

    def __init__(self, base: str) -> None:
        self._http = httpx.Client(base_url=base, follow_redirects=True, timeout=30, trust_env=False)
        self.page = ""
        self.url = ""

    def read(self, path: str) -> str:
        """Open a page."""
        return self._landed(self._http.get(path))

    def send(self, action: str, **fields: str) -> str:
        """Fill the form whose address holds `action` and send it, as the page's own script-less form would be."""
        leading = [one for one in _forms(self.page) if action in one.action]
        if not leading:
            raise LegFailed(f"no form leads to {action} on {self.url}")
        form = next((one for one in leading if fields.keys() <= one.names), leading[0])
        headers = {"Origin": str(self._http.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
        return self._landed(self._http.post(form.action, data={**form.fields, **fields}, headers=headers))

    def fetch(self, path: str, fields: Mapping[str, str]) -> bytes:
        """Send a form that answers with a file."""
        headers = {"Origin": str(self._http.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
        answer = self._http.post(path, data=dict(fields), headers=headers)
        answer.raise_for_status()
        return answer.content

    def form(self, action: str) -> Form:
        """A form of the present page."""
        found = next((one for one in _forms(self.page) if action in one.action), None)
        if found is None:
            raise LegFailed(f"no form leads to {action} on {self.url}")
        return found

    def close(self) -> None:
        self._http.close()

    def _landed(self, answer: httpx.Response) -> str:
        self.page, self.url = answer.text, answer.url.path
        if answer.is_error:
            raise LegFailed(f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}")
        return self.page


def walk() -> int:
    """Start a demo on a free port in a temporary folder, walk it, stop it; 0 if every leg went well."""
    with tempfile.TemporaryDirectory(prefix="privacyops-smoke-") as folder, running(Path(folder)) as base:
        began = time.monotonic()
        journey = Journey(base, Path(folder))
        for name, leg in journey.legs():
            started = time.monotonic()
            try:
                leg()
            except (LegFailed, httpx.HTTPError) as error:
                sys.stdout.write(f"{name:<44} FAILED: {error}\n")
                return 1
            sys.stdout.write(f"{name:<44} {time.monotonic() - started:6.2f} s\n")
        sys.stdout.write(f"{'the whole journey':<44} {time.monotonic() - began:6.2f} s\n")
    return 0


class Journey:
    """The legs, in order; each leaves the next one what it needs."""

    def __init__(self, base: str, folder: Path) -> None:
        self._base = base
        self._folder = folder
        self._customer, self._ada, self._marta = Browser(base), Browser(base), Browser(base)
        self._email = ""
        self._order = ""
        self._reference = ""
        self._last_code = ""

    def legs(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Name and work of each leg."""
        yield "the demo is filled", self._wait_until_filled
        yield "customer sends the form", self._ask
        yield "customer types the mailed code", self._prove
        yield "the stores are searched", self._wait_for_review
        yield "the texts are read for other people", self._wait_for_reading
        yield "reviewer decides and finishes", self._review
        yield "the package is built", self._wait_for_package
        yield "another person releases it", self._release
        yield "customer downloads behind a fresh code", self._download
        yield "reviewer closes; the audit log verifies", self._close

    def _wait_until_filled(self) -> None:
        until((self._folder / "seeded").exists, "the demo was not filled in time")
        shop = _demo_person(self._folder)
        self._email, self._order = shop
        for browser, who in ((self._ada, 0), (self._marta, 1)):
            doors = [one for one in _forms(browser.read("/console/demo")) if one.action == "/console/demo/switch"]
            if len(doors) <= who:
                raise LegFailed("the demo's door offers fewer than two people")
            browser.send("/console/demo/switch", user=doors[who].fields["user"])

    def _ask(self) -> None:
        self._customer.read("/privacy")
        time.sleep(2.1)  # the form is stamped: nobody fills it in less than two seconds
        self._customer.send("/privacy", type="access", email=self._email, order=self._order, note="")
        if self._customer.url != "/privacy/check":
            raise LegFailed(f"the form led to {self._customer.url}")

    def _prove(self) -> None:
        self._customer.send("/privacy/check", code=self._code())
        if self._customer.url != "/privacy/status":
            raise LegFailed(f"the code led to {self._customer.url}")
        found = re.search(r"PR-[0-9A-Z]{6}", self._customer.page)
        if found is None:
            raise LegFailed("the status page names no request")
        self._reference = found[0]

    def _wait_for_review(self) -> None:
        until(lambda: "Finish review" in self._ada.read(self._at()), "the search did not end in time")

    def _wait_for_reading(self) -> None:
        until(lambda: "A worker is at it" not in self._ada.read(self._at()), "the texts were not read in time")

    def _review(self) -> None:
        for store in dict.fromkeys(re.findall(rf'{self._at()}\?open=([^"#&]+)', self._ada.read(self._at()))):
            self._ada.read(f"{self._at()}?open={store}")
            if any(f"{self._at()}/decide" in one.action for one in _forms(self._ada.page)):
                self._ada.send(f"{self._at()}/decide", decision="include")
        self._decide_passages()
        self._ada.read(self._at())
        self._ada.send(f"{self._at()}/finish")

    def _decide_passages(self) -> None:
        """Take out what is suggested, a label at once where several passages bear it; read what has to be read."""
        page = f"{self._at()}/texts"
        for _ in range(MOST_CLICKS):
            forms = _forms(self._ada.read(f"{page}?only=open"))
            if any(f"{page}/seen" in one.action for one in forms):
                self._ada.send(f"{page}/seen")
                continue
            waiting = [one.action for one in forms if "decision" in one.names]
            step = next((name for name in ("alike", "decide") if any(f"{page}/{name}" in one for one in waiting)), None)
            if step is None:
                return
            self._ada.send(f"{page}/{step}", decision="accepted")
        raise LegFailed("the passages about other people did not come to an end")

    def _wait_for_package(self) -> None:
        until(lambda: "START-HERE.html" in self._marta.read(f"{self._at()}/release"), "no package in time")

    def _release(self) -> None:
        self._marta.send(f"{self._at()}/release", reference=self._reference)
        until(lambda: "/privacy/download" in self._customer.read("/privacy/status"), "the answer was not announced")

    def _download(self) -> None:
        self._customer.read("/privacy/download")
        self._customer.send("/privacy/download/send")
        self._customer.send("/privacy/download", code=self._code())
        form = self._customer.form("/privacy/download/pod_")
        archive = zipfile.ZipFile(io.BytesIO(self._customer.fetch(form.action, form.fields)))
        if archive.testzip() is not None or not any(one.endswith("manifest.sig") for one in archive.namelist()):
            raise LegFailed("the package is not whole")

    def _close(self) -> None:
        self._ada.read(self._at())
        self._ada.send(f"{self._at()}/close")
        self._ada.read("/console/audit")
        self._ada.send("/console/audit/verify")

    def _at(self) -> str:
        return f"/console/requests/{self._reference}"

    def _code(self) -> str:
        """The newest code to the customer, out of the demo's inbox."""
        http = Browser(self._base)
        before = self._last_code

        def newest() -> str:
            for link in re.findall(r'href="(/demo/inbox/[0-9a-f-]{36})"', http.read("/demo/inbox"))[:6]:
                found = re.search(r"\b(\d{6})\b", http.read(link))
                if found and self._email in http.page and found[1] != before:
                    return found[1]
            return ""

        until(lambda: bool(newest()), "no code came by mail")
        self._last_code = newest()
        http.close()
        return self._last_code


def until(happened: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
    """Wait for something. Raises: LegFailed: with `otherwise`, once patience has run out."""
    limit = time.monotonic() + patience_s
    while not happened():
        if time.monotonic() > limit:
            raise LegFailed(otherwise)
        time.sleep(0.2)


def _forms(page: str) -> list[Form]:
    reader = _Forms()
    reader.feed(page)
    return reader.forms


def _demo_person(folder: Path) -> tuple[str, str]:
    """Address and an order number of the customer who asks."""
    for path in (folder / "shop").glob("*.json"):
        known = json.loads(path.read_text(encoding="utf-8"))
        for person in known.get("people", []):
            if person["key"] == PERSON:
                return person["email"], person["order_no"]
    raise LegFailed("the demo shop does not know the customer")


@contextmanager
def running(folder: Path, *, with_requests: bool = False) -> Iterator[str]:
    """A demo of its own on a port that the system chose; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "privacyops", "demo", "--port", str(port), "--folder", str(folder)]
    if not with_requests:
        command.append("--empty")
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _healthy(base), "the demo did not start")
        sys.stdout.write(f"{'start to first healthy answer':<44} {time.monotonic() - started:6.2f} s\n")
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _healthy(base: str) -> bool:
    try:
        return httpx.get(f"{base}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
