"""Code in an interpreter of its own, where some packages are as good as not installed."""

import subprocess
import sys
import textwrap

BLOCKER = """
import importlib.util, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked in this tier", name=name)
sys.meta_path.insert(0, Blocker())
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in BLOCKED else real(name, *rest)
"""

VERBS = """
import contextlib, io, json
from regimetry.cli import main
said = []
for arguments in json.loads(sys.argv[1]):
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(arguments)
    said.append([code, out.getvalue(), error.getvalue()])
print(json.dumps([said, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
"""Run verbs one after the other; print what each said and which packages were loaded."""


def run_blocked(code, blocked, *arguments, **options):
    script = f"BLOCKED = {blocked!r}\n{BLOCKER}\n{textwrap.dedent(code)}"
    command = [sys.executable, "-I", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)
