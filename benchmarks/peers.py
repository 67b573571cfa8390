"""The methods that accuracy.py compares: chainrule and its peers, each with what it needs and its defaults.

A peer is told which columns are categories; missing numbers are filled with the median where it refuses them;
levels that training never had count as missing. Its metric of evaluation and stopping, where it has one, is
the score: RMSE, AUC or log-loss. chainrule is given the table as it is, and ``random_state``.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from peer_columns import Columns

OURS = "chainrule"
PEERS = ("lightgbm", "xgboost", "catboost", "hist", "mlp", "realmlp", "tabm")
DEFAULT = (OURS, *PEERS[:-1])  # TabM takes many minutes on two cores


class Problem(NamedTuple):
    """What a method is told: the task, which columns are categories, the seed, the threads it may use."""

    task: str  # regression, binary or multiclass
    categories: tuple[str, ...]
    seed: int
    threads: int

    def of(self, regression: Any, binary: Any, multiclass: Any) -> Any:
        """The one that the task asks for."""
        return {"regression": regression, "binary": binary, "multiclass": multiclass}[self.task]


class Method(Protocol):
    """Learns a table; answers with numbers, or with the probabilities of the classes 0, 1, …."""

    def fit(self, X: Any, y: np.ndarray) -> None:
        """Learn; encoding the table is part of it."""

    def answer(self, X: Any) -> np.ndarray:
        """Values, or a row of probabilities each."""


class Encoded:
    """A peer behind the encoding of its table."""

    def __init__(self, model: Any, columns: Columns, declare: str | None = None) -> None:
        self.model, self.columns, self.declare = model, columns, declare

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> None:
        """Encode, and fit the peer."""
        table = self.columns.fit(X)
        self.model.fit(table, y, **({self.declare: self.columns.texts} if self.declare else {}))

    def answer(self, X: pd.DataFrame) -> np.ndarray:
        """Encode, and ask the peer."""
        return _answer(self.model, self.columns.apply(X))


class Ours:
    """chainrule, on the table as it is."""

    def __init__(self, problem: Problem, effort: str | None) -> None:
        import chainrule

        make = chainrule.DeepRegressor if problem.task == "regression" else chainrule.DeepClassifier
        self.model = make(random_state=problem.seed, **({"effort": effort} if effort else {}))

    def fit(self, X: Any, y: np.ndarray) -> None:
        """As its users do."""
        self.model.fit(X, y)

    def answer(self, X: Any) -> np.ndarray:
        """As its users do."""
        return _answer(self.model, X)


def make(name: str, problem: Problem) -> Method:
    """The method of that name; all that it imports is imported here."""
    if is_ours(name):
        return Ours(problem, name.partition(":")[2] or None)
    return {
        "lightgbm": _lightgbm,
        "xgboost": _xgboost,
        "catboost": _catboost,
        "hist": _hist,
        "mlp": _mlp,
        "realmlp": _pytabkit,
        "tabm": _pytabkit,
    }[name](problem, name)


def is_ours(name: str) -> bool:
    return name.partition(":")[0] == OURS


def _lightgbm(problem: Problem, _: str) -> Method:
    import lightgbm

    model = (lightgbm.LGBMRegressor if problem.task == "regression" else lightgbm.LGBMClassifier)(
        metric=problem.of("rmse", "auc", "multi_logloss"),
        n_jobs=problem.threads,
        random_state=problem.seed,
        verbose=-1,
    )
    return Encoded(model, Columns(problem.categories, "category"))


def _xgboost(problem: Problem, _: str) -> Method:
    import xgboost

    model = (xgboost.XGBRegressor if problem.task == "regression" else xgboost.XGBClassifier)(
        enable_categorical=True,
        eval_metric=problem.of("rmse", "auc", "mlogloss"),
        n_jobs=problem.threads,
        random_state=problem.seed,
    )
    return Encoded(model, Columns(problem.categories, "category"))


def _catboost(problem: Problem, _: str) -> Method:
    import catboost

    model = (catboost.CatBoostRegressor if problem.task == "regression" else catboost.CatBoostClassifier)(
        eval_metric=problem.of("RMSE", "AUC", "MultiClass"),
        thread_count=problem.threads,
        random_seed=problem.seed,
        verbose=False,
        allow_writing_files=False,
    )
    return Encoded(model, Columns(problem.categories, "text"), declare="cat_features")


def _hist(problem: Problem, _: str) -> Method:
    """Its "loss" orders models as RMSE and log-loss do; it takes at most 255 levels."""
    from sklearn import ensemble

    regression = problem.task == "regression"
    kind = ensemble.HistGradientBoostingRegressor if regression else ensemble.HistGradientBoostingClassifier
    model = kind(
        categorical_features="from_dtype",
        scoring=problem.of("loss", "roc_auc", "loss"),
        random_state=problem.seed,
    )
    return Encoded(model, Columns(problem.categories, "category", levels=254))


def _mlp(problem: Problem, _: str) -> Method:
    """Without a scaled target it would not learn prices at all: that is no comparison."""
    from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    if problem.task == "regression":
        model = TransformedTargetRegressor(
            MLPRegressor(random_state=problem.seed), transformer=StandardScaler()
        )
    else:
        model = MLPClassifier(random_state=problem.seed)
    encoder = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    return Encoded(make_pipeline(encoder, model), Columns(problem.categories, "text"))


def _pytabkit(problem: Problem, name: str) -> Method:
    """RealMLP-TD without label smoothing, as its authors advise where probabilities matter; TabM-D."""
    import pytabkit

    kind = "Regressor" if problem.task == "regression" else "Classifier"
    model = getattr(pytabkit, f"{'RealMLP_TD' if name == 'realmlp' else 'TabM_D'}_{kind}")(
        val_metric_name=problem.of("rmse", "1-auc_ovr", "cross_entropy"),
        device="cpu",
        n_threads=problem.threads,
        random_state=problem.seed,
    )
    if name == "realmlp" and kind == "Classifier":
        model.set_params(use_ls=False)
    return Encoded(model, Columns(problem.categories, "category", fill=True))


def _answer(model: Any, X: Any) -> np.ndarray:
    return np.asarray(model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X))
