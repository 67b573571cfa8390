"""Model files that are damaged, foreign or lie, and what must come of each."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tests.hostile.cases import PREDICT, Case
from tests.hostile.predictions import new

Lie = Callable[[dict[str, Any]], object]


class Altered:
    """Writes a table, and a model made of a good one."""

    def __init__(self, alter: Callable[[bytes], bytes]) -> None:
        self.alter = alter

    def __call__(self, folder: Path) -> None:
        (folder / "t.csv").write_text(new())
        (folder / "m.model").write_bytes(self.alter((folder / "m.model").read_bytes()))


def packed(header: str, data: bytes = b"") -> bytes:
    return len(header.encode()).to_bytes(8, "little") + header.encode() + data


def parted(model: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(model[:8], "little")
    return json.loads(model[8 : 8 + length]), model[8 + length :]


def header(lie: Lie) -> Altered:
    """Another header of the file: names, types, shapes and places of the arrays."""

    def alter(model: bytes) -> bytes:
        said, data = parted(model)
        lie(said)
        return packed(json.dumps(said), data)

    return Altered(alter)


def description(lie: Lie) -> Altered:
    """Another description of the model."""

    def alter(said: dict[str, Any]) -> None:
        described = json.loads(said["__metadata__"]["chainrule"])
        lie(described)
        said["__metadata__"]["chainrule"] = json.dumps(described)

    return header(alter)


def metadata(text: str) -> Altered:
    return header(lambda said: said["__metadata__"].update(chainrule=text))


def column(place: int, **changed: object) -> Altered:
    """A column of the encoder that says something else; they are a, c and d."""
    return description(lambda said: said["encoder"]["columns"][place].update(changed))


def learnt(**changed: object) -> Altered:
    return description(lambda said: said["learnt"].update(changed))


def network(**changed: object) -> Altered:
    return description(lambda said: said["network"].update(changed))


def cut(share: float) -> Altered:
    return Altered(lambda model: model[: int(len(model) * share)])


def flipped(share: float) -> Altered:
    def alter(model: bytes) -> bytes:
        place = int(int.from_bytes(model[:8], "little") * share) + 8
        return model[:place] + bytes([model[place] ^ 0x80]) + model[place + 1 :]

    return Altered(alter)


def numbers(value: float) -> Altered:
    """All weights are this number."""

    def alter(model: bytes) -> bytes:
        length = int.from_bytes(model[:8], "little")
        count = (len(model) - 8 - length) // 4
        return model[: 8 + length] + np.full(count, value, "<f4").tobytes()

    return Altered(alter)


def first_array(said: dict[str, Any]) -> dict[str, Any]:
    return said[next(name for name in said if name != "__metadata__")]


def renamed(said: dict[str, Any], name: str) -> None:
    old = next(name for name in said if name != "__metadata__")
    said[name] = said.pop(old)


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("model.json", "{}")
    return data.getvalue()


def twice(model: bytes) -> bytes:
    said, data = parted(model)
    text = json.dumps(said)
    return packed(text[:-1] + ", " + text[1:], data)


SOMETHING_ELSE, DAMAGED, ALTERED = "something else", "cut off or damaged", "altered or damaged"
DEEP = "[" * 200_000

FOREIGN = {
    "empty": (b"", "it is empty"),
    "a text": (b"hello, world\n", SOMETHING_ELSE),
    "a table": (new().encode(), SOMETHING_ELSE),
    "a pickle": (pickle.dumps({"model": [1.0]}), SOMETHING_ELSE),
    "a ZIP archive": (zipped(), SOMETHING_ELSE),
    "one byte": (b"\x01", SOMETHING_ELSE),
    "a header length of 2^64 - 1": (b"\xff" * 8 + b"{", SOMETHING_ELSE),
    "a header length of 99 million": ((99_000_000).to_bytes(8, "little") + b'{"chainrule"', DAMAGED),
    "a header length of 0": (bytes(8), SOMETHING_ELSE),
    "another safetensors file": (packed('{"__metadata__":{"format":"pt"}}'), SOMETHING_ELSE),
    "a header of brackets": (packed('{"chainrule":' + DEEP), DAMAGED),
    "zero bytes": (bytes(10_000), SOMETHING_ELSE),
}
LIES = {
    "another format": (description(lambda said: said.update(format=99)), "model of format"),
    "no format": (description(lambda said: said.pop("format")), DAMAGED),
    "a format of text": (description(lambda said: said.update(format="2\n\n" * 99)), "model of format"),
    "no description": (header(lambda said: said["__metadata__"].pop("chainrule")), SOMETHING_ELSE),
    "an empty description": (metadata("{}"), DAMAGED),
    "a description of brackets": (metadata(DEEP), DAMAGED),
    "a description that is a list": (metadata("[]"), DAMAGED),
    "a description with NaN": (metadata('{"format": NaN}'), DAMAGED),
    "a number of 10,000 digits": (metadata('{"format": ' + "1" * 10_000 + "}"), DAMAGED),
    "keys twice": (Altered(twice), DAMAGED),
    "a huge array": (header(lambda said: first_array(said).update(shape=[2**40, 2**20])), DAMAGED),
    "a negative shape": (header(lambda said: first_array(said).update(shape=[-1, 4])), DAMAGED),
    "offsets beyond the end": (
        header(lambda said: first_array(said).update(data_offsets=[0, 2**50])),
        DAMAGED,
    ),
    "offsets that overlap": (header(lambda said: first_array(said).update(data_offsets=[4, 8])), DAMAGED),
    "an integer array": (header(lambda said: first_array(said).update(dtype="I32")), DAMAGED),
    "an array of an unknown type": (header(lambda said: first_array(said).update(dtype="F2048")), DAMAGED),
    "an array called ../../x": (header(lambda said: renamed(said, "../../x")), ALTERED),
    "data behind the end": (Altered(lambda model: model + b"more"), DAMAGED),
    "another estimator": (description(lambda said: said.update(estimator="os.system")), ALTERED),
    "no encoder": (description(lambda said: said.pop("encoder")), ALTERED),
    "an argument that is none": (description(lambda said: said["parameters"].update(run="rm")), ALTERED),
    "a mark that is none": (description(lambda said: said["about"].update(x={"$eval": "1"})), ALTERED),
    "an array of 2^27 letters": (
        learnt(
            classes_={"$array": ["x"], "$dtype": "<U9999999"},
            loss_curve_={"$array": ["x"] * 9, "$dtype": "<U9999999"},
        ),
        ALTERED,
    ),
    "another size": (network(sizes=[10**9, 1]), ALTERED),
    "huge sizes": (network(sizes=[10**9, 10**9, 1]), ALTERED),
    "a million layers": (network(sizes=[1] * 1_000_000), ALTERED),
    "sizes of text": (network(sizes="99"), ALTERED),
    "an activation of code": (network(activation=["__import__('os').system('true')"]), ALTERED),
    "a loss of brackets": (network(loss="(" * 10_000), ALTERED),
    "a loss of powers": (network(loss="9**9**9**9*y*y_hat"), ALTERED),
    "a dropout above 1": (network(dropout=2.0), ALTERED),
    "no columns": (description(lambda said: said["encoder"].update(columns=[])), ALTERED),
    "a column of no kind": (column(0, kind="code"), ALTERED),
    "a column by another name": (column(0, name="other"), ALTERED),
    "a center of text": (column(0, center="x"), ALTERED),
    "a negative scale": (column(0, scale=-1.0), ALTERED),
    "knots that fall": (column(0, knots=[2.0, 1.0]), ALTERED),
    "edges that fall": (column(0, edges=[2.0, 1.0]), ALTERED),
    "a level twice": (column(1, levels=["x", "x"]), ALTERED),
    "levels of numbers": (column(1, levels=[1, 2]), ALTERED),
    "a level more": (column(1, levels=["x", "z", "w", "v"]), ALTERED),
    "a spelling of dates that is none": (column(2, spelling="%Q"), ALTERED),
    "other cycles": (column(2, cycles=["moon"]), ALTERED),
    "names that do not fit": (learnt(feature_names_in_=["c", "a", "d"]), ALTERED),
    "too many inputs": (learnt(n_features_in_=4), ALTERED),
    "an epoch that never ran": (learnt(best_iteration_=7), ALTERED),
    "a curve of texts": (learnt(loss_curve_=["x"]), ALTERED),
    "a scale of infinity": (
        learnt(scale={"offset": [{"$float": "inf"}], "scale": [1.0], "factor": [], "log": False}),
        ALTERED,
    ),
    "a scale of two targets": (
        learnt(scale={"offset": [0.0, 0.0], "scale": [1.0, 1.0], "factor": [], "log": False}),
        ALTERED,
    ),
    "about that is a list": (description(lambda said: said.update(about=[])), ALTERED),
    "weights of NaN": (numbers(float("nan")), "is not finite"),
    "weights of infinity": (numbers(float("inf")), "is not finite"),
}
FINE = {
    "weights of zero": numbers(0.0),
    "weights of 1e-45": numbers(1e-45),
    "a target of another name": description(lambda said: said["about"].update(target=["../../y"])),
    "about of other kinds": description(
        lambda said: said["about"].update(target=7, rows="x", kinds=[], scores=1)
    ),
    "about of nothing": description(lambda said: said.update(about={})),
}

CASES = [
    *(
        Case(f"model: {kind}", Altered(lambda _, content=content: content), PREDICT, says=says)
        for kind, (content, says) in FOREIGN.items()
    ),
    *(Case(f"model: {kind}", alter, PREDICT, says=says) for kind, (alter, says) in LIES.items()),
    *(Case(f"model: {kind}", alter, PREDICT) for kind, alter in FINE.items()),
    *(
        Case(f"model cut off at {share:.1%}", cut(share), PREDICT, says=f"{DAMAGED}|{SOMETHING_ELSE}")
        for share in (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.9999)
    ),
    *(
        Case(f"model with a bit flipped at {share:.0%} of its header", flipped(share), PREDICT, says="model")
        for share in (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9)
    ),
    Case("model: not there", None, "predict gone.model t.csv", says="there is none"),
    Case("model: a folder", lambda folder: (folder / "there").mkdir(), "show there", says="it is a folder"),
    Case("model: from standard input, empty", None, "show -", says="it is empty", stdin=b""),
    Case("model: from standard input, foreign", None, "show -", says=SOMETHING_ELSE, stdin=b"hello, world"),
    Case("model: shown", None, "show m.model"),
    Case("model: shown as JSON", None, "show m.model --json"),
    Case(
        "model: shown, with a column's name of many lines",
        column(1, levels=["x\n\x1b[31m", "z"]),
        "show m.model",
    ),
    Case("model: shown, cut off", cut(0.5), "show m.model", says=DAMAGED),
]
