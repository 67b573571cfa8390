"""The server: who may ask, what is refused, and that runs end when nobody looks."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

import chainrule
from chainrule.errors import ArgumentError
from chainrule.page import details
from chainrule.page import server as servers
from chainrule.page import session as sessions
from chainrule.page.classic import classic_table
from chainrule.page.door import Door
from chainrule.page.server import Server
from chainrule.page.session import HeldTable, Session
from chainrule.page.setup import LIMITS

SMALL = {"data": {"set": "gaussians", "rows": 60}, "hidden": [3], "batch_size": 16}
PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


class Caller:
    """Asks a server as the page does."""

    def __init__(self, door):
        self.door = door

    def __call__(self, path, body=None, *, raw=None, token=None, method=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.door.port, timeout=60)
        data = raw if raw is not None else None if body is None else json.dumps(body)
        said = {"Authorization": f"Bearer {self.door.token if token is None else token}"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method or ("GET" if data is None else "POST"), path, data, said)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kind = answer.headers.get_content_type()
        return answer.status, json.loads(content) if kind == "application/json" else content, answer.headers

    def frames(self, run, count):
        """So many events of the run's stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self.door.port, timeout=60)
        connection.request(
            "GET", f"/api/runs/{run}/events", headers={"Authorization": f"Bearer {self.door.token}"}
        )
        answer = connection.getresponse()
        found = []
        while len(found) < count:
            line = answer.readline()
            assert line, "the stream ended"
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
        connection.close()
        return found


def serving(session):
    door = Door()
    server = Server(session, door)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    return Caller(door), server, thread


@pytest.fixture(scope="module")
def ask():
    session = Session(HeldTable("hills.csv", classic_table("hills", 80), ("y",)))
    caller, server, thread = serving(session)
    yield caller
    server.stop()
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def run(ask):
    status, begun, _ = ask("/api/runs", SMALL)
    assert status == 201
    yield begun["run"]
    ask(f"/api/runs/{begun['run']}/end", {})


def test_the_page_comes_without_a_token_and_says_nothing_of_the_table(ask):
    status, page, headers = ask("/", token="")
    assert status == 200
    assert b"hills" not in page
    assert b'<script type="module" src=' in page
    assert b"style=" not in page, "the policy forbids inline style"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    for name in ("page.js", "page.css", "derivation.css", "icon.svg"):
        assert ask(f"/static/{name}", token="")[0] == 200


@pytest.mark.parametrize("path", ["/api/about", "/api/runs", "/api/tables", "/api/runs/x/play"])
@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_nothing_is_told_without_the_token(ask, path, token):
    method = "GET" if path == "/api/about" else "POST"
    status, said, _ = ask(path, method=method, token=token.encode().decode("latin-1"))
    assert (status, set(said)) == (401, {"error"})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:80"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
def test_no_other_page_may_ask(ask, headers, status):
    assert ask("/api/about", **headers)[0] == status


def test_its_own_origin_may_ask(ask):
    assert ask("/api/about", Origin=f"http://localhost:{ask.door.port}")[0] == 200


@pytest.mark.parametrize("path", ["play", "step", "seek", "edit", "keep", "restart", "rate", "end"])
def test_get_changes_nothing(ask, run, path):
    assert ask(f"/api/runs/{run}/{path}")[0] == 405


@pytest.mark.parametrize(
    "path",
    ["/static/../server.py", "/static/%2e%2e%2fserver.py", "/static//etc/passwd", "/etc/passwd", "/static/"],
)
def test_no_other_file_is_served(ask, path):
    assert ask(path)[0] == 404


def test_it_binds_to_loopback():
    door = Door()
    assert door.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(
        ArgumentError, match=f"--port must be a port that is free; the system says of {door.port}"
    ):
        Door(door.port)
    door.socket.close()
    with pytest.raises(ArgumentError, match="--port must be"):
        Door(99999)


