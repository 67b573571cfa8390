"""Steps per second beside PyTorch and hand-written JAX, in one run: ``python benchmarks/steps.py [--json]``.

Every peer trains the same network (ReLU, squared error, Adam, float32) on the same rows, one epoch a
turn, in turn, so that a noisy machine is noisy for all. Each gathers its batches from the table by a
shuffled order that it is given. A ratio is the median over the turns of the ratio within a turn. JAX is
written as a good user would: ``jax.grad``, optax, and a scanned epoch in one jitted call; it is measured
with W stored as (inputs, outputs) and as (outputs, inputs), and the better of the two counts. PyTorch is
eager, with fused Adam. The matrix-product peak is the best median over square sizes, chained in one
compiled call.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from chainrule import OPTIMIZERS, SCHEDULES, Network
from chainrule.network import devices
from chainrule.training import batches
from chainrule.training.epoch import Counts, Program, begin, run_epoch

SHAPES = [
    ((2, 16, 16, 1), 32, 1000),
    ((10, 64, 64, 1), 128, 400),
    ((32, 256, 256, 256, 1), 256, 40),
    ((784, 512, 512, 10), 128, 96),
    ((1024, 2048, 2048, 10), 512, 16),
]
Turn = Callable[[], None]


def ours(
    sizes: tuple[int, ...],
    batch: int,
    x: np.ndarray,
    y: np.ndarray,
    order: np.ndarray,
    precision: str = "float32",
) -> Turn:
    network = Network(sizes, activation="relu")
    program = Program(
        network,
        OPTIMIZERS["adam"],
        SCHEDULES["constant"],
        None,
        batch,
        precision=precision,
        whole_blocks=devices.platform() != "cpu",
    )
    state = begin(program, network.initialize(0))
    table = batches.put(x, y, np.ones(len(x)))
    plan = np.array([1e-3, 0.0, 0.0, 1e6], np.float32)
    counts = Counts(*map(np.int32, (len(order), order.size, 0, 1)))
    blocks, block = batches.blocks_of(order.size, batch)
    beyond = np.full((blocks * block - len(order), batch), len(x), np.int32)  # a row of weight 0
    places = np.concatenate([order, beyond]).reshape(blocks, block, batch)

    def turn() -> None:
        nonlocal state
        state, report = run_epoch(program, state, table, None, places, plan, counts)
        report.block_until_ready()

    return turn


def hand_written_jax(
    sizes: tuple[int, ...], x: np.ndarray, y: np.ndarray, order: np.ndarray, transposed: bool
) -> Turn:
    numbers = np.random.default_rng(0)
    shapes = [(i, o) if transposed else (o, i) for i, o in pairwise(sizes)]
    parameters = [
        (jnp.asarray(numbers.normal(size=shape) / sizes[0] ** 0.5, jnp.float32), jnp.zeros(o))
        for shape, o in zip(shapes, sizes[1:], strict=True)
    ]
    optimizer = optax.adam(1e-3)
    memory = optimizer.init(parameters)

    def loss(parameters, x, y):
        a = x
        for layer, (W, b) in enumerate(parameters):
            a = (a @ W if transposed else a @ W.T) + b
            if layer < len(parameters) - 1:
                a = jax.nn.relu(a)
        return jnp.square(a - y).sum(axis=1).mean()

    @partial(jax.jit, donate_argnums=(0, 1))
    def epoch(parameters, memory, x, y, order):
        def step(carry, index):
            parameters, memory = carry
            value, gradients = jax.value_and_grad(loss)(parameters, x[index], y[index])
            updates, memory = optimizer.update(gradients, memory)
            return (optax.apply_updates(parameters, updates), memory), value

        return jax.lax.scan(step, (parameters, memory), order)

    x, y, order = jnp.asarray(x), jnp.asarray(y), jnp.asarray(order)

    def turn() -> None:
        nonlocal parameters, memory
        (parameters, memory), losses = epoch(parameters, memory, x, y, order)
        losses.block_until_ready()

    return turn


def torch_model(sizes: tuple[int, ...]) -> Any:
    import torch

    layers: list[torch.nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def pytorch(sizes: tuple[int, ...], x: np.ndarray, y: np.ndarray, order: np.ndarray) -> Turn:
    import torch

    model = torch_model(sizes)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x_all, y_all, rows = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(order.astype(np.int64))

    def turn() -> None:
        for index in rows:
            optimizer.zero_grad(set_to_none=True)
            (model(x_all[index]) - y_all[index]).square().sum(dim=1).mean().backward()
            optimizer.step()

    return turn


def peak(sizes: tuple[int, ...] = (512, 1024, 2048), turns: int = 9) -> float:
    """Floating-point operations per second of float32 matrix products."""
    best = 0.0
    for size in sizes:
        count = max(2, 2048**3 // size**3)
        a = jnp.asarray(np.random.default_rng(0).normal(size=(size, size)) / size**0.5, jnp.float32)
        chained = jax.jit(lambda a, n=count: jax.lax.fori_loop(0, n, lambda _, v: v @ a, a))
        chained(a).block_until_ready()
        seconds = []
        for _ in range(turns):
            start = time.perf_counter()
            chained(a).block_until_ready()
            seconds.append(time.perf_counter() - start)
        best = max(best, 2 * size**3 * count / median(seconds))
    return best


def operations(sizes: tuple[int, ...], batch: int) -> int:
    """Of the matrix products of a step: forward, ∂L/∂W, and ∂L/∂a but for the first map."""
    products = [i * o for i, o in pairwise(sizes)]
    return 2 * batch * (3 * sum(products) - products[0])


def measure(sizes: tuple[int, ...], batch: int, steps: int, turns: int, torch: bool) -> dict[str, np.ndarray]:
    """Seconds per step of each peer, turn by turn."""
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(steps * batch, sizes[0])).astype(np.float32)
    y = numbers.normal(size=(steps * batch, sizes[-1])).astype(np.float32)
    order = numbers.permutation(steps * batch).astype(np.int32).reshape(steps, batch)
    peers = {
        "ours": ours(sizes, batch, x, y, order),
        "jax (outputs, inputs)": hand_written_jax(sizes, x, y, order, transposed=False),
        "jax (inputs, outputs)": hand_written_jax(sizes, x, y, order, transposed=True),
    }
    if torch:
        peers["pytorch"] = pytorch(sizes, x, y, order)
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    for turn in range(turns + 1):
        for name in numbers.permutation(list(peers)):
            time.sleep(0.02)  # let the threads of the one before come to rest
            run = peers[name]
            start = time.perf_counter()
            run()
            if turn:  # the first turn compiles and warms up
                seconds[name].append(time.perf_counter() - start)
    return {name: np.array(times) / steps for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--turns", type=int, default=21, help="epochs of each peer (default 21)")
    parser.add_argument("--no-torch", action="store_true", help="leave PyTorch out")
    parser.add_argument("--shape", type=int, action="append", help="only this shape, 0 to 4; may repeat")
    arguments = parser.parse_args()
    rows = []
    for place in arguments.shape or range(len(SHAPES)):
        sizes, batch, steps = SHAPES[place]
        top = peak()
        times = measure(sizes, batch, steps, arguments.turns, not arguments.no_torch)
        mine, step = times["ours"], float(np.median(times["ours"]))
        layouts = (times["jax (outputs, inputs)"], times["jax (inputs, outputs)"])
        jax_ratio = min(float(np.median(layout / mine)) for layout in layouts)
        torch_ratio = float(np.median(times["pytorch"] / mine)) if "pytorch" in times else None
        rows.append(
            {
                "network": "-".join(map(str, sizes)),
                "batch": batch,
                "microseconds": step * 1e6,
                "ratio_jax": jax_ratio,
                "ratio_pytorch": torch_ratio,
                "gigaflops": operations(sizes, batch) / step / 1e9,
                "share_of_peak": operations(sizes, batch) / step / top,
            }
        )
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print("network                    batch   µs/step   × JAX   × PyTorch   GFLOP/s   of peak")
    for row in rows:
        beside_torch = f"{row['ratio_pytorch']:.2f}" if row["ratio_pytorch"] else "–"
        print(
            f"{row['network']:<25}{row['batch']:>7}{row['microseconds']:>10.1f}{row['ratio_jax']:>8.2f}"
            f"{beside_torch:>12}{row['gigaflops']:>10.0f}{row['share_of_peak']:>10.0%}"
        )


if __name__ == "__main__":
    main()
