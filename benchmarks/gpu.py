"""On a GPU: steps beside hand-written JAX and PyTorch, the limits of the device, precisions, whole fits.

    python benchmarks/gpu.py [--turns 7] [--no-torch] [--quick]

Prints Markdown. Every peer trains the same network (ReLU, squared error, Adam) on rows that lie on the
device, one epoch a turn, in turn; products are of float32 (no tf32) unless a column says otherwise. PyTorch
is eager with fused Adam; with its model and loss compiled by ``torch.compile``; and with a whole step
captured as a CUDA graph, which is replayed. The limit of a step is the longer of two times: its products at
the rate of a large product measured beside it, and its bytes at the rate of a copy measured beside it. Bytes
are counted as if nothing stayed in a cache: of a parameter ten numbers (W forward and back, the gradient out
and in, parameter and both moments of Adam in and out), of a unit and row six. So a small network, which does
stay in the cache, could in principle be faster than its limit; launching its kernels is what takes the time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule import DeepRegressor, read_table
from steps import Turn, hand_written_jax, operations, ours, torch_model

SHAPES = [
    ((2, 16, 16, 1), 32, 512),
    ((10, 64, 64, 1), 128, 512),
    ((32, 256, 256, 256, 1), 256, 256),
    ((784, 512, 512, 10), 128, 256),
    ((1024, 2048, 2048, 10), 512, 128),
    ((784, 512, 512, 10), 16_384, 16),
    ((1024, 4096, 4096, 4096, 10), 8_192, 8),
]
_PRECISIONS = ("float32", "tf32", "bf16")


def on_device(*arrays: np.ndarray) -> list[Any]:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return [torch.from_numpy(array).to(device) for array in arrays]


def pytorch(kind: str, sizes: tuple[int, ...], x: np.ndarray, y: np.ndarray, order: np.ndarray) -> Turn:
    """A turn of PyTorch: "eager", "compiled" or "graph"."""
    import torch

    x_all, y_all, rows = on_device(x, y, order.astype(np.int64))
    model = torch_model(sizes).to(x_all.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=kind == "graph")

    def loss_of(x: Any, y: Any) -> Any:
        return (model(x) - y).square().sum(dim=1).mean()

    if kind == "compiled":
        loss_of = torch.compile(loss_of, dynamic=False)
    index = rows[0].clone()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss_of(x_all[index], y_all[index]).backward()
        optimizer.step()

    replay: Callable[[], None] = step
    if kind == "graph":
        replay = _captured(step)

    def turn() -> None:
        for chosen in rows:
            index.copy_(chosen)
            replay()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return turn


def _captured(step: Callable[[], None]) -> Callable[[], None]:
    """A step as a CUDA graph, after a few on a stream of their own, as PyTorch's guide has it."""
    import torch

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def limits(quick: bool) -> dict[str, float]:
    """Products per second of each precision, in operations, and bytes per second of a copy."""
    size, found = 256 if quick else 8192, {}
    a = jnp.asarray(np.random.default_rng(0).random((size, size), np.float32) / size)
    for name in _PRECISIONS if jax.default_backend() == "gpu" else ("float32",):
        precision = {"float32": "float32", "tf32": "TF32_TF32_F32", "bf16": "BF16_BF16_F32"}[name]
        run = jax.jit(lambda a, p=precision: jnp.matmul(a, a, precision=p))
        found[name] = 2 * size**3 / _seconds(lambda run=run: run(a).block_until_ready())
    long = jnp.ones(size * size * 4, jnp.float32)
    add = jax.jit(lambda v: v + 1)
    found["bytes"] = 2 * long.nbytes / _seconds(lambda: add(long).block_until_ready())
    return found


def _seconds(run: Callable[[], Any], turns: int = 9) -> float:
    run()
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times)


def bytes_of_step(sizes: tuple[int, ...], batch: int) -> int:
    parameters = sum(i * o + o for i, o in pairwise(sizes))
    return 4 * (10 * parameters + 6 * batch * sum(sizes))


