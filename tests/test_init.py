import subprocess
import sys
import time

import pytest

import chainrule


def test_names_are_sorted_and_each_has_one_home():
    constants_classes_functions = sorted(
        chainrule.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert chainrule.__all__ == constants_classes_functions
    assert set(chainrule.__all__) == set(chainrule._HOME)
    assert sum(map(len, chainrule._HOMES.values())) == len(chainrule._HOME)
    assert dir(chainrule) == sorted(chainrule.__all__)


@pytest.mark.parametrize("name", chainrule.__all__)
def test_every_name_resolves_to_what_its_home_defines(name):
    thing = getattr(chainrule, name)
    assert getattr(chainrule, name) is thing
    module = getattr(thing, "__module__", None)
    if isinstance(thing, type):
        assert (module, thing.__name__) == (chainrule._HOME[name], name)


def test_type_checkers_see_the_same_names():
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(chainrule))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {(node.module, alias.name) for node in block.body for alias in node.names}
    assert seen == {(home, name) for name, home in chainrule._HOME.items()}


@pytest.mark.parametrize("name", ["DeepRegresor", "jax", "_homes", "__wrapped__"])
def test_another_name_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=rf"module 'chainrule' has no attribute '{name}'"):
        getattr(chainrule, name)


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_is_light():
    heavy = "'jax', 'numpy', 'sklearn', 'sympy', 'polars', 'optax', 'rich', 'typer'"
    assert python(f"import sys, chainrule; print([m for m in ({heavy},) if m in sys.modules])") == "[]"
    errors = (
        f"import sys, chainrule; chainrule.ArgumentError; print([m for m in ({heavy},) if m in sys.modules])"
    )
    assert python(errors) == "[]"


def test_import_is_quick():
    """The figure is 0.1 s; the best of three, since others share the machine."""
    code = "import time; t = time.perf_counter(); import chainrule; print(time.perf_counter() - t)"
    assert min(float(python(code)) for _ in range(3)) < 0.1


def test_sympy_waits_for_a_formula():
    code = "import sys, chainrule; chainrule.Network((2, 3, 1)).initialize(0); print('sympy' in sys.modules)"
    assert python(code) == "False"


def test_the_interpreter_of_these_tests_is_the_one_measured():
    start = time.perf_counter()
    assert python("import chainrule; print(chainrule.__version__)") == chainrule.__version__
    assert time.perf_counter() - start < 10
