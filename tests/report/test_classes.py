import numpy as np

from chainrule.report.classes import confusions
from chainrule.report.summaries import class_answers


def test_few_classes_are_a_table_of_all_pairs():
    found = confusions(class_answers([0, 0, 1], [0, 1, 1], ["<a>", "b"]), "y")
    assert '<td class="hit" style="--share:19%">1</td><td class="miss" style="--share:19%">1</td>' in found
    assert '<th scope="row">&lt;a&gt;</th>' in found
    assert "<td>0</td>" in found


def test_a_class_without_rows_is_a_line_of_zeros():
    found = confusions(class_answers([0], [0], ["a", "b"]), "y")
    assert '<th scope="row">b</th><td>0</td><td>0</td>' in found


def test_many_classes_show_the_worst_the_best_and_the_commonest_confusions():
    codes = np.repeat(np.arange(1000), 3)
    chosen = np.where(codes < 5, 999, codes)
    answers = class_answers(codes, chosen, [f"class {k}" for k in range(1000)])
    found = confusions(answers, "y")
    assert found.index("class 4<") < found.index("class 5<"), "the worst come first"
    assert "… 970 classes between them" in found
    assert '<th scope="row">class 0</th><td>class 999</td><td class="n">3</td>' in found
    assert len(found) < 20_000


def test_many_classes_without_confusions():
    codes = np.arange(30)
    found = confusions(class_answers(codes, codes, codes.tolist()), "y")
    assert "Commonest confusions" not in found
    assert "… 0" not in found
