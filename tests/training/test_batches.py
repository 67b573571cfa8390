import numpy as np
import pytest

from chainrule.training.batches import blocks_of, judged, order, padded, put


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
    np.testing.assert_array_equal(table.weight[:3], [1, 2, 3])
    assert not np.asarray(table.weight[3:]).any()
    assert table.x.dtype == np.float32


@pytest.mark.parametrize("members", [None, 2])
def test_rows_that_judge_weigh_1_on_average_and_unused_places_nothing(members):
    parts = [np.array([3, 4]), np.array([1, 2, 5])][: members or 1]
    weight = np.arange(6.0)
    laid = judged(parts, weight, members)
    rows, weights = (np.asarray(array).reshape(len(parts), -1) for array in laid)
    for k, part in enumerate(parts):
        np.testing.assert_array_equal(rows[k, : len(part)], part)
        np.testing.assert_allclose(weights[k, : len(part)], weight[part] / weight[part].mean())
        assert not weights[k, len(part) :].any()
    assert laid.rows.ndim == (2 if members is None else 3)


@pytest.mark.parametrize("batch_size", [1, 7, 32, 1000])
def test_order_has_every_row_once_and_fills_up_with_padding(batch_size):
    rows, room = np.arange(100, 150), 160
    places = order(rows, room, batch_size, np.random.default_rng(0))
    assert places.shape[2] == batch_size
    assert places.shape[:2] == blocks_of(room, batch_size)
    flat = places.ravel()
    np.testing.assert_array_equal(np.sort(flat[:50]), rows)
    assert (flat[:50] != rows).any()
    assert (flat[50:] == room - 1).all()  # the last padding row, whose weight is 0


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
@pytest.mark.parametrize("batch_size", [1, 32, 256, 5_000, 100_000])
def test_blocks_hold_all_steps_and_hardly_more(platform, batch_size, monkeypatch):
    monkeypatch.setattr("chainrule.network.devices.platform", lambda: platform)
    for room in (8, 100, 1_000, 99_999):
        blocks, block = blocks_of(room, batch_size)
        steps = -(-room // batch_size)
        assert steps <= blocks * block < steps + blocks
        assert block <= (8 if platform == "cpu" else 32)
        assert block == 1 or batch_size * block <= (8 * batch_size if platform == "cpu" else 65_536)


def test_order_without_a_generator_keeps_the_rows():
    flat = order(np.arange(20), padded(20), 8, None).ravel()
    np.testing.assert_array_equal(flat[:20], np.arange(20))


def test_order_has_one_shape_for_tables_of_one_padded_size():
    assert len({order(np.arange(rows), padded(rows), 32, None).shape for rows in (200, 201)}) == 1
