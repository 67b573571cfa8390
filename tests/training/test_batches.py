import numpy as np
import pytest

from chainrule.training.batches import BLOCK, order, padded, put


@pytest.mark.parametrize("least", [1, 256])
def test_padded_sizes_are_few_and_close_to_the_rows(least):
    sizes = [padded(rows, least) for rows in range(1, 5000)]
    assert all(size > rows and size % least == 0 for rows, size in enumerate(sizes, start=1))
    assert sizes == sorted(sizes)
    if least == 1:
        assert all(size <= 1.25 * rows for rows, size in enumerate(sizes, start=1) if rows >= 64)
        assert len(set(sizes)) < 80


def test_folds_of_a_cross_validation_share_a_size():
    assert len({padded(1000 - fold) for fold in (200, 201)}) == 1


def test_put_pads_with_rows_of_weight_0():
    x, y = np.arange(6.0, dtype=np.float32).reshape(3, 2), np.ones((3, 1), np.float32)
    table = put(x, y, np.array([1.0, 2.0, 3.0]))
    assert table.rows == 3
    assert table.x.shape[0] == table.y.shape[0] == table.weight.shape[0] == padded(3)
    np.testing.assert_array_equal(table.x[:3], x)
    np.testing.assert_array_equal(table.x[3:], np.repeat(x[:1], padded(3) - 3, axis=0))
    np.testing.assert_allclose(table.weight[:3], [0.5, 1, 1.5])
    assert not np.asarray(table.weight[3:]).any()
    assert table.x.dtype == np.float32


def test_weights_have_mean_1_and_are_1_by_default():
    x = np.zeros((4, 1), np.float32)
    assert np.asarray(put(x, x, np.array([1e6, 3e6, 0, 0])).weight[:4]).mean() == 1
    np.testing.assert_array_equal(put(x, x, None).weight[:4], np.ones(4))


@pytest.mark.parametrize("batch_size", [1, 7, 32, 1000])
def test_order_has_every_row_once_and_fills_up_with_padding(batch_size):
    rows = 50
    x = np.zeros((rows, 1), np.float32)
    table = put(x, x, None)
    places = order(table, batch_size, np.random.default_rng(0))
    assert places.shape[2] == batch_size
    assert places.shape[1] <= BLOCK
    flat = places.ravel()
    np.testing.assert_array_equal(np.sort(flat[:rows]), np.arange(rows))
    assert (flat[:rows] != np.arange(rows)).any()
    assert (flat[rows:] == rows).all()  # the first padding row, whose weight is 0
    assert float(table.weight[rows]) == 0


def test_order_without_a_generator_keeps_the_rows():
    x = np.zeros((20, 1), np.float32)
    flat = order(put(x, x, None), 8, None).ravel()
    np.testing.assert_array_equal(flat[:20], np.arange(20))


def test_order_has_one_shape_for_tables_of_one_padded_size():
    tables = [
        put(np.zeros((rows, 1), np.float32), np.zeros((rows, 1), np.float32), None) for rows in (200, 201)
    ]
    assert len({order(table, 32, None).shape for table in tables}) == 1
