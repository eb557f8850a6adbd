"""Counts the test results in Bazel's build event files: summary.py CONFIG.json…

Beside each lies CONFIG.status, Bazel's exit status. Prints what failed and what was skipped, and why;
the last line is `N passed, N failed, N skipped`. Exits 1 if anything failed.
"""

import json
import pathlib
import sys
import urllib.parse

NOTHING_WRONG = {0, 3, 4}  # success, tests failed (counted one by one), no tests were asked for


def skip_reason(log):
    """The reason a test gave for skipping itself, or None: bazel/run_test marks the end of its log."""
    lines = log.read_text(errors="replace").rstrip().split("\n")
    if lines[-1] != "SKIPPED":
        return None
    reasons = [line[len("SKIP:"):].strip() for line in lines if line.startswith("SKIP:")]
    return reasons[-1] if reasons else "no reason given"


def read_events(path):
    """The tests asked for, the status of those that ran, and the log of each."""
    wanted, statuses, logs = set(), {}, {}
    for line in path.read_text().splitlines():
        event = json.loads(line)
        kind, identity = next(iter(event["id"].items()))
        label = identity.get("label") if isinstance(identity, dict) else None
        if kind == "targetConfigured" and event.get("configured", {}).get("testSize"):
            wanted.add(label)
        elif kind == "testSummary":
            statuses[label] = event["testSummary"]["overallStatus"]
        elif kind == "testResult":
            for output in event["testResult"].get("testActionOutput", []):
                if output["name"] == "test.log":
                    logs[label] = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path))
    return wanted, statuses, logs


def count(path, counts):
    config = path.stem
    wanted, statuses, logs = read_events(path) if path.exists() else (set(), {}, {})
    failed_before = counts["failed"]
    for label in sorted(wanted | set(statuses)):
        status = statuses.get(label, "NOT BUILT")
        reason = skip_reason(logs[label]) if status == "PASSED" and label in logs else None
        if reason is not None:
            counts["skipped"] += 1
            print(f"skipped  {label} ({config}): {reason}")
        elif status == "PASSED":
            counts["passed"] += 1
        else:
            counts["failed"] += 1
            print(f"failed   {label} ({config}): {status.lower().replace('_', ' ')}")

    bazel_status = int(path.with_suffix(".status").read_text())
    if bazel_status not in NOTHING_WRONG and counts["failed"] == failed_before:
        counts["failed"] += 1
        print(f"failed   the build ({config}): Bazel's exit status is {bazel_status}")


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sys.argv[1:]:
        count(pathlib.Path(path), counts)
    print(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    sys.exit(1 if counts["failed"] else 0)


main()
