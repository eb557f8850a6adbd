"""CreateSandbox, GetSandbox, ListSandboxes, UpdateSandbox, DeleteSandbox and their times to live."""

import os
import pathlib
import signal
import time

from heeltest import Code, ServerCase, duration, main, mark, pb, places, process_pb, wait_for
from heeltest.processes import alive_with, still_alive

READY = pb.SANDBOX_STATE_READY


def lifetime(**seconds):
    return pb.Lifetime(**{name: duration(value) for name, value in seconds.items()})


class CreateTest(ServerCase):
    def test_defaults_are_spelled_out(self):
        before = time.time()
        sandbox = self.create()
        spec = sandbox.effective_spec
        self.assertEqual(sandbox.state, READY)
        self.assertEqual(spec.level, pb.ISOLATION_LEVEL_STRICT)
        self.assertEqual(spec.network.WhichOneof("policy"), "deny_all")
        self.assertEqual(spec.limits.max_output_bytes, 262144)
        self.assertEqual(dict(spec.labels), {})
        self.assertEqual(
            set(spec.environment.variables),
            {"PATH", "HOME", "TMPDIR", "LANG", "TERM", "USER", "LOGNAME", "SHELL"},
        )
        self.assertEqual(sandbox.working_dir, sandbox.host_working_dir if places.NAMESPACES else "/work")
        self.assertFalse(sandbox.HasField("expire_time"))
        self.assertAlmostEqual(sandbox.create_time.ToSeconds(), before, delta=5)
        self.assertEqual(sandbox.running_commands, 0)

    def test_git_looks_past_the_owner_of_lent_files(self):
        """Root's files belong to the sandbox's own uid inside; else git would read all of them for each status."""
        lent = os.geteuid() == 0 and not places.NAMESPACES
        base = places.make_base()
        base.chmod(0o777)  # where files can't be lent at all it must be everybody's
        folder = {"working_dir": str(base)}
        variables = self.create(filesystem=pb.Filesystem(**folder)).effective_spec.environment.variables
        self.assertEqual(variables.get("GIT_CONFIG_KEY_0"), "core.checkStat" if lent else None)
        given = pb.Environment(variables={"GIT_CONFIG_COUNT": "0"})
        variables = self.create(filesystem=pb.Filesystem(**folder), environment=given).effective_spec.environment.variables
        self.assertEqual((variables["GIT_CONFIG_COUNT"], "GIT_CONFIG_KEY_0" in variables), ("0", False))

    def test_paths_inside_and_outside(self):
        sandbox = self.create()
        host = pathlib.Path(sandbox.host_working_dir)
        self.assertTrue(host.is_dir(), host)
        self.assertTrue(host.is_relative_to(self.server.state), host)
        script = "pwd && echo $HOME && echo $TMPDIR && touch here $HOME/x $TMPDIR/x"
        answer = self.run_in(sandbox, "sh", "-c", script)
        self.assertEqual(
            answer.stdout.decode().split(), [sandbox.working_dir, sandbox.home_dir, sandbox.temp_dir], answer
        )
        self.check_ended(answer.status, code=0)
        self.assertEqual(len({sandbox.working_dir, sandbox.home_dir, sandbox.temp_dir}), 3)
        self.assertEqual([path.name for path in host.iterdir()], ["here"])

    def test_every_protection_is_reported(self):
        for level in (pb.ISOLATION_LEVEL_STRICT, pb.ISOLATION_LEVEL_DEFAULT, pb.ISOLATION_LEVEL_PERMISSIVE):
            sandbox = self.create(level=level)
            self.assertEqual(sandbox.effective_spec.level, level)
            self.assertEqual(
                sorted(row.protection for row in sandbox.enforcement),
                sorted(set(pb.Protection.values()) - {pb.PROTECTION_UNSPECIFIED}),
            )
            for row in sandbox.enforcement:
                self.assertNotEqual(row.state, pb.ENFORCEMENT_STATE_UNSPECIFIED, row)
                self.assertEqual(bool(row.detail), row.state != pb.ENFORCEMENT_STATE_ACTIVE, row)

    def test_ids_of_the_server_cannot_be_guessed(self):
        ids = [self.create().sandbox_id for _ in range(4)]
        self.assertEqual(len(set(ids)), 4)
        for sandbox_id in ids:
            self.assertGreaterEqual(len(sandbox_id), 22, sandbox_id)
        common = os.path.commonprefix(ids)
        self.assertLess(len(common), 8, ids)

    def test_retry_with_the_same_spec_gives_the_same_sandbox(self):
        first = self.create("a.b_c-1", labels={"x": "1", "y": "2"})
        self.run_in(first, "touch", "mine")
        again = self.create("a.b_c-1", labels={"y": "2", "x": "1"})
        self.assertEqual(again, first)
        self.assertEqual(self.run_in(again, "ls").stdout, b"mine\n")

    def test_another_spec_on_the_same_id_is_refused(self):
        first = self.create("same", labels={"x": "1"})
        with self.fails(Code.ALREADY_EXISTS, "SANDBOX_EXISTS") as failure:
            self.create("same", labels={"x": "2"})
        self.assertEqual(failure.metadata, {"sandbox_id": "same"})
        self.assertEqual(self.get("same"), first)

    def test_concurrent_retries_make_one_sandbox(self):
        request = pb.CreateSandboxRequest(sandbox_id="race", spec=pb.SandboxSpec(labels={"a": "b"}))
        calls = [self.stub.CreateSandbox.future(request, timeout=30) for _ in range(16)]
        sandboxes = [call.result().sandbox for call in calls]
        self.assertEqual([s for s in sandboxes if s != sandboxes[0]], [])
        self.assertEqual(len(self.list()), 1)
        self.run_in("race", "touch", "file")
        self.assertEqual(self.stored(), [])

    def test_the_same_id_can_be_used_again_after_deletion(self):
        self.create("again")
        self.run_in("again", "sh", "-c", "touch file; mkdir folder; chmod 755 .")
        self.delete("again")
        self.create("again", labels={"other": "spec"})
        self.assertEqual(self.run_in("again", "sh", "-c", "ls -A; stat -c %a .").stdout, b"700\n")

    def test_a_fresh_sandbox_is_empty_however_short_the_one_before(self):
        for _ in range(40):
            self.run_in(pb.SandboxSpec(), "touch", "file")
            self.assertEqual(self.run_in(pb.SandboxSpec(), "ls", "-A").stdout, b"")

    def test_a_working_directory_of_the_caller_stays(self):
        mine = self.server.base / "mine"
        mine.mkdir(exist_ok=True)
        mine.chmod(0o777)  # as root the sandbox has another uid
        (mine / "old").write_text("old\n")
        sandbox = self.create(filesystem=pb.Filesystem(working_dir=str(mine)))
        self.assertEqual((sandbox.working_dir, sandbox.host_working_dir), (str(mine), str(mine)))
        answer = self.run_in(sandbox, "sh", "-c", "pwd; cat old; echo new >new")
        self.assertEqual(answer.stdout.decode(), f"{mine}\nold\n", answer)
        self.delete(sandbox.sandbox_id)
        self.assertEqual((mine / "new").read_text(), "new\n")
        self.assertEqual((mine / "old").read_text(), "old\n")

    def test_two_sandboxes_share_nothing(self):
        one, two = self.create(), self.create()
        self.run_in(one, "sh", "-c", "touch /tmp/secret /dev/shm/secret $HOME/secret secret")
        seen = self.run_in(two, "sh", "-c", "ls /tmp /dev/shm $HOME .; hostname; ps -e 2>/dev/null | wc -l")
        self.assertNotIn(b"secret", seen.stdout)


