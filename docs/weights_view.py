"""Writes weights_view.html, the tutorial "Deep learning from a weight's point of view".

Every formula and every number on the page comes out of the library while the page is built, and the Python
on the page is the Python that made it.
"""

import itertools
from contextlib import redirect_stdout
from io import StringIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from weights_view_pictures import lines, paths, sigma, tangent

import chainrule
from chainrule.explain.asked import Asked
from chainrule.explain.derivation import Derivation
from chainrule.explain.documents import STYLE, html_formula, html_legend, html_lines
from chainrule.explain.elementwise import Elementwise
from chainrule.explain.example import drawn, example_row
from chainrule.explain.terms import (
    BACKWARD,
    FORWARD,
    WEIGHT,
    Call,
    Equation,
    Formula,
    Line,
    Matrix,
    Number,
    Partial,
    Product,
    Symbol,
    Table,
    Words,
)
from chainrule.explain.text import number, plain
from chainrule.explain.witness import along_line
from chainrule.network.parameters import count
from chainrule.report.document import document
from chainrule.report.texts import esc

HERE = Path(__file__).parent
TITLE = "Deep learning from a weight’s point of view"
WEIGHT_NAME = "W1[2,1]"
SIZES, DEEP = "3-4-4-2", "2-4-4-4-4-4-4-4-4-1"

_STYLE = """
.eyebrow { margin-top: 0; } ol.contents { columns: 2 18rem; font-size: 0.9375rem; } section > p { margin-top: 1rem; }
pre.says { background: none; border-left: 3px solid var(--line); border-radius: 0; margin-top: -0.5rem; }
figure { margin: 1.5rem 0; } svg .line.three { stroke: var(--backward); }
svg .point.unit { stroke: var(--ink); stroke-width: 13; }
.key { margin-right: 1.2rem; font-weight: 600; }
.key.one { color: var(--blue); } .key.two { color: var(--orange); } .key.three { color: var(--backward); }
"""


class Page:
    """The page as it grows, and the names that its Python has made so far."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.titles: list[str] = []
        self.body = ""

    def __getitem__(self, name: str) -> Any:
        return self.names[name]

    def section(self, title: str) -> None:
        """Begin a section."""
        self.titles.append(title)
        count = len(self.titles)
        end = "</section>" if count > 1 else ""
        self.body += f'{end}<section><h2 id="s{count}">{count}. {title}</h2>'

    def say(self, *paragraphs: str) -> None:
        """Sentences, as HTML."""
        self.body += "".join(f"<p>{text}</p>" for text in paragraphs)

    def show(self, *shown: Line) -> None:
        """Equations, tables and curves."""
        self.body += html_lines(shown)

    def add(self, html: str) -> None:
        """What is HTML already."""
        self.body += html

    def python(self, code: str, *, silent: bool = False) -> str:
        """Run the code, as the reader can; gives it as HTML with what it prints."""
        said = StringIO()
        with redirect_stdout(said):
            exec(compile(code, "weights_view.html", "exec"), self.names)
        shown = f'<pre><code class="python">{esc_lines(code.strip())}</code></pre>'
        if silent:
            return shown
        return f'{shown}<pre class="says"><code>{esc_lines(said.getvalue().rstrip())}</code></pre>'


def esc_lines(text: str) -> str:
    """Any text as HTML, line by line."""
    return "\n".join(map(esc, text.splitlines()))


def shell(*commands: str) -> str:
    """Commands for a terminal."""
    return f'<pre><code class="shell">{esc_lines(chr(10).join(commands))}</code></pre>'


def symbol(letter: str, layer: int | str | None = None, *index: int) -> Symbol:
    """A symbol with the role of its letter."""
    role = WEIGHT if letter in "Wbw" else BACKWARD if letter in "δL" else FORWARD
    return Symbol(letter, layer, index, role)


def s(letter: str, layer: int | str | None = None, *index: int) -> str:
    """A symbol within a sentence."""
    return html_formula(symbol(letter, layer, *index))


def slope(of: Formula, by: Formula) -> str:
    """∂u/∂v within a sentence."""
    return html_formula(Partial(of, by))


def found(derivation: Derivation, section: str) -> tuple[Line, ...]:
    """The lines of the section whose title begins or ends so."""
    return next(
        part.lines
        for part in derivation.sections
        if part.title.startswith(section) or part.title.endswith(section)
    )


def pick(derivation: Derivation, section: str, *left: str) -> list[Equation]:
    """Those equations of a section that begin with these left sides, in this order."""
    equations = [line for line in found(derivation, section) if isinstance(line, Equation)]
    return [next(e for e in equations if plain(e.sides[0]) == name) for name in left]


def table_of(derivation: Derivation, section: str) -> Table:
    """The first table of a section."""
    return next(line for line in found(derivation, section) if isinstance(line, Table))


def columns(table: Table) -> dict[str, np.ndarray]:
    """The numbers of a table by the heads of its columns."""
    values = zip(*table.rows, strict=True)
    return {
        plain(head): np.array([cell.value for cell in column if isinstance(cell, Number)])
        for head, column in zip(table.head, values, strict=True)
    }


def array(name: Symbol, values: Any) -> Equation:
    """A matrix or vector with its numbers."""
    rows = np.atleast_2d(np.asarray(values, np.float64)).tolist()
    return Equation((name, Matrix(tuple(tuple(map(Number, row)) for row in rows))))


def moved(page: Page, steps: Any) -> np.ndarray:
    """The loss of the small network with the weight moved by each of these steps."""
    asked = Asked(page["network"], page["parameters"], page["x"], page["y"], None, "L", 1, None)
    return along_line(asked.subject, asked.direction(asked.place(WEIGHT_NAME)), np.asarray(steps))


def of_sizes(sizes: str, weight: str, activation: str = "tanh") -> Derivation:
    """What ``chainrule derive SIZES`` derives."""
    network = chainrule.Network(tuple(map(int, sizes.split("-"))), activation=activation)
    x, y = example_row(network, 0)
    return chainrule.derive(network, drawn(network, 0), x, y, weight)


def a_vector_and_a_map(page: Page) -> None:

    code = page.python(
        """
