"""Everything that chainrule raises on purpose.

::

    ChainruleError
    ├── ArgumentError (ValueError)        an option or argument that cannot be
    │   ├── FormulaError                  a formula that is not one
    │   └── DerivativeError               a derivative that is not the derivative
    ├── TableError (ValueError)           a table, a column or a cell that cannot be used
    ├── FileError (OSError)               a file that cannot be read or written
    │   └── ModelFileError                a file that is not a model, or not a whole one
    ├── HostsError (RuntimeError)         processes that do not meet, agree, or stay
    └── DivergedError (ArithmeticError)   no finite loss from the first epoch on

Each message says what must be, what came, and what to do.
"""

__all__ = [
    "ArgumentError",
    "ChainruleError",
    "DerivativeError",
    "DivergedError",
    "FileError",
    "FormulaError",
    "HostsError",
    "ModelFileError",
    "TableError",
]


class ChainruleError(Exception):
    """The root: ``except ChainruleError`` catches all that chainrule raises on purpose."""


class ArgumentError(ChainruleError, ValueError):
    """An option or argument is outside what it may be."""


class FormulaError(ArgumentError):
    """A formula of one's own is not a formula, or has no finite value where it is needed."""


class DerivativeError(ArgumentError):
    """A derivative that was handed over is not the derivative of its function."""


class TableError(ChainruleError, ValueError):
    """A table, a column or a cell cannot be used as it is."""


class FileError(ChainruleError, OSError):
    """A file cannot be read or written."""


class ModelFileError(FileError):
    """A file is not a chainrule model, or not a whole one."""


class HostsError(ChainruleError, RuntimeError):
    """Processes that learn together did not meet, were told different things, or one was lost."""


class DivergedError(ChainruleError, ArithmeticError):
    """The loss was not finite from the first epoch on, so that there is nothing to keep."""
