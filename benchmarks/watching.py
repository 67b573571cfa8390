"""What watching costs: seconds from the command to a network that learns, frames a second, and speed.

    python benchmarks/watching.py [--turns N] [--json FILE]

Speeds are measured in turn on one run, with nobody looking and with a page's stream open; the ratio is that
of neighbours. The stream is read over HTTP as a page reads it; what a browser needs to draw is not in it.
"""

import argparse
import http.client
import json
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

SECONDS = 3.0


class Caller:
    """Asks the server as the page does."""

    def __init__(self, link: str) -> None:
        address, self._token = link.removeprefix("http://").split("/?token=")
        self._host, port = address.split(":")
        self._port = int(port)

    def open(self, path: str, body: object = None) -> http.client.HTTPResponse:
        """The answer, not read yet."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        headers = {"Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body)
        connection.request("GET" if data is None else "POST", path, data, headers)
        return connection.getresponse()

    def __call__(self, path: str, body: object = None) -> Any:
        """The answer as plain values."""
        return json.load(self.open(path, body))


def begun() -> tuple[subprocess.Popen[str], Caller, str, float]:
    """The command, and the seconds until its network has learnt two epochs."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "chainrule", "watch", "--no-open"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    link = next(line.strip() for line in process.stderr if line.startswith("http"))
    call = Caller(link)
    run = call("/api/runs", call("/api/about")["start"])["run"]
    while call(f"/api/runs/{run}/play", {"playing": True})["epoch"] < 2:
        pass
    return process, call, run, time.perf_counter() - start


def frames_at_a_pace(call: Caller, run: str) -> float:
    """Frames per second where the network learns as fast as one can watch."""
    call(f"/api/runs/{run}/play", {"playing": True, "pace": 60})
    answer, start = call.open(f"/api/runs/{run}/events"), time.perf_counter()
    frames = 0
    while time.perf_counter() - start < SECONDS:
        frames += answer.readline().startswith(b"data")
    answer.close()
    call(f"/api/runs/{run}/play", {"playing": True})
    return frames / SECONDS


def epoch_of(call: Caller, run: str) -> int:
    return int(call(f"/api/runs/{run}/rate", {"learning_rate": 0.03})["epoch"])


def speed(call: Caller, run: str, *, watched: bool) -> tuple[float, float]:
    """Epochs and frames per second."""
    frames, done = 0, threading.Event()

    def look() -> None:
        nonlocal frames
        answer = call.open(f"/api/runs/{run}/events")
        while not done.is_set():
            frames += answer.readline().startswith(b"data")
        answer.close()

    looker = threading.Thread(target=look)
    if watched:
        looker.start()
        time.sleep(0.2)
    first, start = epoch_of(call, run), time.perf_counter()
    before = frames
    time.sleep(SECONDS)
    last, seconds = epoch_of(call, run), time.perf_counter() - start
    seen = frames - before
    done.set()
    if watched:
        looker.join()
    return (last - first) / seconds, seen / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    starts = []
    for _ in range(3):
        process, call, run, seconds = begun()
        starts.append(seconds)
        if len(starts) < 3:
            process.send_signal(signal.SIGINT)
            process.wait()
    paced = frames_at_a_pace(call, run)
    ratios, frames, alone = [], [], []
    for _ in range(options.turns):
        before, _ = speed(call, run, watched=False)
        watched, seen = speed(call, run, watched=True)
        after, _ = speed(call, run, watched=False)
        ratios.append(2 * watched / (before + after))
        frames.append(seen)
        alone += [before, after]
    process.send_signal(signal.SIGINT)
    process.wait()
    found = {
        "seconds from the command to a network that learns, the last of 3": starts[-1],
        "epochs per second of 2-8-8-1 on 320 rows, nobody looking": statistics.median(alone),
        "speed with the page's stream open, relative": statistics.median(ratios),
        "frames per second at 60 epochs per second": paced,
        "frames per second at full speed": statistics.median(frames),
    }
    for name, value in found.items():
        print(f"{name}: {value:.3g}")
    print("relative speeds:", " ".join(f"{ratio:.2f}" for ratio in sorted(ratios)))
    if options.json:
        options.json.write_text(json.dumps(found | {"starts": starts, "ratios": ratios}, indent=1))


if __name__ == "__main__":
    main()