import numpy as np
import chainrule
from chainrule.network.parameters import Weights

network = chainrule.Network((2, 2, 1), activation="tanh", loss="squared_error")
parameters = (
    Weights(W=np.array([[0.5, -1.0], [0.5, 0.5]]), b=np.array([0.25, -1.0])),
    Weights(W=np.array([[1.0, 2.0]]), b=np.array([0.5])),
)
x, y = np.array([2.0, 1.0]), np.array([1.0])
d = chainrule.derive(network, parameters, x, y, "W1[2,1]")
print(d)
""",
        silent=True,
    )
    d, first = page["d"], page["parameters"][0]
    x = page["x"]
    page.section("A vector and a map")
    page.say(
        f"A kiosk wants to know how much ice cream it will sell. Of a day it knows two numbers: {number(x[0])}, "
        f"the temperature in tens of degrees, and {number(x[1])}, because it is a Sunday. Numbers in a fixed "
        f"order are a <em>vector</em>. This one is called {s('x')}; its entries are counted from 1, and to save "
        "room we write it as a row."
    )
    page.show(*pick(d, "Forward", "x"))
    page.say(
        "A <em>map</em> makes a new vector of it. The maps of deep learning are the simplest that there are: each "
        f"new number is a sum of the old ones, each multiplied by a <em>weight</em>, plus a <em>bias</em>. The "
        f"weights stand in a table {s('W', 1)}, a row for each new number, a column for each old one; the biases "
        f"stand in {s('b', 1)}. The raised (1) says that they belong to the first layer."
    )
    page.show(array(symbol("W", 1), first.W), array(symbol("b", 1), first.b))
    other = chainrule.derive(page["network"], page["parameters"], x, page["y"], "W1[1,1]")
    page.show(*pick(other, "Forward", "z¹[1]"), *pick(d, "Forward", "z¹[2]", "z¹"))
    page.say(
        f"The last line says the same as the two above it: {html_formula(Product((symbol('W', 1), symbol('x')), ''))} "
        "is short for “multiply and add, row by row”.",
        f"We shall follow one weight through this whole page: {s('W', 1, 2, 1)}, which carries input 1 to unit 2. "
        f"It is {number(first.W[1, 0])} now. Here is the day, and all that will be said about it, in Python:",
    )
    page.add(code)


def one_unit(page: Page) -> None:

    d = page["d"]
    code = page.python('print(network.trace(parameters, x[None], y[None])["h1"].round(4))')
    page.section("One unit: a number that bends")
    page.say(
        "Two such maps one after another are only another such map: sums of sums are sums. To say more than “so "
        f"much per degree”, something must bend. So each {s('z')} goes through a fixed curve, the "
        "<em>activation</em> σ. What comes out is called <em>h</em>, for hidden; the number that is summed up and "
        "then bent is a <em>unit</em>."
    )
    page.show(*pick(d, "Forward", "σ(z)", "h¹[2]", "h¹"))
    curve = Elementwise(chainrule.ACTIVATIONS["tanh"])
    z = np.linspace(-3, 3, 121)
    at = np.array([side.value for side in matrix_of(pick(d, "Forward", "z¹")[0])])
    page.add(
        sigma(
            z, curve(z), curve.slope(z), at, curve(at),
            f"tanh and its slope; the dots are our two units, at z = {number(at[0])} and {number(at[1])}.",
        )
    )  # fmt: skip
    page.say(
        "Near 0 the curve passes on what it gets; far out it hardly moves any more. How steep it is will matter "
        f"soon: at {number(at[1])} its slope is {number(curve.slope(at)[1])}."
    )
    page.add(code)


def matrix_of(equation: Equation) -> list[Number]:
    """The numbers of the vector that ends an equation."""
    last = equation.sides[-1]
    cells = last.rows[0] if isinstance(last, Matrix) else (last,)
    return [cell for cell in cells if isinstance(cell, Number)]


def network_and_loss(page: Page) -> None:

    d, y = page["d"], page["y"]
    code = page.python("print(network.predict(parameters, x[None]).round(4))")
    loss = pick(d, "Forward", "L")[0]
    page.section("Forward: layers, a prediction, a loss")
    page.say(
        "A <em>layer</em> is a map and its bend; a <em>network</em> is layers one after another. Ours has one hidden "
        f"layer; a second map makes the prediction {s('ŷ')} of its two numbers. The whole way is called the "
        "forward pass:"
    )
    page.show(*pick(d, "Forward", "x", "z¹", "h¹", "ŷ"))
    y_hat = matrix_of(pick(d, "Forward", "ŷ")[0])[0].value
    page.say(
        f"It says {number(y_hat)}. In truth the kiosk sold {number(y[0])}, in thousands of cones: the "
        f"<em>target</em> {html_formula(Symbol('y'))}. One number says how wrong that is, the <em>loss</em>; here it "
        "is the square of the difference:"
    )
    page.show(loss)
    page.say(
        "To learn means: change the weights so that the loss becomes smaller. Which weights, which way, and how "
        "far? That is the question of this page, and it is enough to ask it for one weight."
    )
    page.add(code)


def loss_of_one_weight(page: Page) -> None:

    d = page["d"]
    code = page.python('print(f"{d.derived:.4f}")')
    w = float(page["parameters"][0].W[1, 0])
    steps = np.array([1, 0.1, 0.01, 0.001])
    here, there = float(moved(page, [0.0])[0]), moved(page, steps)
    page.section("What the loss knows of one weight")
    page.say(
        f"Let all other weights rest, and call ours {s('w')}. Then everything that it does not reach is a plain "
        "number, and the loss is a function of a single number, as at school:"
    )
    page.show(*pick(d, "L in terms", "W¹[2,1]", "z¹[2]", "h¹[2]", "ŷ[1]", "L"))
    page.say("Put into each other, the prediction as a function of the weight:")
    page.show(*pick(d, "L in terms", "ŷ[1](w)"))
    far = np.linspace(-1.25, 1.25, 101)
    page.add(
        tangent(
            w + far, moved(page, far), w, here, d.derived,
            f"The loss as a function of our weight. It is now {number(w)}; there the loss is {number(here)} and the "
            f"tangent’s slope {number(d.derived)}.",
        )
    )  # fmt: skip
    page.say(
        f"What we want to know is the slope at {number(w)}: by how much the loss moves for each unit that the weight "
        f"moves. Written {slope(symbol('L'), symbol('W', 1, 2, 1))}, with round ∂ because all others rest, it is the "
        "<em>derivative</em>. One can try it out: move the weight by <em>h</em> and divide."
    )
    rows = [
        tuple(map(Number, (h, L, (L - here) / h)))
        for h, L in zip(steps.tolist(), there.tolist(), strict=True)
    ]
    page.show(Table((Words("h"), Words("L(w + h)"), Words("(L(w + h) − L(w)) / h")), tuple(rows)))
    page.say(
        f"The quotient settles towards {number(d.derived)}. The sign tells the way: where the slope is above 0, the "
        "weight must become smaller. But trying costs a whole forward pass for each weight, and gives the slope only "
        "roughly. There is a better way."
    )
    page.add(code)


def one_path(page: Page) -> None:

    d = page["d"]
    page.section("The chain rule along one path")
    page.say(
        f"Our weight moves {s('z', 1, 2)}, that moves {s('h', 1, 2)}, that moves {s('ŷ')}, and that moves the loss: a "
        "chain of four. If the first turns the second twice as fast, and the second the third three times as fast, "
        "the first turns the third six times as fast. Along a chain, slopes multiply: this is the <em>chain rule</em>."
    )
    asked = Asked(page["network"], page["parameters"], page["x"], page["y"], None, "L", 1, None)
    facts = asked.facts(asked.place(WEIGHT_NAME), 0.0, False, None)
    chain = [symbol("ŷ"), symbol("h", 1, 2), symbol("z", 1, 2), symbol("W", 1, 2, 1)]
    stations = {plain(station.whole): station for station in facts.chain.stations}
    speeds = [
        float(facts.values[stations[name]].first[0, k]) for name, k in (("ŷ", 0), ("h¹", 1), ("z¹", 1))
    ] + [1.0]
    first = float(facts.deltas[stations["ŷ"]][0, 0])
    factors = [first, *(a / b for a, b in itertools.pairwise(speeds))]
    symbols = [Partial(u, v) for u, v in zip([symbol("L"), *chain], chain, strict=False)]
    whole = Partial(symbol("L"), chain[-1])
    page.show(
        Equation(
            (whole, Product(tuple(symbols)), Product(tuple(map(Number, factors))), Number(prod(factors)))
        )
    )
    page.say("Each factor is easy on its own. From the loss down to the weight:")
    page.show(*[line for line in found(d, "The chain rule") if isinstance(line, Equation)])
    page.say(
        f"The square has the slope {html_formula(pick(d, 'The chain rule', 'δ²[1]')[0].sides[2])}. A map answers to "
        "each of its inputs by the weight that carries it. The bend has the slope of tanh. And the first map answers "
        f"to our weight by the input that it carries, {s('x', None, 1)}. The letter δ is a short name, and will earn "
        "its keep below."
    )
    page.add(shell(f'chainrule derive 2-2-1 --activation tanh --weight "{WEIGHT_NAME}"'))


def many_paths(page: Page) -> None:

    d = of_sizes(SIZES, WEIGHT_NAME)
    sizes = tuple(map(int, SIZES.split("-")))
    page.section("Many paths: slopes add")
    page.say(
        f"Now a network with two hidden layers and two outputs, {SIZES.replace('-', '–')}, with weights drawn at "
        f"random. From {s('W', 1, 2, 1)} there is no longer one way to the loss:"
    )
    ways = prod(sizes[2:])
    page.add(
        paths(
            sizes, 1, 0, ("x", "h¹", "h²", "ŷ"),
            f"Through unit 2 of the first layer, {sizes[2]} units of the second, and {sizes[3]} outputs: "
            f"{sizes[2]} · {sizes[3]} = {ways} ways from one weight to the loss.",
        )
    )  # fmt: skip
    page.say("Along each way slopes multiply. What comes in by several ways adds up. Here are all of them:")
    page.show(_all_paths(ways, d))
    page.say(
        f"Their sum, {number(d.derived)}, is the derivative. But look at the rows: each factor stands there several "
        "times. It is cheaper to add up where ways meet. From the outputs down, each line uses what the lines "
        "above it have found:"
    )
    page.show(
        *pick(
            d, "The chain rule", "δ³[1]", "δ³[2]", "∂L/∂h²[1]", "δ²[1]", "∂L/∂h¹[2]", "δ¹[2]", "∂L/∂W¹[2,1]"
        )
    )
    big = 784, 512, 512, 10
    page.say(
        f"(Of the second layer only unit 1 is shown.) In a network {'–'.join(map(str, big))} there are "
        f"{prod(big[2:]):,} ways from each weight of the first layer, and every further layer of {big[1]} has "
        f"{big[1]} times as many. Added up where they meet, a layer costs about as much as its own forward pass."
    )
    page.add(shell(f'chainrule derive {SIZES} --activation tanh --weight "{WEIGHT_NAME}"'))


def _all_paths(ways: int, d: Derivation) -> Table:
    """Every path from the weight of the 3-4-4-2 network, with its product; together they are the derivative."""
    network = chainrule.Network(tuple(map(int, SIZES.split("-"))), activation="tanh")
    x, y = example_row(network, 0)
    asked = Asked(network, drawn(network, 0), x, y, None, "L", 1, None)
    facts = asked.facts(asked.place(WEIGHT_NAME), 0.0, False, None)
    at = {plain(station.whole): station for station in facts.chain.stations}
    bend = Elementwise(network.activations[0]).slope
    top = facts.deltas[at["ŷ"]][0]
    one, two = (bend(facts.values[at[name]].value[0]) for name in ("z¹", "z²"))
    rows: list[tuple[Formula, ...]] = []
    together = 0.0
    for k in range(network.sizes[2]):
        for m in range(network.sizes[3]):
            W2, W3 = asked.arrays["W2"][k, 1], asked.arrays["W3"][m, k]
            factors = list(map(float, (top[m], W3, two[k], W2, one[1], x[0, 0])))
            together += prod(factors)
            way = symbol("h", 2, k + 1), symbol("ŷ", None, m + 1)
            rows.append((*way, Product(tuple(map(Number, factors))), Number(prod(factors))))
    if len(rows) != ways or abs(together - d.derived) > 1e-12:
        raise AssertionError("the paths must add up to the derivative")
    sigma_1 = Call(Symbol("σ′"), (symbol("z", 1, 2),))
    sigma_2 = Call(Symbol("σ′"), (symbol("z", 2, "k"),))  # type: ignore[arg-type]
    head = (
        Words("through"), Words("and"),
        Product((
            Symbol("δ", 3, ("m",), BACKWARD), Symbol("W", 3, ("m", "k"), WEIGHT), sigma_2,
            Symbol("W", 2, ("k", 2), WEIGHT), sigma_1, symbol("x", None, 1),
        )),
        Words("worth"),
    )  # fmt: skip
    return Table(head, (*rows, (Words(""), Words(""), Words("together"), Number(together))))


def delta(page: Page) -> None:

    d = of_sizes(SIZES, WEIGHT_NAME)
    compact = [line for line in found(d, "The compact form") if isinstance(line, Equation)]
    page.section("δ: four equations for every weight")
    page.say(
        f"Nothing above was about our weight until the last line. {s('δ', 1, 2)} says how the loss answers to the sum "
        f"{s('z', 1, 2)}, whoever moves it. So every weight that enters that sum needs the same δ, times its own "
        "input. With all entries of a layer in one vector, four equations say everything; ⊙ multiplies entry by "
        "entry, and ⊤ turns rows into columns:"
    )
    page.show(*compact[:4])
    page.say(
        "This is <em>back-propagation</em>. Forward, a layer multiplies by its table; backward, by the same table "
        "turned over. With the numbers of our row:"
    )
    page.show(*compact[4:])
    page.say(f"Row 2, column 1 is {number(d.derived)}: our weight, one among its neighbours.")
    page.add(
        page.python(
            f"""