def beside(peers: dict[str, Turn], steps: int, turns: int) -> dict[str, float]:
    """Microseconds of a step of each peer, in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    for turn in range(turns + 2):
        for name, run in peers.items():
            start = time.perf_counter()
            run()
            if turn > 1:  # the first turns compile and warm up
                seconds[name].append(time.perf_counter() - start)
    return {name: median(times) / steps * 1e6 for name, times in seconds.items()}


def table_of(sizes: tuple[int, ...], batch: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(0)
    rows = min(steps * batch, 65_536)
    x = numbers.random((rows, sizes[0]), np.float32) - 0.5
    y = numbers.random((rows, sizes[-1]), np.float32) - 0.5
    return x, y, numbers.integers(0, rows, (steps, batch)).astype(np.int32)


def show_steps(shapes: list[Any], top: dict[str, float], turns: int, torch: bool) -> None:
    print(
        "| network | batch | µs/step | × JAX | × eager | × compiled | × CUDA graph | TFLOP/s | of the limit |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for sizes, batch, steps in shapes:
        x, y, order = table_of(sizes, batch, steps)
        peers = {
            "ours": ours(sizes, batch, x, y, order),
            "jax": hand_written_jax(sizes, x, y, order, transposed=True),
            "jax too": hand_written_jax(sizes, x, y, order, transposed=False),
        }
        kinds = ("eager", "compiled", "graph") if torch else ()
        peers |= {kind: pytorch(kind, sizes, x, y, order) for kind in kinds}
        with jax.default_matmul_precision("float32"):  # of the peer; JAX's default on a GPU is tf32
            took = beside(peers, steps, turns)
        mine = took["ours"]
        limit = max(operations(sizes, batch) / top["float32"], bytes_of_step(sizes, batch) / top["bytes"])
        cells = [
            "-".join(map(str, sizes)),
            f"{batch:,}",
            f"{mine:.1f}",
            f"{min(took['jax'], took['jax too']) / mine:.2f}",
            *(f"{took[kind] / mine:.2f}" for kind in kinds or ()),
            *("–" for _ in range(0 if kinds else 3)),
            f"{operations(sizes, batch) / mine / 1e6:.1f}",
            f"{limit / mine * 1e6:.0%}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


def show_precisions(shapes: list[Any], turns: int) -> None:
    print("| network | batch | float32, µs/step | tf32 | bf16 |\n|---|---|---|---|---|")
    for sizes, batch, steps in shapes:
        x, y, order = table_of(sizes, batch, steps)
        peers = {name: ours(sizes, batch, x, y, order, name) for name in _PRECISIONS}
        took = beside(peers, steps, turns)
        cells = "-".join(map(str, sizes)), f"{batch:,}", *(f"{took[name]:.1f}" for name in _PRECISIONS)
        print("| " + " | ".join(cells) + " |", flush=True)


def show_accuracy(seeds: int, **options: Any) -> None:
    print("| precision | RMSE of the diamonds' prices, mean of seeds | relative to float32 |\n|---|---|---|")
    X, y, test, truth = _diamonds()
    usual = None
    for name in _PRECISIONS:
        errors = []
        for seed in range(seeds):
            model = DeepRegressor(random_state=seed, device="gpu", precision=name, **options).fit(X, y)
            errors.append(float(np.sqrt(np.mean((model.predict(test) - truth) ** 2))))
        usual = usual or np.array(errors)
        ratio = np.array(errors) / usual
        print(f"| {name} | {np.mean(errors):.1f} | {ratio.mean():.4f} ± {ratio.std():.4f} |", flush=True)


def show_fits(devices: list[str]) -> None:
    print("| fit of 43,152 diamonds | device | first, s | again, s | million rows answered per second |")
    print("|---|---|---|---|---|")
    X, y, test, _ = _diamonds()
    many = test[np.arange(2**19) % len(test)]
    wide = {
        "hidden_layer_sizes": (2048, 2048),
        "batch_size": 4096,
        "max_iter": 20,
        "learning_rate_init": 1e-3,
    }
    for name, options in (("default", {}), ("2 × 2,048, batch 4,096, 20 epochs", wide)):
        for device in devices:
            if device == "cpu" and options:
                continue  # takes an hour
            seconds = []
            for _ in range(2):
                start = time.perf_counter()
                model = DeepRegressor(random_state=0, device=device, **options).fit(X, y)
                seconds.append(time.perf_counter() - start)
            rate = len(many) / _seconds(lambda model=model: model.predict(many), 1) / 1e6
            print(f"| {name} | {device} | {seconds[0]:.1f} | {seconds[1]:.1f} | {rate:.2f} |", flush=True)


def _diamonds() -> tuple[Any, Any, Any, Any]:
    """Four fifths to learn from, the rest to be asked."""
    table = read_table(str(Path(__file__).parents[1] / "examples" / "diamonds.parquet"))
    places = np.random.default_rng(0).permutation(len(table))
    learn, test = table[places[len(table) // 5 :]], table[places[: len(table) // 5]]
    return learn.drop("price"), learn["price"], test.drop("price"), test["price"].to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7, help="epochs of each peer (default 7)")
    parser.add_argument("--no-torch", action="store_true", help="leave PyTorch out")
    parser.add_argument("--quick", action="store_true", help="one small shape, to see whether it runs")
    arguments = parser.parse_args()
    gpu = jax.default_backend() == "gpu"
    top = limits(arguments.quick)
    print(f"{jax.devices()[0].device_kind}, JAX {jax.__version__}")
    print("; ".join(f"{name} {value / 1e12:.1f} T/s" for name, value in top.items()), flush=True)
    shapes = SHAPES[:1] if arguments.quick else SHAPES
    print()
    show_steps(shapes, top, arguments.turns, not arguments.no_torch)
    if gpu:
        print()
        show_precisions(shapes[-4:], arguments.turns)
        print()
        show_fits(["gpu"] if arguments.quick else ["gpu", "cpu"])
        print()
        show_accuracy(1 if arguments.quick else 3)


if __name__ == "__main__":
    main()
