import re
from html.parser import HTMLParser

import jax
import pytest

from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layers import Activate
from chainrule.network.network import Network, shapes

NETWORKS = {
    "linear": Network((4, 2)),
    "plain": Network((4, 16, 8, 1), "relu"),
    "without bias": Network((3, 5, 2), "tanh", bias=False),
    "all": Network((4, 6, 6, 6, 2), ["silu", "relu", "silu"], layer_norm=True, residual=True, dropout=0.25),
    "large": Network((1200, 2048, 10), "gelu", "softmax_cross_entropy"),
    "embedded": Network(
        (1004, 5, 1),
        "relu",
        embedding=[
            (1000, ()),
            (2, Periodic(4, 3)),
            (1, (PiecewiseLinear(8), Rescale(), Activate(ACTIVATIONS["tanh"]))),
            (1, Lookup((70,), 2)),
        ],
    ),
    "formula": Network((2, 3, 1), "where(z > 0, z, z/9)", "(y_hat - y)**2"),
}
EVERY = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def size(network):
    return sum(leaf.size for leaf in jax.tree.leaves(shapes(network)))


@EVERY
def test_the_counts_sum_to_the_total(network):
    title, head, *rows, total = repr(network).splitlines()
    assert title.startswith("Network " + "-".join(map(str, network.sizes)))
    assert head.split() == ["map", "output", "parameters", "count"]
    counts = [re.search(r"  ([\d,]+)$", row) for row in rows if re.search(r"W |gain |V |E |stretch ", row)]
    assert sum(int(found[1].replace(",", "")) for found in counts) == size(network)
    assert total == f"{size(network):,} parameters"


def test_a_network_as_a_reader_sees_it():
    assert repr(NETWORKS["plain"]).splitlines() == [
        "Network 4-16-8-1, relu, loss squared_error",
        "map     output  parameters    count",
        "x       4",
        "affine  16      W 16×4, b 16     80",
        "relu    16",
        "affine  8       W 8×16, b 8     136",
        "relu    8",
        "affine  1       W 1×8, b 1        9",
        "225 parameters",
    ]


def test_an_embedding_as_a_reader_sees_it():
    assert repr(NETWORKS["embedded"]).splitlines() == [
        "Network 1004-5-1, relu, loss squared_error",
        "map                           output  parameters                                count",
        "x                             1,004",
        "embedding                     1,016",
        "  1,000 columns as they are   1,000",
        "  2 columns: periodic         6       frequency 2×4, phase 2×4, V 2×2×4, c 2×2     36",
        "  1 column: piecewise linear  8",
        "    rescale                   8       stretch 8, offset 8                          16",
        "    tanh                      8",
        "  1 column: lookup            2       E 128×2                                     256",
        "affine                        5       W 5×1016, b 5                             5,085",
        "relu                          5",
        "affine                        1       W 1×5, b 1                                    6",
        "5,399 parameters",
    ]


def test_every_kind_of_map_is_shown():
    text = repr(NETWORKS["all"])
    assert "Network 4-6-6-6-2, silu and relu, loss squared_error" in text
    assert text.count("affine") == 4
    assert text.count("layer norm") == text.count("gain 6, shift 6") == 3
    assert text.count("dropout 0.25") == 3
    assert text.count("residual: input +") == 2
    assert len(re.findall(r"^  affine .* W 6×6, b 6 +42$", text, re.MULTILINE)) == 2  # indented, inside


def test_other_words_for_other_networks():
    assert "linear, loss squared_error" in repr(NETWORKS["linear"])
    assert "b " not in repr(NETWORKS["without bias"]).replace("tanh", "")
    assert "2,480,138 parameters" in repr(NETWORKS["large"])
    assert "2048×1200" in repr(NETWORKS["large"])


class Table(HTMLParser):
    """The cells of a table, row by row; raises where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.caption = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "caption":
            self.caption += data
        else:
            self.rows[-1][-1] += data


@EVERY
def test_the_notebook_shows_the_same(network):
    table = Table(network._repr_html_())
    title, _, *lines, total = repr(network).splitlines()
    assert table.caption == title
    assert table.rows[0] == ["map", "output", "parameters", "count"]
    assert table.rows[-1] == [total]
    body = [" ".join(" ".join(row).split()) for row in table.rows[1:-1]]
    assert body == [" ".join(line.split()) for line in lines]


def test_a_formula_is_escaped():
    assert "z &gt; 0" in NETWORKS["formula"]._repr_html_()
    assert "where(z > 0" in repr(NETWORKS["formula"])