deep = chainrule.Network({tuple(map(int, SIZES.split("-")))}, activation="tanh")
row, goal = np.array([[0.13, -0.13, 0.64]]), np.array([[0.1, -0.54]])
_, gradients = deep.backward(deep.initialize(0), row, goal)
print(gradients[0].W.round(4))
"""
        )
    )


def any_depth(page: Page) -> None:

    d = of_sizes(DEEP, "W1[1,1]")
    depth = DEEP.count("-")
    page.section("Any depth")
    page.say(
        f"The second of the four equations leads from any layer to the one before. Nothing new is needed for "
        f"{depth} layers: it is used {depth - 1} times. Here is {DEEP.replace('-', '–')}. Cut it anywhere: what the "
        "values there answer to the weight, times what the loss answers to them, adds up to the same derivative."
    )
    page.show(table_of(d, "The same number"))
    lengths = {
        name: np.array([np.linalg.norm(delta) for delta in _deltas(of_sizes(DEEP, "W1[1,1]", name), depth)])
        for name in ("tanh", "sigmoid")
    }
    shrunk = {name: length[0] / length[-1] for name, length in lengths.items()}
    page.say(
        "Depth has its price: at each layer δ is multiplied by a slope of σ. tanh has slopes up to 1; the sigmoid "
        f"1/(1 + e<sup>−z</sup>) never more than {number(float(Elementwise(chainrule.ACTIVATIONS['sigmoid']).slope(np.zeros(1))[0]))}. "
        "Multiply a few of these, and the first layers hear almost nothing of the loss."
    )
    page.add(
        lines(
            lengths, f"layers back from the output, of {depth}", "length of δ", logarithmic=True,
            caption=f"How long δ is, from the output back to the first layer: with tanh {number(float(1 / shrunk['tanh']))} "
            f"times as long at the first layer as at the output, with the sigmoid {number(float(1 / shrunk['sigmoid']))}.",
        )
    )  # fmt: skip
    page.add(shell(f'chainrule derive {DEEP} --activation sigmoid --weight "W1[1,1]"'))


def _deltas(d: Derivation, depth: int) -> list[list[float]]:
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    names = [f"δ{str(layer).translate(raised)}" for layer in range(depth, 0, -1)]
    return [[cell.value for cell in matrix_of(e)] for e in pick(d, "The compact form", *names)]


def a_batch(page: Page) -> None:

    code = page.python(
        """
