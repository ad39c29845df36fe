"""Runs some tests of a copy of this tree in a process that was forked for it.

Not imported: run by its path, so that nothing of the tree that makes the copy is in the process. `COPY`, `TESTS` and
`SAYS` (the file that takes what is said) are given as globals.
"""

import os
import sys

import pytest

copy, tests, told = (globals()[name] for name in ("COPY", "TESTS", "SAYS"))

for name in ("PROVE", "PYTEST_ADDOPTS"):
    os.environ.pop(name, None)
os.environ["PYTHONPATH"] = copy  # for the processes that the tests start
os.chdir(copy)
sys.path.insert(0, copy)  # the editable installation points to the other tree; the copy must come before it
with open(told, "wb") as says:
    for stream in (1, 2):
        os.dup2(says.fileno(), stream)
options = ("-q", "-x", "--no-header", "--tb=short", "-p", "no:cacheprovider", f"--basetemp={copy}/tmp")
sys.exit(pytest.main([*options, *tests]))