class ListTest(ServerCase):
    def names(self, **request):
        return [sandbox.sandbox_id for sandbox in self.list(**request)]

    def test_pages_follow_creation(self):
        wanted = [f"p{number}" for number in (3, 1, 2, 5, 4)]
        for sandbox_id in wanted:
            self.create(sandbox_id)
        for page_size in (0, 1, 2, 5, 1000, 2**31 - 1):
            self.assertEqual(self.names(page_size=page_size), wanted, page_size)
        page = self.stub.ListSandboxes(pb.ListSandboxesRequest(page_size=2))
        self.assertEqual(len(page.sandboxes), 2)
        self.assertTrue(page.next_page_token)

    def test_a_page_survives_deletions_and_creations(self):
        for number in range(4):
            self.create(f"q{number}")
        page = self.stub.ListSandboxes(pb.ListSandboxesRequest(page_size=2))
        self.delete("q1")
        self.delete("q2")
        self.create("q4")
        rest = self.stub.ListSandboxes(pb.ListSandboxesRequest(page_token=page.next_page_token))
        self.assertEqual([sandbox.sandbox_id for sandbox in rest.sandboxes], ["q3", "q4"])

    def test_labels_must_all_fit(self):
        self.create("l1", labels={"job": "1", "team": "a"})
        self.create("l2", labels={"job": "1"})
        self.create("l3", labels={"job": "2", "team": "a"})
        self.assertEqual(self.names(labels={"job": "1"}), ["l1", "l2"])
        self.assertEqual(self.names(labels={"job": "1", "team": "a"}), ["l1"])
        self.assertEqual(self.names(labels={"job": ""}), [])
        self.assertEqual(self.names(labels={"job": "1"}, page_size=1), ["l1", "l2"])

    def test_states(self):
        self.create("s1")
        self.assertEqual(self.names(states=[READY]), ["s1"])
        self.assertEqual(self.names(states=[pb.SANDBOX_STATE_CREATING, READY]), ["s1"])
        self.assertEqual(self.names(states=[pb.SANDBOX_STATE_DELETING]), [])

    def test_private_sandboxes_are_not_listed(self):
        argument = mark()
        call = self.start_run(pb.SandboxSpec(), "sleep", argument)
        wait_for(lambda: alive_with(argument))
        self.assertEqual(self.names(), [])
        call.cancel()
        wait_for(lambda: not alive_with(argument) and not self.server.stored())

    def test_answers_stay_under_a_mebibyte(self):
        big = {f"V{number}": "x" * 30_000 for number in range(10)}
        for number in range(8):
            self.create(f"big{number}", environment=pb.Environment(variables=big))
        page = self.stub.ListSandboxes(pb.ListSandboxesRequest(page_size=1000))
        self.assertLess(page.ByteSize(), 1 << 20)
        self.assertEqual(self.names(), [f"big{number}" for number in range(8)])