table = chainrule.read_table("examples/penguins.csv")
names = ["flipper_length_mm", "bill_length_mm", "body_mass_g"]
numbers = table.select(names).drop_nulls().to_numpy()
scaled = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
X, Y = scaled[:, :2], scaled[:, 2:]
birds = chainrule.Network((2, 4, 1), activation="tanh")
start = birds.initialize(0)
b = chainrule.derive(birds, start, X, Y, "W1[2,1]")
""",
        silent=True,
    )
    b, numbers = page["b"], page["numbers"]
    page.section("From one row to a batch")
    page.say(
        f"One day is no experience. Now take real rows: {len(numbers)} penguins, and guess the weight of each from the "
        "length of its flippers and of its bill. (Each column less its mean, over its spread, so that all numbers are "
        f"of one size.) The first has flippers of {number(numbers[0, 0])} mm, a bill of {number(numbers[0, 1])} mm, and "
        f"weighs {number(numbers[0, 2])} g."
    )
    page.say(
        "Every row goes forward and backward for itself, through the same weights. The loss of a batch is the mean over "
        "its rows, and the derivative of a mean is the mean of the derivatives. That is all that a batch changes:"
    )
    page.show(
        *(line for line in found(b, "From one row") if not plain_text(line).startswith("The loss of a batch"))
    )
    page.say(
        "Rows disagree, and the mean is what they agree on. Where rows are many one takes the mean over a few of them, "
        "drawn anew for each step: it points the same way on average, and costs a fraction. This is the <em>mini-batch</em>."
    )
    page.add(code)


def plain_text(line: Line) -> str:
    """The text of a paragraph."""
    return getattr(line, "text", "")


def whole_gradient(page: Page) -> None:

    code = page.python(
        """
