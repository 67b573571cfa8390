"""Pure functions of arrays: each value with its derivative beside it, and the formula as text."""
