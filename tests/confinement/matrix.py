"""Runs probes, confined and not, and judges what they say."""

import dataclasses
import os
import shutil
import subprocess
import time

from heeltest import pb, process_pb
from properties import ALL, PERMISSIVE

LEVELS = {name: getattr(pb, f"ISOLATION_LEVEL_{name.upper()}") for name in ALL}
SECONDS = 60  # on a busy machine, too
SETTLE_SECONDS = 0.02  # what a control sent arrives before the next probe starts


@dataclasses.dataclass
class Result:
    """ways: by name, (open | shut | absent, detail). trouble: why it proves nothing, if so."""

    ways: dict
    trouble: str = ""

    def open_ways(self):
        return [way for way, (state, _) in self.ways.items() if state == "open"]

    @classmethod
    def read(cls, output, errors=""):
        ways, ended, trouble = {}, False, ""
        for line in output.splitlines():
            fields = line.split("\t")
            if fields[0] in ("open", "shut", "absent") and len(fields) == 3:
                if ways.get(fields[1], ("",))[0] != "open":  # tried many times, and once is enough
                    ways[fields[1]] = (fields[0], fields[2])
            elif fields[0] == "error":
                trouble = fields[1]
            ended |= line == "end"
        if not ended:
            trouble = trouble or "it came to no end: " + (output + errors)[-200:]
        return cls(ways, trouble)


def environment_of(stage, prop, server, control):
    environment = dict(stage.environment)
    environment.update(HEEL_STATE=str(server.state), HEEL_SOCKET=server.socket)
    environment["TARGET_PID"] = environment["VICTIM_PID"] if control else "1"
    if control:
        environment["CONTROL"] = "1"
    for name, value in prop.env:
        environment[name] = environment[value[1:]] if value.startswith("@") else value
    return environment


def spec_of(stage, level, cell=None, denied=False, environment=(), apart=False):
    paths = []
    if level != PERMISSIVE:  # which refuses grants, as it grants everything
        paths.append(pb.PathRule(path=str(stage.probes), access=pb.PATH_ACCESS_EXECUTE))
        paths.append(pb.PathRule(path=str(stage.readable), access=pb.PATH_ACCESS_READ))
    for name in ("denied", "deep/denied") if denied else ():
        paths.append(pb.PathRule(path=str(cell / name), access=pb.PATH_ACCESS_DENY))
    return pb.SandboxSpec(
        level=LEVELS[level],
        filesystem=pb.Filesystem(working_dir=str(cell or ""), paths=paths, write_xor_execute=apart),
        environment=pb.Environment(variables=dict(environment)),
    )


class Matrix:
    def __init__(self, stage, server):
        self.stage, self.server = stage, server

    def enforcement(self, level):
        """The report of a sandbox like those that are attacked."""
        cell = self.stage.cell()
        request = pb.CreateSandboxRequest(spec=spec_of(self.stage, level, cell))
        sandbox = self.server.stub.CreateSandbox(request, timeout=SECONDS).sandbox
        self.server.stub.DeleteSandbox(pb.DeleteSandboxRequest(sandbox_id=sandbox.sandbox_id), timeout=SECONDS)
        self._remove(cell)
        return sandbox.enforcement

    def control(self, prop):
        cell = self.stage.cell()
        folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        os.set_inheritable(folder, True)
        try:
            done = subprocess.run(
                [self.stage.probes / prop.probe],
                cwd=cell,
                env={**os.environ, **environment_of(self.stage, prop, self.server, True)},
                stdin=folder,
                capture_output=True,
                pass_fds=[folder],
                timeout=SECONDS,
                check=False,
            )
        finally:
            os.close(folder)
        result = Result.read(done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        time.sleep(SETTLE_SECONDS)
        self.stage.witnessed()
        self._remove(cell)
        return result

    def confined(self, prop, level):
        """In a sandbox made for it; whatever reaches the victim meanwhile is an open way, too."""
        cell = self.stage.cell()
        before = self._outside()
        environment = environment_of(self.stage, prop, self.server, False)
        answer = self.server.stub.RunCommand(
            pb.RunCommandRequest(
                spec=spec_of(self.stage, level, cell, prop.denied, environment.items(), prop.apart),
                command=process_pb.Command(argv=[str(self.stage.probes / prop.probe)]),
            ),
            timeout=SECONDS,
        )
        status = "" if answer.status.code == 0 else str(answer.status)
        result = Result.read(answer.stdout.decode(errors="replace"), answer.stderr.decode(errors="replace") + status)
        for seen in self.stage.witnessed():
            result.ways.setdefault(f"seen outside: {seen}", ("open", "by the victim"))
        if level != PERMISSIVE and self._outside() != before:
            result.ways["seen outside: files"] = ("open", f"{before} became {self._outside()}")
        self._remove(cell)
        return result

    def _outside(self):
        """What nobody may change, as seen from outside."""
        return [
            (entry.name, entry.stat().st_mode, entry.stat().st_mtime_ns, entry.stat().st_ino)
            for folder in (self.stage.outside, self.stage.home)
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name)
        ]

    @staticmethod
    def _remove(cell):
        shutil.rmtree(cell, ignore_errors=True)