downhill = chainrule.directional(birds, start, X, Y)
print(f"{downhill.derived:.4f}")
"""
    )
    downhill, birds = page["downhill"], page["birds"]
    sizes, weights = birds.sizes, count(page["start"])
    layers = [a * b for a, b in itertools.pairwise(sizes)]
    forward, backward = sum(layers), sum(layers) + sum(layers[1:])
    page.section("The whole gradient, and the way down")
    page.say(
        f"All derivatives together, one for each of the {weights} weights and biases, are the <em>gradient</em> ∇L. One "
        f"backward pass gives them all. For a row, the matrices of this network take {forward} multiplications forward "
        f"and {backward} backward, never more than twice as many; trying out each weight to both sides would take "
        f"{2 * weights} forward passes."
    )
    page.say(
        "Walk all weights at once, and the loss moves by the gradient times the walk, summed over all weights. It rises "
        "fastest along the gradient itself, and falls fastest along −∇L:"
    )
    page.show(*found(downhill, "Down the gradient"))
    page.say("Array by array, what each part of the gradient brings:")
    page.show(table_of(downhill, "Forward: how") if False else _last_table(downhill))
    page.add(code)


def _last_table(d: Derivation) -> Table:
    return next(
        line for part in reversed(d.sections) for line in part.lines
        if isinstance(line, Table) and "⟨∂L/∂array, v⟩" in map(plain, line.head)
    )  # fmt: skip


def a_step(page: Page) -> None:

    d, arguments = page["d"], (page["network"], page["parameters"], page["x"], page["y"], WEIGHT_NAME)
    code = page.python(
        """
