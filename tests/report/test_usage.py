import html
import re

import pytest

from chainrule.report.usage import usage


def code(findings):
    return [
        html.unescape(block).replace("<br>", "\n")
        for block in re.findall("<pre[^>]*><code>(.*?)</code></pre>", usage(findings))
    ]


def test_commands_name_the_model(findings):
    shell, python = code(findings())
    assert shell.splitlines()[0] == "chainrule predict prices.chainrule new.csv -o predictions.csv"
    assert "model = chainrule.load('prices.chainrule')" in python
    assert "predicted_price = model.predict(X)" in python
    compile(python, "usage", "exec")


def test_classes_have_probabilities(classified):
    shell, python = code(classified())
    assert "--probabilities" in shell
    assert "probabilities = model.predict_proba(X)" in python


@pytest.mark.parametrize(
    ("path", "argument"),
    [
        ("my models/a b.chainrule", "'my models/a b.chainrule'"),
        ("-rf", "./-rf"),
        ("$(rm).chainrule", "'$(rm).chainrule'"),
        ("it's", "'it'\"'\"'s'"),
    ],
)
def test_strange_paths_are_quoted(findings, path, argument):
    shell, python = code(findings(model=path))
    assert shell.splitlines()[2] == f"chainrule show {argument}"
    compile(python, "usage", "exec")


def test_texts_that_mean_missing_are_said_again(findings):
    shell, python = code(findings(missing=("n/a", "--", "<?>")))
    assert "--missing=n/a --missing=-- --missing='<?>'" in shell
    assert "missing=['n/a', '--', '<?>']" in python


@pytest.mark.parametrize("target", ["a b", "class", "1", "größe", "x; y"])
def test_a_target_that_is_no_name_gives_no_variable(findings, number, target):
    _, python = code(findings(answers=(number._replace(target=target),)))
    compile(python, "usage", "exec")


@pytest.mark.parametrize("model", ["", "-"])
def test_a_model_without_a_file_has_no_commands(findings, model):
    assert "<pre" not in usage(findings(model=model))