class UpdateTest(ServerCase):
    def update(self, sandbox_id, paths, **fields):
        request = pb.UpdateSandboxRequest(sandbox_id=sandbox_id, **fields)
        request.update_mask.paths.extend(paths)
        return self.stub.UpdateSandbox(request, timeout=30).sandbox

    def test_labels_are_replaced_and_cleared(self):
        self.create("u1", labels={"a": "1", "b": "2"})
        self.assertEqual(dict(self.update("u1", ["labels"], labels={"c": "3"}).effective_spec.labels), {"c": "3"})
        self.assertEqual(dict(self.get("u1").effective_spec.labels), {"c": "3"})
        self.assertEqual(dict(self.update("u1", ["labels"]).effective_spec.labels), {})

    def test_only_what_the_mask_names_changes(self):
        self.create("u2", labels={"a": "1"}, lifetime=lifetime(ttl=500))
        after = self.update("u2", ["idle_ttl"], labels={"z": "9"}, ttl=duration(1), idle_ttl=duration(70))
        self.assertEqual(dict(after.effective_spec.labels), {"a": "1"})
        self.assertEqual(after.effective_spec.lifetime, lifetime(ttl=500, idle_ttl=70))

    def test_ttl_counts_from_the_creation_and_can_be_cleared(self):
        made = self.create("u3", lifetime=lifetime(ttl=100))
        begin = made.create_time.ToNanoseconds()
        self.assertAlmostEqual(made.expire_time.ToNanoseconds() - begin, 100e9, delta=1e9)
        after = self.update("u3", ["ttl"], ttl=duration(200))
        self.assertAlmostEqual(after.expire_time.ToNanoseconds() - begin, 200e9, delta=1e9)
        after = self.update("u3", ["ttl"])
        self.assertFalse(after.HasField("expire_time"))
        self.assertFalse(after.effective_spec.lifetime.HasField("ttl"))

    def test_a_ttl_that_is_over_ends_it_now(self):
        self.create("u4")
        time.sleep(0.02)
        self.update("u4", ["ttl"], ttl=duration(0.001))
        wait_for(lambda: not self.list())
        self.check_gone("u4")

    def test_create_is_still_idempotent_after_an_update(self):
        self.create("u5", labels={"a": "1"})
        self.update("u5", ["labels"], labels={"b": "2"})
        self.assertEqual(dict(self.create("u5", labels={"a": "1"}).effective_spec.labels), {"b": "2"})