d = chainrule.derive(network, parameters, x, y, "W1[2,1]", learning_rate=0.02, steps=5)
print(d.sections[-1].title)
"""
    )
    page.section("A step")
    page.say(
        f"Back to the kiosk. The slope of our weight is {number(d.derived)}; so it should become smaller. By how much is "
        "not told by the slope: it holds only where we are. <em>Gradient descent</em> takes a small step against it, and "
        "looks again. How small is said by the <em>learning rate</em> η:"
    )
    page.show(*[line for line in found(page["d"], "on this weight") if not plain_text(line)])
    rows: list[tuple[Formula, ...]] = []
    rates = 0.01, 0.05, 0.1, 0.2
    for rate in rates:
        walked = columns(table_of(chainrule.derive(*arguments, learning_rate=rate), "on this weight"))
        change = walked["new L"][0] - walked["L"][0]
        promised = -rate * walked["g"][0] ** 2
        rows.append(tuple(map(Number, (rate, walked["new w"][0], walked["new L"][0], change, promised))))
    page.say(
        "What if the first step is longer? The tangent promises ever more; the loss keeps to its own curve, and beyond "
        "some length it rises:"
    )
    head = Symbol("η"), Words("new w"), Words("new L"), Words("change"), Words("promised")
    page.show(Table(head, tuple(rows)))
    page.add(code)


def momentum_and_adam(page: Page) -> None:

    arguments = page["network"], page["parameters"], page["x"], page["y"], WEIGHT_NAME
    code = page.python(
        """
