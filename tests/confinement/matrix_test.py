"""The confinement matrix: every property, unconfined and at each level, as root and as a user.

Prints the table. Fails where a cell is BROKEN that expected.py doesn't explain, where an expected
weakness holds after all, and where a control doesn't show that a way works.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import time

import expected
import report
from heeltest import Heeld, TestCase, cli, main, pb
from matrix import Matrix
from properties import PROPERTIES
from scenarios import SCENARIOS, Scenarios
from stage import Stage, copy_probes, make_mounts, unmount

_base = None


def _make_base():
    """Where sandboxes can see it: all of /tmp is their own."""
    parent = "/srv" if os.geteuid() == 0 else None
    base = pathlib.Path(tempfile.mkdtemp(prefix="heel-matrix-", dir=parent))
    base.chmod(0o1777)
    copy_probes(base)
    make_mounts(base)
    return base


class MatrixTest(TestCase):
    def test_everything(self):
        stage = Stage(_base, _base / "probes")
        server = _server(stage)
        self.results, self.wrong, self.opened = {}, [], set()
        try:
            self.enforcement = self.read_report(server)
            for prop in PROPERTIES:
                if prop.needs_mounts and not stage.has_mounts:
                    continue
                self.try_property(Matrix(stage, server), prop)
            for scenario in SCENARIOS:
                self.try_scenario(Scenarios(stage, server), *scenario)
        finally:
            status, log = server.stop(), server.log
            stage.close()
        report.save(_base / f"{'root' if os.geteuid() == 0 else 'user'}.json", self.results)
        self.assertEqual(status, 0, log[-2000:])
        self.check_expectations()
        self.assertFalse(self.wrong, "\n" + "\n".join(self.wrong))

    @staticmethod
    def read_report(server):
        info = server.stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=5)
        return {pb.Protection.Name(row.protection)[len("PROTECTION_") :]: row.state for row in info.protections}

    def note(self, row, level, result):
        verdict, surprises = report.verdict(row, level, result)
        self.results[row, level] = {"ways": result.ways, "trouble": result.trouble, "verdict": verdict}
        self.wrong += [f"{row} at {level}: {verdict}: {surprise}" for surprise in surprises]
        if verdict == "weak":
            self.opened.add(row)

    def try_property(self, matrix, prop):
        if not prop.control:
            control = matrix.control(prop)
            verdict = report.control_verdict(control)
            self.results[prop.id, "control"] = {"ways": control.ways, "trouble": control.trouble, "verdict": verdict}
            if control.trouble:
                self.wrong.append(f"{prop.id}, control: {control.trouble}")
        for level in prop.levels:
            self.note(prop.id, level, matrix.confined(prop, level))

    def try_scenario(self, scenarios, row, title, tried, levels, run, control):
        for level in levels:
            self.note(row, level, run(scenarios, level))

    def check_expectations(self):
        """Nothing is weaker than reported, and nothing is expected that isn't so."""
        for row, weakness in expected.EXPECTED.items():
            if row not in self.opened:
                self.wrong.append(f"{row} is expected to be weak and holds: take it out of expected.py")
            elif weakness.protection and self.enforcement[weakness.protection] != pb.ENFORCEMENT_STATE_DEGRADED:
                self.wrong.append(f"{row} is weak, and {weakness.protection} isn't reported as DEGRADED")


def _server(stage):
    return Heeld(base=stage.root, environment={"HOME": str(stage.home)})


def _show(started):
    names = [name for name in ("root", "user") if (_base / f"{name}.json").exists()]
    by_identity = {name: report.load(_base / f"{name}.json") for name in names}
    rows = [(prop.id, prop.title, prop.tried) for prop in PROPERTIES]
    rows += [(row[0], row[1], row[2]) for row in SCENARIOS]
    print(report.table(rows, by_identity))
    missing = report.unproven([prop.id for prop in PROPERTIES], by_identity) if by_identity else []
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
