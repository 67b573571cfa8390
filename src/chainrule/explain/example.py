"""Weights and a row for a network that has none."""

from functools import partial

import jax
import numpy as np

from chainrule.explain.asked import checked_seed
from chainrule.mathematics.loss import DISTRIBUTION, NON_NEGATIVE, POSITIVE, PROBABILITY
from chainrule.network import propagation
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.training import compilation_cache


def drawn(network: Network, seed: int) -> Parameters:
    """Draw as ``network.initialize(seed)`` does, to rounding, by one program, which starts sooner."""
    checked = checked_seed(seed)
    compilation_cache.switch_on()
    return _drawn(network, checked)


@partial(jax.jit, static_argnums=0)
def _drawn(network: Network, seed: jax.Array) -> Parameters:
    return propagation.initialize(network.layers, jax.random.key(seed), network.sizes[0])


def example_row(network: Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw x of shape (1, m) and y of shape (1, targets), two digits each, y as the loss admits it."""
    numbers = np.random.default_rng(seed)
    x = numbers.normal(size=(1, network.sizes[0])).round(2)
    y = numbers.normal(size=(1, network.targets)).round(2)
    domain = network.loss.domain
    if domain is DISTRIBUTION:
        y = np.eye(network.targets)[[int(numbers.integers(network.targets))]]
    elif domain is PROBABILITY:
        y = (y > 0).astype(float)
    elif domain in (NON_NEGATIVE, POSITIVE):
        y = np.abs(y) + 0.5
    return x, y