class DeleteTest(ServerCase):
    def test_repeat(self):
        self.create("d1")
        self.delete("d1")
        self.check_gone("d1")
        with self.fails(Code.NOT_FOUND, "SANDBOX_NOT_FOUND"):
            self.delete("d1")
        self.assertEqual(self.delete("d1", allow_missing=True).kept_working_dir, "")
        self.delete("never-was", allow_missing=True)

    def test_nothing_runs_or_is_stored_when_it_answers(self):
        argument = mark()
        sandbox = self.create("d2")
        call = self.start_run(sandbox, "sh", "-c", f"touch file; sleep {argument}")
        tree = self.server.sandbox_tree(argument)
        self.delete("d2")
        self.assertEqual(still_alive(tree), [])
        self.assertEqual(self.server.stored(), [])
        self.assertFalse(os.path.lexists(sandbox.host_working_dir))
        self.check_ended(call.result().status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def test_an_exec_stream_is_told(self):
        sandbox = self.create("d3")
        call = self.exec_in(sandbox, "sh", "-c", "echo up; cat")
        call.read_until(b"up")
        self.delete("d3")
        self.check_ended(call.finish().status, signal=9, reason=process_pb.EXIT_REASON_DELETED)

    def test_concurrent_deletions_all_answer(self):
        self.create("d4")
        request = pb.DeleteSandboxRequest(sandbox_id="d4", allow_missing=True)
        calls = [self.stub.DeleteSandbox.future(request, timeout=30) for _ in range(8)]
        for call in calls:
            call.result()
        self.assertEqual(self.list(), [])

    def test_while_it_is_being_made(self):
        for number in range(10):
            create = self.stub.CreateSandbox.future(pb.CreateSandboxRequest(sandbox_id=f"d5-{number}"))
            self.delete(f"d5-{number}", allow_missing=True)
            error = create.exception()
            if error is not None:
                self.assertEqual(error.code(), Code.ABORTED, error)
            self.delete(f"d5-{number}", allow_missing=True)
        self.assertEqual(self.server.stored(), [])

    def test_kept_working_dir(self):
        self.create("d6", filesystem=pb.Filesystem(keep_working_dir=True))
        told = self.get("d6").host_working_dir
        self.run_in("d6", "sh", "-c", "echo result >out")
        kept = self.delete("d6").kept_working_dir
        self.assertEqual(kept, told)
        self.assertEqual(pathlib.Path(kept, "out").read_text(), "result\n")

    def test_a_keeping_sandbox_of_one_call(self):
        spec = pb.SandboxSpec(filesystem=pb.Filesystem(keep_working_dir=True))
        before = set(self.kept())
        self.run_in(spec, "sh", "-c", "echo once >out")
        new = set(self.kept()) - before
        self.assertEqual([(path / "out").read_text() for path in new], ["once\n"])

    def kept(self):
        return list((self.server.state / "kept").glob("*"))

    def test_stopped_processes_are_no_obstacle(self):
        sandbox = self.create("d7")
        argument = mark()
        script = f"trap '' TERM INT HUP; sleep {argument} & kill -STOP $$"
        call = self.start_run(sandbox, "sh", "-c", script)
        wait_for(lambda: alive_with(argument))
        self.delete("d7")
        self.check_ended(call.result().status, signal=signal.SIGKILL, reason=process_pb.EXIT_REASON_DELETED)

    def test_a_command_that_never_came_to_run_did_not_succeed(self):
        for number in range(20):
            sandbox = self.create(f"d8-{number}")
            call = self.start_run(sandbox, "sleep", "99")
            self.delete(sandbox.sandbox_id)
            error = call.exception()
            if error is not None:
                self.assertIn(error.code(), (Code.ABORTED, Code.NOT_FOUND), error)
            else:
                status = call.result().status
                self.check_ended(status, signal=9, reason=process_pb.EXIT_REASON_DELETED)


class ExpiryTest(ServerCase):
    def test_ttl(self):
        argument = mark()
        self.create("t1", lifetime=lifetime(ttl=0.6))
        call = self.start_run("t1", "sleep", argument)
        tree = self.server.sandbox_tree(argument)
        self.check_ended(call.result().status, signal=9, reason=process_pb.EXIT_REASON_DELETED)
        wait_for(lambda: not self.server.stored() and not still_alive(tree))
        wait_for(lambda: not self.list())  # DELETING until its end is confirmed
        self.check_gone("t1")

    def test_idle_ttl_waits_for_commands(self):
        made = self.create("t2", lifetime=lifetime(idle_ttl=0.5))
        self.assertTrue(made.HasField("expire_time"))
        call = self.exec_in("t2", "sh", "-c", "echo up; read line; exit 3")
        call.read_until(b"up")
        self.assertFalse(self.get("t2").HasField("expire_time"))
        time.sleep(0.8)  # longer than it may idle
        self.assertEqual(self.get("t2").running_commands, 1)
        call.stdin(b"go\n")
        self.check_ended(call.finish().status, code=3)
        self.assertTrue(self.get("t2").HasField("expire_time"))
        wait_for(lambda: not self.list())

    def test_an_absurd_ttl_is_for_ever(self):
        made = self.create("t3", lifetime=lifetime(ttl=315_000_000_00))
        self.assertEqual(made.state, READY)
        self.assertEqual(self.get("t3").state, READY)


if __name__ == "__main__":
    main()
