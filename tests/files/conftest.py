"""Compiled programs stay in memory: nothing is written outside the folders that tests are given."""

import os

os.environ.setdefault("CHAINRULE_CACHE", "off")
