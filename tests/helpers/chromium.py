"""Headless Chromium, driven by its DevTools protocol over a pipe: nothing to install besides the browser."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_S = 60.0
NOTICED = {
    "Log.entryAdded",
    "Network.requestWillBeSent",
    "Page.javascriptDialogOpening",
    "Page.windowOpen",
    "Runtime.consoleAPICalled",
    "Runtime.exceptionThrown",
}
"""Events that say that a page did something, or had something to complain of."""
_ABOVE_3_AND_4 = 10
_START = 'exec "$@" 3<&"$COMMANDS" 4>&"$EVENTS"'


def find_chromium():
    """The path of a Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A running browser; leave it by ``with``."""

    def __init__(self, executable, profile):
        commands, self._to = _pipe()
        self._from, events = _pipe()
        options = [
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-extensions"),
            *("--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"),
        ]
        self._process = subprocess.Popen(
            ["bash", "-c", _START, "chromium", executable, *options],
            env={**os.environ, "COMMANDS": str(commands), "EVENTS": str(events)},
            pass_fds=(commands, events),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(events)
        self._number, self._unread, self._events = 0, b"", []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def ask(self, method, session=None, **parameters):
        """Send one command and return its result; events that come before it are kept."""
        number = self._send(method, session, parameters)
        while True:
            message = self._receive()
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._keep(message)

    def wait_for(self, event, session):
        """Wait until an event came; those before it are kept."""
        while not any(each == (session, event) for each, _ in self._events):
            self._keep(self._receive())

    def take_events(self, session):
        """(name, parameters) of the events of one page so far, which are forgotten."""
        taken = [(name, parameters) for (of, name), parameters in self._events if of == session]
        self._events = [each for each in self._events if each[0][0] != session]
        return taken

    def _send(self, method, session, parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self):
        give_up = time.monotonic() + TIMEOUT_S
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._from], [], [], max(0.0, give_up - time.monotonic()))
            assert ready, "Chromium does not answer"
            read = os.read(self._from, 1 << 20)
            assert read, "Chromium ended"
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _keep(self, message):
        if "method" not in message:
            return
        session = message.get("sessionId")
        self._events.append(((session, message["method"]), message["params"]))
        if message["method"] == "Page.javascriptDialogOpening":  # else the page waits for ever
            self._send("Page.handleJavaScriptDialog", session, {"accept": True})


class Page:
    """One page of a browser.

    Args:
        browser: It.
        width: Of its window, in CSS pixels.
        features: Media features, such as ``prefers-color-scheme``.
        media: ``screen`` or ``print``.
    """

    def __init__(
        self, browser: Chromium, *, width: int = 1000, features: Mapping[str, str] = {}, media: str = "screen"
    ) -> None:
        self._browser = browser
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        told = [{"name": name, "value": value} for name, value in features.items()]
        self.ask("Emulation.setEmulatedMedia", media=media, features=told)

    def ask(self, method, **parameters):
        """Send a command to this page."""
        return self._browser.ask(method, self._session, **parameters)

    def open(self, path):
        """Load a file and return what was noticed until then, (event, parameters) each."""
        self._browser.take_events(self._session)
        self.ask("Page.navigate", url=path.as_uri())
        self._browser.wait_for("Page.loadEventFired", self._session)
        # What a page starts late is seen by the time a command of ours has gone through its event loop twice.
        for _ in range(2):
            self.run("new Promise(resolve => setTimeout(resolve, 50))")
        return [each for each in self._browser.take_events(self._session) if each[0] in NOTICED]

    def run(self, script):
        """The value of a script."""
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key, code):
        """Press and release a key."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def screenshot(self):
        """All of the page, as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def pdf(self):
        """The page as it is printed."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=False)["data"])

    def images(self):
        """Name and description of everything that a screen reader takes for an image."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        return {
            node["name"]["value"]: node.get("description", {}).get("value", "")
            for node in nodes
            if node.get("role", {}).get("value") in ("image", "img") and not node["ignored"]
        }


def _pipe():
    """Both ends of a pipe, out of the way of the two that Chromium reads and writes."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _ABOVE_3_AND_4) for end in ends)
    for end in ends:
        os.close(end)
    return moved
