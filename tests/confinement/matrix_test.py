"""The confinement matrix: every property, unconfined and at each level, as root and as a user.

Prints the table. Fails where a cell is BROKEN that expected.py doesn't explain, where an expected
weakness holds after all, and where a control doesn't show that a way works.

HEEL_TEST_ROWS="F01 K09" tries only these, and shows every way of theirs. HEEL_TEST_TABLE=FILE gets
the table. HEEL_TEST_NAMESPACES=never runs it all without namespaces.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import expected
import report
from heeltest import Heeld, TestCase, cli, main, pb, places
from matrix import LEVELS, Matrix, Result
from planted import PLANTED
from properties import PROPERTIES
from scenarios import SCENARIOS, Scenarios
from stage import Stage, copy_probes, make_mounts, unmount

# Of a protection in the report: what may be weak.
ADMITTED = (pb.ENFORCEMENT_STATE_DEGRADED, pb.ENFORCEMENT_STATE_DISABLED)
ONLY = os.environ.get("HEEL_TEST_ROWS", "").split()

_base = None


def _chosen(row):
    return not ONLY or row in ONLY


def _make_base():
    """Where sandboxes can see it: all of /tmp is their own."""
    parent = "/srv" if os.geteuid() == 0 else None
    base = pathlib.Path(tempfile.mkdtemp(prefix="heel-matrix-", dir=parent))
    if not places.lends(base):
        subprocess.run(["mount", "-t", "tmpfs", "none", base], check=True)
    base.chmod(0o1777)
    (base / "flood.lock").touch()
    copy_probes(base)
    make_mounts(base)
    return base


class MatrixTest(TestCase):
    def test_everything(self):
        stage = Stage(_base, _base / "probes")
        server = _server(stage)
        self.results, self.wrong = {}, []
        try:
            self.enforcement = self.read_report(Matrix(stage, server))
            for prop in PROPERTIES:
                if _chosen(prop.id) and prop.id not in expected.NOT_APPLICABLE and (stage.has_mounts or not prop.needs_mounts):
                    self.try_property(Matrix(stage, server), prop)
            for scenario in [*SCENARIOS, *PLANTED]:
                if _chosen(scenario[0]) and scenario[0] not in expected.NOT_APPLICABLE:
                    self.try_scenario(Scenarios(stage, server), *scenario)
        finally:
            status, log = server.stop(), server.log
            stage.close()
        report.save(_base / f"{'root' if os.geteuid() == 0 else 'user'}.json", self.results)
        self.assertEqual(status, 0, log[-2000:])
        self.assertFalse(self.wrong, "\n" + "\n".join(self.wrong))

    @staticmethod
    def read_report(matrix):
        """What a sandbox of each level says of its protections: {(level, name): state}"""
        return {
            (level, pb.Protection.Name(row.protection)[len("PROTECTION_") :]): row.state
            for level in LEVELS
            for row in matrix.enforcement(level)
        }

    def note(self, row, level, result):
        weakness = expected.weakness(row, level)
        verdict, surprises = report.verdict(weakness, result)
        self.results[row, level] = {"ways": result.ways, "trouble": result.trouble, "verdict": verdict}
        self.wrong += [f"{row} at {level}: {verdict}: {surprise}" for surprise in surprises]
        if verdict == "HELD" and weakness:
            self.wrong.append(f"{row} at {level} is expected to be weak and holds: take it out of expected.py")
        if verdict == "weak" and weakness.protection and self.enforcement[level, weakness.protection] not in ADMITTED:
            self.wrong.append(f"{row} at {level} is weak, and {weakness.protection} is reported as ACTIVE")

    def try_property(self, matrix, prop):
        if not prop.control:
            control = _result_of(matrix.control, prop)
            verdict = report.control_verdict(control)
            self.results[prop.id, "control"] = {"ways": control.ways, "trouble": control.trouble, "verdict": verdict}
            if control.trouble:
                self.wrong.append(f"{prop.id}, control: {control.trouble}")
        for level in prop.levels:
            self.note(prop.id, level, _result_of(matrix.confined, prop, level))

    def try_scenario(self, scenarios, row, title, tried, levels, run, control):
        for level in levels:
            self.note(row, level, _result_of(run, scenarios, level))


def _result_of(run, *arguments):
    """What fails in one row is no reason to try no other."""
    try:
        return run(*arguments)
    except Exception as error:
        return Result({}, f"{type(error).__name__}: {error}")


def _server(stage):
    return Heeld(base=stage.root, environment={"HOME": str(stage.home), "KUBECONFIG": str(stage.later)})


def _show(started):
    names = [name for name in ("root", "user") if (_base / f"{name}.json").exists()]
    by_identity = {name: report.load(_base / f"{name}.json") for name in names}
    rows = [(prop.id, prop.title, prop.tried) for prop in PROPERTIES]
    rows += [(row[0], row[1], row[2]) for row in [*SCENARIOS, *PLANTED]]
    text = report.table([row for row in rows if _chosen(row[0])], by_identity, expected.NOT_APPLICABLE)
    text += "\n" + report.reasons(expected.WEAKNESSES, expected.NOT_APPLICABLE) + "\n"
    print(text)
    if "HEEL_TEST_TABLE" in os.environ:
        pathlib.Path(os.environ["HEEL_TEST_TABLE"]).write_text(text)
    if ONLY:
        print(report.ways(by_identity))
    missing = report.unproven([prop.id for prop in PROPERTIES], by_identity) if not expected.NEVER else []
    for prop, way, detail in missing:
        print(f"UNPROVEN {prop}: {way}: no control gets through: {detail}")
    print(f"{time.monotonic() - started:.1f} s")
    return missing


if __name__ == "__main__":
    _begun = time.monotonic()
    cli.isolate()
    _base = _make_base()
    try:
        main()
    except SystemExit as end:
        unproven = _show(_begun)
        sys.exit(end.code or (1 if unproven and os.geteuid() == 0 else 0))
    finally:
        unmount(_base)
        shutil.rmtree(_base, ignore_errors=True)
