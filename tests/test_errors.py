import inspect
import re

import pytest

from chainrule import errors

CLASSES = {name: getattr(errors, name) for name in errors.__all__}


def test_the_drawn_tree_is_the_tree():
    drawn = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ([│├└─ ]*)(\w+Error)(?: \((\w+)\))?", line)
        if match:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            drawn[match[2]] = (path[depth - 1] if depth else "Exception", match[3])
    assert drawn.keys() == CLASSES.keys()
    for name, (parent, builtin) in drawn.items():
        bases = [base.__name__ for base in CLASSES[name].__bases__]
        assert bases == [parent] + ([builtin] if builtin else []), name


def test_all_errors_are_public_and_listed():
    defined = {n for n, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, BaseException)}
    assert defined == set(errors.__all__)
    assert errors.__all__ == sorted(errors.__all__)


@pytest.mark.parametrize("error", CLASSES.values(), ids=CLASSES)
def test_one_except_catches_all_and_keeps_the_words(error):
    with pytest.raises(errors.ChainruleError, match="must be x; got y"):
        raise error("must be x; got y")
