# SPDX-License-Identifier: Apache-2.0
"""What the benches in Python share: rows of build/bench.json, and how much memory the two planes take."""
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(os.environ["BNG_ROOT"])
sys.path.insert(0, str(ROOT / "Tests" / "labs"))
from topology import sh  # noqa: E402

rows = []


def row(id, what, value, unit, **kw):
    """Keeps a figure and prints it; kw: limit, peer, ratio, goal, met, gate."""
    rows.append({"id": id, "what": what, "value": value, "unit": unit, "limit": None, "peer": None, "ratio": None, "goal": None,
                 "met": None, **kw})
    print(f"  {what}: {value:,.2f} {unit}" + (f" (peer {kw['peer']:,.1f}, ratio {kw['ratio']:.2f})" if kw.get("peer") else ""), flush=True)


def write(name):
    (ROOT / f"build/bench/{name}.json").write_text(json.dumps(rows, indent=1))


def rss(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


def cpu_seconds(pid):
    """What a process has used of the processors, all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def map_bytes(pins):
    """Kernel memory of the pinned maps as the kernel accounts it."""
    total = 0
    for pin in pathlib.Path(pins).glob("**/*"):
        text = sh(["bpftool", "-j", "map", "show", "pinned", str(pin)], check=False)
        try:
            total += int(json.loads(text).get("bytes_memlock", 0))
        except (ValueError, AttributeError):
            continue
    return total