def test_what_there_is_to_choose_from(ask):
    about = ask("/api/about")[1]
    assert {one["name"] for one in about["sets"]} >= {"circles", "spirals", "xor", "gaussians"}
    assert about["start"]["data"] == {"table": "1", "targets": ["y"]}
    assert about["tables"][0] == {
        "table": "1",
        "name": "hills.csv",
        "rows": 80,
        "columns": ["x1", "x2", "y"],
        "targets": ["y"],
    }


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        ([], "a set-up must be an object"),
        ({"hiden": [3]}, "Did you mean 'hidden'"),
        ({"hidden": [3] * 9}, "at most 8 layers"),
        ({"hidden": [1000]}, "the units of a layer must be a whole number from 1 to 256; got 1000"),
        ({"hidden": [2.5]}, "must be a whole number"),
        ({"activation": "tan"}, "activation must be"),
        ({"optimizer": "adm"}, "optimizer must be one of"),
        ({"learning_rate": 0}, "learning_rate must be a number from"),
        ({"learning_rate": True}, "learning_rate must be a number from"),
        ({"dropout": 1}, "dropout must be"),
        ({"seed": -1}, "seed must be"),
        ({"loss": 3}, "loss must be a text"),
        ({"loss": "huber", "data": {"set": "xor"}}, "loss"),
        ({"layer_norm": 1}, "layer_norm must be true or false"),
        ({"data": {"set": "moons"}}, "set must be one of spirals"),
        ({"data": {"set": "xor", "rows": 1e9}}, "rows must be a whole number"),
        ({"data": {"table": "9", "targets": ["y"]}}, "must be at hand"),
        ({"data": {"table": "1", "targets": ["z"]}}, "target must be a column of hills.csv"),
        ({"data": {"table": "1"}}, "targets must be a list of names"),
        ({"model": "given"}, "the model of this set-up must be at hand"),
    ],
)
def test_set_ups_that_are_none(ask, setup, said):
    status, answer, _ = ask("/api/runs", setup)
    assert status == 400
    assert said in answer["error"]


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[" * 5000, b"{" + b" " * 200_000 + b"}"])
def test_what_is_no_json(ask, run, raw):
    status, answer, _ = ask(f"/api/runs/{run}/play", raw=raw)
    assert (status, set(answer)) == (400, {"error"})


def test_a_table_is_brought_along(ask):
    before = {path.name for path in Path(tempfile_folder()).iterdir()}
    status, table, _ = ask("/api/tables", raw=PENGUINS.read_bytes(), X_Name="p%C3%A9nguins.csv")
    assert (status, table["name"], table["rows"]) == (201, "pénguins.csv", 344)
    assert {path.name for path in Path(tempfile_folder()).iterdir()} <= before, "nothing is written"
    status, run, _ = ask(
        "/api/runs", {"data": {"table": table["table"], "targets": ["species"]}, "hidden": [4]}
    )
    assert (status, run["task"], run["classes"]) == (201, "classification", ["Adelie", "Chinstrap", "Gentoo"])
    frame = ask(f"/api/runs/{run['run']}/step", {"of": "epoch"})[1]
    assert sum(map(sum, frame["confusion"]["counts"])) == 344
    rows = ask(f"/api/runs/{run['run']}/rows?from=3&count=2")[1]["rows"]
    assert rows[0]["row"] == 3
    assert rows[0]["cells"][0] == "Torgersen"
    assert "" in rows[0]["cells"], "a blank cell stays blank"


def tempfile_folder():
    import tempfile

    return tempfile.gettempdir()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "empty"), (b"a,b\n1\n2,3,4\n", "2 cells in each row"), (b"a,a\n1,2\n", "a"), (b"\x00" * 100, "")],
)
def test_a_bad_table_is_refused_in_a_sentence(ask, data, said):
    status, answer, _ = ask("/api/tables", raw=data, X_Name="bad.csv")
    assert status == 400
    assert said in answer["error"]


def test_a_table_that_is_too_large_is_refused(ask, monkeypatch):
    monkeypatch.setitem(LIMITS, "upload_bytes", 1000)
    status, answer, _ = ask("/api/tables", raw=b"a,b\n" + b"1,2\n" * 1000, X_Name="large.csv")
    assert status == 400
    assert "at most 1,000 bytes" in answer["error"]