a = chainrule.derive(
    network, parameters, x, y, "W1[2,1]", optimizer="adam", learning_rate=0.02, steps=40
)
"""
    , silent=True)  # fmt: skip
    rates = {"sgd": 0.01, "momentum": 0.01, "adam": 0.02}
    walked = {
        name: chainrule.derive(*arguments, optimizer=name, learning_rate=rate, steps=40)
        for name, rate in rates.items()
    }
    page.section("From gradient descent to momentum and Adam")
    page.say(
        "Gradient descent forgets. <em>Momentum</em> does not: it keeps a velocity, to which each slope adds, as a ball "
        "gathers speed downhill. Where slopes agree it is up to ten times as fast, and it runs past the bottom before it "
        "turns:"
    )
    page.show(*[line for line in found(walked["momentum"], "on this weight") if isinstance(line, Equation)])
    page.say(
        "Weights differ in their slopes by powers of ten, and one rate cannot suit them all. <em>Adam</em> divides the "
        "running mean of the slope by the running size of the slope: a step is then about η long, whatever the scale."
    )
    page.show(*[line for line in found(walked["adam"], "on this weight") if isinstance(line, Equation)])
    adam = table_of(walked["adam"], "on this weight")
    page.say("The first steps of Adam on our weight, with the state that makes each:")
    page.show(Table(adam.head, adam.rows[:4]))
    curves = {}
    for name, derivation in walked.items():
        steps = columns(table_of(derivation, "on this weight"))
        curves[f"{name}, η = {number(rates[name])}"] = np.append(steps["w"][:1], steps["new w"])
    best = float(moved(page, np.linspace(-0.25, 0, 2001)).argmin())
    page.add(
        lines(
            curves, "step", "w",
            f"Our weight over 40 steps. The loss is least at w = {number(float(page['parameters'][0].W[1, 0]) - 0.25 + 0.25 * best / 2000)}.",
        )
    )  # fmt: skip
    page.say(
        "Here all other weights rest, so that one can see what an optimizer does. In training every weight walks at "
        "once, each with its own slope and its own state, by these same lines."
    )
    page.add(code)


def how_you_know(page: Page) -> None:

    code = page.python("print(birds.check_gradients(start, X, Y).ok)")
    d = page["d"]
    page.section("How you know that it is right")
    page.say(
        "A derivation can have a slip in it; a program, too. So the slope is found in three ways that share as little as "
        "can be: by the steps above, by the compiled backward pass that training runs, and by trying out, where nothing "
        "but the forward pass is used. For our weight:"
    )
    if abs(d.derived - d.compiled) > 1e-12 or abs(d.derived - d.finite_difference) > 1e-8:
        raise AssertionError("the three numbers must agree")
    digits = [
        ("by the steps", d.derived, 12),
        ("compiled", d.compiled, 12),
        ("by differences", d.finite_difference, 8),
    ]
    page.show(
        Table(
            (Words("found"), Partial(symbol("L"), symbol("W", 1, 2, 1))),
            tuple((Words(by), Words(f"{value:.{places}g}")) for by, value, places in digits),
        )
    )
    steps = np.array([0.1, 0.01, 0.001])
    central = (moved(page, steps) - moved(page, -steps)) / (2 * steps)
    rows = [
        tuple(map(Number, (h, q, abs(q - d.derived))))
        for h, q in zip(steps.tolist(), central.tolist(), strict=True)
    ]
    page.say(
        "Differences are only near: but to both sides of the weight they come nearer in a way that one can check. "
        "With a tenth of the step, a hundredth of the error:"
    )
    page.show(Table((Words("h"), Words("(L(w + h) − L(w − h)) / 2h"), Words("off by")), tuple(rows)))
    page.say(
        "The same for all weights of the penguins’ network at once, automatic differentiation as a further witness:"
    )
    page.add(code)


def where_next(page: Page) -> None:

    code = page.python(
        """
