#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Joins the benches' results into build/bench.json, prints them as a table, exits 1 if a row with a gate misses it."""
import json
import pathlib
import sys

rows = []
for name in sys.argv[1:]:
    rows += json.loads(pathlib.Path(name).read_text())
rows.sort(key=lambda r: (r["id"], r["what"]))
pathlib.Path("build/bench.json").write_text(json.dumps(rows, indent=1) + "\n")


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


width = max(len(r["what"]) for r in rows)
print(f"{'id':5} {'what':{width}} {'value':>12} {'unit':12} {'limit/peer':>12} {'ratio':>6} {'goal':>18}  met")
for r in rows:
    against = r.get("peer") if r.get("peer") is not None else r.get("limit")
    print(f"{r['id']:5} {r['what']:{width}} {number(r['value']):>12} {r['unit']:12} {number(against):>12} {number(r.get('ratio')):>6} "
          f"{str(r.get('goal') or '-'):>18}  {'yes' if r.get('met') else '-' if r.get('met') is None else 'NO'}")
missed = [r["what"] for r in rows if r.get("gate") and r.get("met") is False]
if missed:
    print("gates missed: " + "; ".join(missed))
sys.exit(1 if missed else 0)