def test_a_run_is_watched(ask, run):
    ask(f"/api/runs/{run}/play", {"playing": True})
    frames = ask.frames(run, 8)
    epochs = [frame["epoch"] for frame in frames]
    assert epochs == sorted(epochs)
    assert epochs[-1] > epochs[0]
    first = frames[0]
    assert [column["size"] for column in first["columns"]] == [2, 3, 1]
    assert [len(links) for links in first["links"]] == [6, 3]
    assert len(first["surface"]) == 4 * -(-40 * 40 // 3)
    assert first["curve"]["epoch"][0] == 0
    paused = ask(f"/api/runs/{run}/play", {"playing": False})[1]
    assert paused["playing"] is False


def test_no_frame_keeps_the_next_one_waiting_for_long(ask, run, monkeypatch):
    """At full speed frames may take a share of the time; one that takes seconds must not take minutes."""
    monkeypatch.setattr(servers, "_SHARE", 1e-9)
    monkeypatch.setattr(servers, "_REST", 0.2)
    ask(f"/api/runs/{run}/play", {"playing": True})
    start = time.monotonic()
    ask.frames(run, 4)
    assert time.monotonic() - start < 10


def test_an_edit_is_seen_and_what_is_wrong_is_told(ask, run):
    frame = ask(f"/api/runs/{run}/edit", {"name": "W1[2,1]", "value": 0.5})[1]
    assert [1, 0, 0.5] in frame["links"][0]
    for path, body in [
        ("edit", {"name": "W7[1,1]", "value": 1}),
        ("edit", {}),
        ("rate", {}),
        ("seek", {"epoch": "a"}),
        ("step", {"of": "year"}),
        ("play", {"pace": -1}),
        ("play", {"playing": "yes"}),
        ("play", []),
    ]:
        status, answer, _ = ask(f"/api/runs/{run}/{path}", body)
        assert (status, set(answer)) == (400, {"error"}), (path, body)
    for path in (
        "row?row=60",
        "row?row=x",
        "row",
        "unit?layer=3&unit=1",
        "unit?layer=0&unit=3",
        "weight?name=W",
        "rows?count=1000",
    ):
        status, answer, _ = ask(f"/api/runs/{run}/{path}")
        assert (status, set(answer)) == (400, {"error"}), path


@pytest.mark.parametrize("row", ["", "&row=5"])
def test_three_numbers_agree(ask, run, row):
    for _ in range(3):
        ask(f"/api/runs/{run}/step", {"of": "epoch"})
    found = ask(f"/api/runs/{run}/weight?name=W1[2,1]{row}")[1]
    assert found["derived"] == pytest.approx(found["compiled"], rel=1e-9, abs=1e-12)
    assert found["derived"] == pytest.approx(found["finite_difference"], rel=1e-4, abs=1e-8)
    assert found["history"]["epoch"] == [0, 1, 2, 3]
    assert "<math" in found["html"]
    assert "<script" not in found["html"]


def test_a_row_s_passes_agree_with_its_unit(ask, run):
    row = ask(f"/api/runs/{run}/row?row=7")[1]
    unit = ask(f"/api/runs/{run}/unit?layer=1&unit=2&row=7")[1]
    layer = row["layers"][0]
    assert [unit[key] for key in ("z", "h", "delta")] == [layer[key][1] for key in ("z", "h", "delta")]
    z = sum(one["weight"] * one["value"] for one in unit["inputs"]) + unit["bias"]
    assert z == pytest.approx(unit["z"], abs=1e-3)
    assert sum(unit["histogram"]["counts"]) == 60


def test_the_model_is_taken_away(ask, run, tmp_path):
    ask(f"/api/runs/{run}/step", {"of": "epoch"})
    status, data, headers = ask(f"/api/runs/{run}/model")
    assert status == 200
    assert 'filename="network.chainrule"' in headers["Content-Disposition"]
    (tmp_path / "m.chainrule").write_bytes(data)
    assert set(chainrule.load(tmp_path / "m.chainrule").classes_) == {"a", "b"}
    assert b"model.fit" in ask(f"/api/runs/{run}/code")[1]


def test_a_run_that_ended_is_told(ask, run):
    assert ask(f"/api/runs/{run}/end", {})[0] == 204
    status, answer, _ = ask(f"/api/runs/{run}/play", {})
    assert status == 400
    assert "has ended" in answer["error"]


def test_a_run_that_nobody_looks_at_ends(monkeypatch):
    session = Session()
    number, watched = session.begin(SMALL)
    with watched.watched():
        monkeypatch.setattr(sessions, "_PATIENCE", 0.0)
        session.sweep()
        assert session.run(number) is watched
    time.sleep(0.01)
    session.sweep()
    assert watched.run.ended
    with pytest.raises(ArgumentError, match="has ended"):
        session.run(number)


def test_there_are_only_so_many_runs(monkeypatch):
    monkeypatch.setattr(sessions, "_RUNS", 1)
    session = Session()
    session.begin(SMALL)
    with pytest.raises(ArgumentError, match="at most 1 runs"):
        session.begin(SMALL)
    session.close()


def test_two_runs_do_not_disturb_each_other(ask):
    one, two = (ask("/api/runs", SMALL | {"seed": seed})[1]["run"] for seed in (0, 1))
    ask(f"/api/runs/{one}/step", {"of": "epoch"})
    frame = ask(f"/api/runs/{two}/seek", {"epoch": 0})[1]
    assert frame["last"] == 0
    assert ask(f"/api/runs/{one}/seek", {"epoch": 9})[1]["epoch"] == 1


def test_a_table_without_a_plane_has_answers():
    frame = pl.DataFrame({"a": range(60), "b": ["x", "y", "z"] * 20, "c": [k * 1.5 for k in range(60)]})
    session = Session(HeldTable("t.csv", frame, ("c",)))
    _, watched = session.begin(session.start.to_dict())
    assert watched.frames.description()["plane"] is None
    seen = watched.frames.frame()
    assert len(seen["answers"][0]["points"]) == 60
    assert seen["surface"] is None
    session.close()


def test_units_of_a_large_layer_do_not_change_under_one_s_hands(ask):
    setup = SMALL | {"hidden": [40], "data": {"set": "hills", "rows": 60}, "learning_rate": 0.3}
    run = ask("/api/runs", setup)[1]["run"]

    def shown():
        frame = ask(f"/api/runs/{run}/step", {"of": "epoch"})[1]
        return [unit["unit"] for unit in frame["columns"][1]["units"]]

    first = shown()
    assert len(first) == 16
    ask(f"/api/runs/{run}/hold", {"held": True})
    for _ in range(30):
        assert shown() == first
    ask(f"/api/runs/{run}/hold", {"held": False})
    assert shown() != first
    ask(f"/api/runs/{run}/end", {})


def test_several_targets_are_learnt_together():
    frame = pl.DataFrame({"a": range(60), "b": [k * 2.0 for k in range(60)], "c": [-k for k in range(60)]})
    session = Session(HeldTable("t.csv", frame, ("b", "c")))
    _, watched = session.begin(session.start.to_dict())
    told = watched.frames.description()
    assert (told["targets"], told["outputs"], told["sizes"][-1]) == (["b", "c"], ["b", "c"], 2)
    watched.run.step("epoch")
    seen = watched.frames.frame()
    assert [one["target"] for one in seen["answers"]] == ["b", "c"]
    row = details.row(watched.frames, 3)
    assert row["truth"] == "6, -3"
    assert len(row["answer"].split(", ")) == 2
    assert details.weight(watched.frames, "W1[1,1]", None)["of"] == "L"
    session.close()


def test_labels_are_learnt_together():
    frame = pl.DataFrame({"a": range(60), "b": [0, 1, 1] * 20, "c": [0, 1] * 30})
    session = Session(HeldTable("t.csv", frame, ("b", "c")))
    _, watched = session.begin(session.start.to_dict())
    watched.run.step("epoch")
    told, seen = watched.frames.description(), watched.frames.frame()
    assert (told["classes"], told["outputs"]) == (None, ["b", "c"])
    assert 0 < seen["scores"]["learn"] <= 1
    assert all(0 <= point[1] <= 1 for point in seen["answers"][1]["points"])
    assert details.row(watched.frames, 1)["truth"] == "1, 1"
    session.close()


# The command


def command(*arguments):
    environment = os.environ | {"CHAINRULE_CACHE": os.environ.get("CHAINRULE_CACHE", "off")}
    return subprocess.Popen(
        [sys.executable, "-m", "chainrule", "watch", "--no-open", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_the_command_serves_until_it_is_ended(ending, tmp_path):
    process = command(PENGUINS, "--target", "species")
    said = [process.stderr.readline() for _ in range(3)]
    assert "344 rows, to predict 'species'" in said[0]
    assert said[2].startswith("http://127.0.0.1:")
    port, token = said[2].strip().removeprefix("http://127.0.0.1:").split("/?token=")
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("GET", "/api/about", headers={"Authorization": f"Bearer {token}"})
    assert json.load(connection.getresponse())["tables"][0]["name"] == "penguins.csv"
    connection.close()
    ask = Caller(SimpleNamespace(port=int(port), token=token))
    run = ask("/api/runs", SMALL)[1]["run"]
    ask(f"/api/runs/{run}/play", {"playing": True})
    process.send_signal(ending)
    output, errors = process.communicate(timeout=30)
    assert output == ""
    if ending == signal.SIGINT:
        assert process.returncode == 0
        assert errors == "ended; nothing was left behind.\n"
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(port)), 1):
        pass


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((PENGUINS,), "--target must name the column"),
        ((PENGUINS, "--target", "specis"), "Did you mean 'species'"),
        (("--target", "x"), "--target must come with a TABLE"),
        (("no.csv", "--target", "x"), "must be a file that exists"),
        ((PENGUINS, PENGUINS), "the first must be a model"),
        (("model.chainrule",), "model.chainrule"),
        (("--port", "99999"), "--port must be"),
    ],
)
def test_what_cannot_be_watched_is_told(arguments, said):
    process = command(*arguments)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (1, 2)
    assert said in errors
    assert errors.startswith("chainrule: ")
    assert errors.count("\n") == 1