for epoch in chainrule.train(birds, X, Y, parameters=start, optimizer="adam", epochs=100):
    pass
print(epoch.loss < 0.25)
"""
    )
    page.section("Where to go next")
    page.say(
        "A training is all of this in a loop: rows forward, δ backward, a step for every weight. The spread of the "
        "penguins’ weights is 1 by our scaling, so guessing the mean has a loss of 1; the network leaves less than a "
        "quarter of it:"
    )
    page.add(code)
    page.say("Ask the same questions of other networks, or of your own:")
    page.add(
        shell(
            f'chainrule derive {SIZES} --weight "{WEIGHT_NAME}" --second',
            f'chainrule derive {SIZES} --of "y_hat[1]" --weight "x[2]"',
            f"chainrule derive {SIZES} --activation relu --direction gradient",
            f'chainrule derive {SIZES} --layer-norm --residual --weight "W2[1,1]" --html -o derivation.html',
            "chainrule fit examples/penguins.csv --target species -o penguins.chainrule",
            'chainrule derive penguins.chainrule examples/penguins.csv --row 7 --weight "W1[3,5]"',
        )
    )
    page.say(
        "The first is the bend of the loss instead of its slope; the second says what would change a prediction; the "
        "third walks down the gradient; the fourth has maps of other kinds on the way and writes a page. The last two "
        "learn a model and take one weight of it apart for one row."
    )


SECTIONS = (
    a_vector_and_a_map, one_unit, network_and_loss, loss_of_one_weight, one_path, many_paths, delta, any_depth,
    a_batch, whole_gradient, a_step, momentum_and_adam, how_you_know, where_next,
)  # fmt: skip


def build() -> str:
    """The whole page."""
    page = Page()
    for section in SECTIONS:
        section(page)
    contents = "".join(f'<li><a href="#s{n}">{title}</a></li>' for n, title in enumerate(page.titles, 1))
    head = (
        f'<header><p class="eyebrow">chainrule · a tutorial</p><h1>{TITLE}</h1><p class="lead">Introductions say “now '
        "write the loss in terms of one weight”, begin, and stop. This one goes on: to any number of layers, to a batch "
        "of rows, to Adam. You need school mathematics and a little Python.</p><p>Every formula and every number here was "
        "worked out by chainrule when the page was built, by the lines that you see; run them from the folder of the "
        f'repository, from top to bottom, to get the same.</p><ol class="contents">{contents}</ol>{html_legend()}</header>'
    )
    foot = (
        "<footer><p>Built by docs/weights_view.py. The penguins are those of Horst, Hill and Gorman (2020), CC0. This "
        "page loads nothing and runs no script.</p></footer>"
    )
    return document(TITLE, f"{head}<main>{page.body}</section></main>{foot}", STYLE + _STYLE)


if __name__ == "__main__":
    (HERE / "weights_view.html").write_text(build(), "utf-8")
