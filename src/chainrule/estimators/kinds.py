"""Two kinds of members where rows are few: those that see numbers in bins too, and smooth ones that do not.

Bins let a network learn jagged targets, and the noise of few rows. Which kind suits a table is said by the
rows that the members did not learn from. A smooth member is the same network with its bins stretched by 0:
where the rate of a stretch is in proportion to it, there they stay, and one program learns both kinds.
"""

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.network.embedding_layers import Parallel, PiecewiseLinear
from chainrule.network.network import Network
from chainrule.network.parameters import Entry, Parameters, Stretches

_MUCH = 0.1  # of the loss: twins that are so much better do not need the others


def has_bins(network: Network) -> bool:
    """Whether some columns are told in bins that a stretch of 0 would hide."""
    first = network.layers[0]
    return isinstance(first, Parallel) and any(_in_bins(maps) for _, maps in first.parts)


def with_smooth_twins(network: Network, parameters: Parameters) -> Parameters:
    """For each member, along the leading axis, a smooth one that begins the same: the second half."""
    embedding = network.layers[0]
    assert isinstance(embedding, Parallel)
    parts = embedding.with_parameters(parameters[0])  # type: ignore[arg-type]
    hidden = tuple(_hidden(entry) if _in_bins(maps) else entry for _, maps, own in parts for entry in own)
    twins = (hidden, *parameters[1:])
    both: Parameters = jax.tree.map(lambda *leaves: np.concatenate(leaves), parameters, twins)
    return both


def are_smooth(network: Network, parameters: Parameters) -> np.ndarray:
    """Which members, along the leading axis, do not see the bins: (members,) booleans."""
    smooth = np.full(jax.tree.leaves(parameters)[0].shape[0], has_bins(network))
    first = network.layers[0]
    if isinstance(first, Parallel):
        for _, maps, own in first.with_parameters(parameters[0]):  # type: ignore[arg-type]
            if _in_bins(maps):
                smooth &= (np.asarray(own[-1].stretch) == 0).all(axis=1)  # type: ignore[union-attr]
    return smooth


def better(losses: np.ndarray) -> slice:
    """The members to keep, of whom the second half is smooth, by the least loss that each had on rows unseen.

    The smooth ones join where they are no worse in the mean, and stay alone where a tenth better: a mean
    of members takes more away from the error of the others, which differ more among themselves.
    """
    half = len(losses) // 2
    usual, smooth = np.minimum([losses[:half].mean(), losses[half:].mean()], np.finfo(np.float64).max)
    if usual - smooth >= _MUCH * abs(usual):
        return slice(half, None)
    return slice(None) if smooth <= usual else slice(half)


def _in_bins(maps: tuple[object, ...]) -> bool:
    return len(maps) == 2 and isinstance(maps[0], PiecewiseLinear)


def _hidden(entry: Entry | Parameters) -> Entry | Parameters:
    return entry._replace(stretch=jnp.zeros_like(entry.stretch)) if isinstance(entry, Stretches) else entry
