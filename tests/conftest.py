"""What all tests share: run-time shape checks, strict broadcasting, and one way to draw examples.

The import hook has to be in place before chainrule is imported, hence the order here.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from jaxtyping import install_import_hook

# With the numeric tower of PEP 484, as type checkers have it: an int is a float.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook(["chainrule.mathematics", "chainrule.network"], CHECKER)

# Compiled programs of the tests stay out of the user's cache, in a folder that all processes of a run share.
_CACHE = None
if "PYTEST_XDIST_WORKER" not in os.environ:
    _CACHE = tempfile.TemporaryDirectory(prefix="chainrule-tests-")
    os.environ["CHAINRULE_CACHE"] = _CACHE.name

import jax  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from chainrule.mathematics import loss as losses  # noqa: E402
from chainrule.mathematics.loss import Loss  # noqa: E402
from chainrule.network import programs  # noqa: E402

_MOST_AREAS = 15_000  # Linux ends a process at 65,530
programs.MOST = 1_000_000  # tests have other programs too: all are bounded below

jax.config.update("jax_numpy_rank_promotion", "raise")  # an (n,) − (n, 1) must not become (n, n)

# The same examples in every run; `pytest --hypothesis-profile explore` looks for new ones.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, database=None, **_COMMON)
settings.register_profile("explore", max_examples=500, **_COMMON)
settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Programs of tests run for a millisecond; with the long tests all are compiled as users have them."""
    quick = config.option.markexpr == "not long"
    jax.config.update("jax_disable_most_optimizations", quick)
    if quick:  # read where the first program is compiled, also in the processes that tests start
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_use_fusion_emitters=false".strip()


def pytest_unconfigure() -> None:
    if _CACHE is not None:
        _CACHE.cleanup()


def _compiler(quick: bool) -> Iterator[None]:
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", quick)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="module")
def quick_compiler() -> Iterator[None]:
    """What XLA would do to make a program fast is left out, in a run with the long tests too."""
    yield from _compiler(True)


@pytest.fixture(scope="module")
def usual_compiler() -> Iterator[None]:
    """XLA makes programs fast as it does for users: for tests of every bit."""
    yield from _compiler(False)


@pytest.fixture(scope="module", autouse=True)
def _few_programs() -> Iterator[None]:
    """Compiled programs are given up in time: each takes areas of memory, of which a process has few."""
    yield
    areas = Path("/proc/self/maps")
    if areas.exists() and areas.read_bytes().count(b"\n") > _MOST_AREAS:
        jax.clear_caches()


@pytest.fixture
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def _draw_targets(loss: Loss, rows: int, targets: int, seed: int = 0) -> np.ndarray:
    numbers = np.random.default_rng(seed)
    shape = (rows, targets)
    if loss.domain is losses.NON_NEGATIVE:
        return numbers.poisson(1.5, shape).astype(float)
    if loss.domain is losses.POSITIVE:
        return numbers.gamma(2.0, 1.0, shape) + 0.01
    if loss.domain is losses.PROBABILITY:
        return numbers.integers(0, 2, shape).astype(float)
    if loss.domain is losses.DISTRIBUTION:
        return np.eye(targets)[numbers.integers(0, targets, rows)]
    assert loss.domain is losses.REAL
    return numbers.normal(size=shape)


@pytest.fixture(scope="session")
def draw_targets() -> Callable[..., np.ndarray]:
    """(loss, rows, targets, seed) to targets of the loss's domain, as a table would hold them."""
    return _draw_targets
