"""Learn the price of diamonds, and compare with what any reader understands: ``make demo``.

Leaves in ``demo/``: the model, the learning curve, and a report of the scores.
"""

from pathlib import Path
from time import perf_counter

import matplotlib as mpl
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

import chainrule
from chainrule.tables.writing import atomically

mpl.use("Agg")

HERE = Path(__file__).parent
OUT = HERE.parent / "demo"
TARGET = "price"


def main() -> None:
    """Fit, score, draw, save."""
    console = Console()
    table = chainrule.read_table(HERE / "diamonds.parquet")
    X, y = table.drop(TARGET), table[TARGET].to_numpy()
    training, test = train_test_split(np.arange(len(y)), test_size=0.2, random_state=0)
    console.print(
        f"{len(y):,} diamonds, {X.width} columns, target: {TARGET} in dollars. "
        f"Learning from {len(training):,}, testing on the other {len(test):,}."
    )

    start = perf_counter()
    model = chainrule.DeepRegressor(random_state=0, verbose=True).fit(X[training], y[training])
    seconds = perf_counter() - start
    print(f"Learnt in {seconds:.1f} s, {model.n_iter_} epochs, the best was {model.best_iteration_}.\n")
    console.print(model.network_, highlight=False)

    # The baselines see each category as zeros and ones, and numbers as they are.
    texts = [name for name, dtype in X.schema.items() if dtype == pl.String]
    inputs = X.to_dummies(texts).to_numpy()
    predictions = {"chainrule": model.predict(X[test])}
    baselines = {"linear model": LinearRegression(), "mean of the training rows": DummyRegressor()}
    for name, baseline in baselines.items():
        predictions[name] = baseline.fit(inputs[training], y[training]).predict(inputs[test])

    scores = Table("model", title="\nOn diamonds that no model saw", title_justify="left")
    for heading in ("RMSE ($)", "mean absolute error ($)", "R²"):
        scores.add_column(heading, justify="right")
    for name, predicted in predictions.items():
        scores.add_row(
            name,
            f"{root_mean_squared_error(y[test], predicted):,.0f}",
            f"{mean_absolute_error(y[test], predicted):,.0f}",
            f"{r2_score(y[test], predicted):.4f}",
        )
    console.print(scores)

    OUT.mkdir(exist_ok=True)
    draw_learning_curve(model, OUT / "learning_curve.png")
    chainrule.save(model, OUT / "diamonds.chainrule", about={"target": [TARGET]})
    write_report(scores, model, OUT / "report.md")
    print(f"\nLeft in {OUT.name}/: {', '.join(sorted(path.name for path in OUT.iterdir()))}")
    print("Try: .venv/bin/chainrule predict demo/diamonds.chainrule examples/diamonds.parquet | head")


def draw_learning_curve(model: chainrule.DeepRegressor, path: Path) -> None:
    """Training and validation loss by epoch."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), dpi=150, layout="constrained")
    epochs = np.arange(1, len(model.loss_curve_) + 1)
    axes.plot(epochs, model.loss_curve_, color="#0072b2", label="training rows, while learning")
    axes.plot(epochs, -np.array(model.validation_scores_), color="#d55e00", label="validation rows")
    axes.axvline(model.best_iteration_, color="#777777", linewidth=1, linestyle=":")
    axes.annotate("kept", (model.best_iteration_, axes.get_ylim()[1]), ha="right", va="top", rotation=90)
    axes.set(yscale="log", xlabel="epoch", ylabel="squared error (price in standard deviations)")
    axes.set_title("Learning the price of diamonds", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    with atomically(path) as temporary:
        figure.savefig(temporary, format="png")
    plt.close(figure)


def write_report(scores: Table, model: chainrule.DeepRegressor, path: Path) -> None:
    """Write scores, picture and network as Markdown."""
    rows = zip(*(column.cells for column in scores.columns), strict=True)
    lines = [
        "# The price of diamonds",
        "",
        f"| {' | '.join(str(column.header) for column in scores.columns)} |",
        "|---|--:|--:|--:|",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
        "",
        "![Learning curve](learning_curve.png)",
        "",
        "```",
        str(model.network_),
        "```",
    ]
    with atomically(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
