"""Prints the addon's target of binding.gyp as JSON, as gyp evaluates it for a system.

    python3 settings.py ROOT OS ARCHITECTURE

OS and ARCHITECTURE are gyp's names: linux, mac, win; x64, arm64.
"""

import json
import os
import sys
from types import SimpleNamespace

root, system, architecture = sys.argv[1:]
sys.path.insert(0, os.path.join(root, "node_modules/node-gyp/gyp/pylib"))

import gyp  # noqa: E402

here = os.path.dirname(os.path.abspath(__file__))
os.chdir(root)
# Of all generators gypd is the one that adds nothing of its own.
_, _, targets, _ = gyp.Load(
    ["binding.gyp"],
    "gypd",
    default_variables={"OS": system, "target_arch": architecture},
    includes=[os.path.join(here, "defaults.gypi")],
    params={
        "options": SimpleNamespace(generator_output=None, toplevel_dir=root),
        "parallel": False,
        "root_targets": None,
    },
)
(target,) = (t for t in targets.values() if t["target_name"] == "atomic_log")
# binding.gyp names no configurations: there is one, which has the flags.
json.dump({**target["configurations"]["Default"], **target}, sys.stdout)
