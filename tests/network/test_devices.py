from threading import Thread

import jax
import jax.numpy as jnp
import pytest

from chainrule import DeepRegressor
from chainrule.errors import ArgumentError
from chainrule.network.devices import devices_of, insisted, on, platform


def test_without_a_wish_jax_chooses():
    assert devices_of(None) == jax.devices()
    with on(None):
        assert insisted() is None
    assert platform() == jax.default_backend()


def test_within_the_device_is_insisted_upon_by_this_thread():
    seen = []
    with on("cpu"):
        assert insisted() == jax.devices("cpu")[0]
        assert platform() == "cpu"
        assert jnp.ones(1).device == jax.devices("cpu")[0]
        thread = Thread(target=lambda: seen.append(insisted()))
        thread.start()
        thread.join()
    assert insisted() is None
    assert seen == [None]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match=r"device must be one that JAX can use here \(cpu\); got 'gpu'"):
        devices_of("gpu")
    model = DeepRegressor(device="gpu")
    with pytest.raises(ArgumentError, match="device must be one"):
        model.fit([[1.0], [2.0]], [1.0, 2.0])


def test_no_other_kinds():
    with pytest.raises(ArgumentError, match="device must be one of 'cpu', 'gpu', or None; got 'tpu'"):
        devices_of("tpu")
