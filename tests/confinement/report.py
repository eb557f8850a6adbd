"""Verdicts from results, and the table that shows them."""

import json

from expected import UNSHOWN
from properties import ALL

LEGEND = """
HELD: every way was shut. BROKEN: one got through. weak: one got through as expected, and the enforcement
report says so (or promises nothing). control: the same without a sandbox; "open" if all ways got through,
"part" if some did. n/a: there is nothing to try it on. A dot: the level allows it by design, or there can be no control.
"""


def save(path, results):
    """results: {(id, column): {"ways": …, "trouble": …, "verdict": …}}"""
    path.write_text(json.dumps([[*key, value] for key, value in results.items()]))


def load(path):
    return {(row, column): value for row, column, value in json.loads(path.read_text())}


def verdict(weakness, result):
    """The verdict of a confined cell, and the ways that should not be open."""
    if result.trouble:
        return "ERROR", [result.trouble]
    opened = result.open_ways()
    if not opened:
        states = {state for state, _ in result.ways.values()}
        return ("n/a" if states == {"absent"} else "HELD"), []
    surprises = [way for way in opened if not weakness or (weakness.ways and way not in weakness.ways)]
    return "BROKEN" if surprises else "weak", [f"{way}: {result.ways[way][1]}" for way in surprises]


def control_verdict(result):
    if result.trouble:
        return "ERROR"
    states = [state for state, _ in result.ways.values() if state != "absent"]
    if not states:
        return "n/a"
    return {0: "shut", len(states): "open"}.get(states.count("open"), "part")


def unproven(prop_ids, by_identity):
    """Ways that no control got through by, and of which nobody says why."""
    found = []
    for prop_id in prop_ids:
        controls = [results[prop_id, "control"] for results in by_identity.values() if (prop_id, "control") in results]
        ways = {}
        for control in controls:
            for way, (state, detail) in control["ways"].items():
                if state == "absent" or (prop_id, way) in UNSHOWN or (prop_id, None) in UNSHOWN:
                    ways[way] = None
                elif ways.get(way, ()) is not None:
                    ways[way] = None if state == "open" else detail
        found += [(prop_id, way, detail) for way, detail in ways.items() if detail is not None]
    return found


def table(rows, by_identity, without=()):
    """rows: (id, title, tried) in their order. without: those that are not applicable."""
    columns = ["control", *ALL]
    heads = [f"{identity}: {column}" for identity in by_identity for column in columns]
    lines = ["| | property | tried | " + " | ".join(heads) + " |", "|-|-|-" + "|-" * len(heads) + "|"]
    for row_id, title, tried in rows:
        cells = [
            "n/a" if row_id in without else results[row_id, column]["verdict"] if (row_id, column) in results else "·"
            for results in by_identity.values()
            for column in columns
        ]
        lines.append(f"| {row_id} | {title} | {tried} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n" + LEGEND


def ways(by_identity):
    """Every way that was tried, and what came of it."""
    return "\n".join(
        f"{identity}: {row} {column}: {way}: {state}: {detail}"
        for identity, results in by_identity.items()
        for (row, column), cell in results.items()
        for way, (state, detail) in cell["ways"].items()
    )


def reasons(weaknesses, without):
    """Why the weak ones are weak, and what there was nothing of. Both: by row."""
    lines = [
        f"- {row}: {weakness.reason} ({'reported as ' + weakness.protection if weakness.protection else 'nothing is promised'})"
        for row, weakness in weaknesses.items()
    ]
    return "\n".join(lines + [f"- {row}: n/a: {reason}" for row, reason in without.items()])
