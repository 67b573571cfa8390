"""What is drawn, and that nothing is where nobody reads it."""

import os
import re
import subprocess
import sys

SCRIPT = """
from chainrule.training.progress import shown
from types import SimpleNamespace
import time

def epochs():
    for number in range(1, 6):
        time.sleep(0.15)
        yield SimpleNamespace(number=number, loss=1 / number, validation_loss=2 / number, planned=5)

assert [epoch.number for epoch in shown(epochs(), {show})] == [1, 2, 3, 4, 5]
"""


def script(show):
    return [sys.executable, "-c", SCRIPT.format(show=show)]


def on_a_terminal(show):
    """What a process writes to a terminal, standard output and error together."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    with subprocess.Popen(
        script(show), stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            written += part
    os.close(ours)
    assert process.returncode == 0, written.decode()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())


def test_silent_where_there_is_no_terminal():
    done = subprocess.run(script(True), capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_shows_epoch_losses_and_time_left_on_a_terminal():
    written = on_a_terminal(True)
    assert re.search(r"epoch [1-4]/5", written)
    assert re.search(r"loss 0\.\d+, validation \d", written)
    assert re.search(r"\d:\d\d:\d\d left", written)


def test_silent_on_a_terminal_unless_asked():
    assert on_a_terminal(False) == ""
