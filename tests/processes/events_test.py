"""WatchEvents: everything that happens, in order, from any place that is kept."""

from heeltest import Code, Heeld, event_pb, main, pb, process_pb
from heeltest.processes import resident_bytes
from processes import ProcessCase

SANDBOX, STARTED, EXITED = event_pb.EVENT_KIND_SANDBOX, event_pb.EVENT_KIND_PROCESS_STARTED, event_pb.EVENT_KIND_PROCESS_EXITED


def told(event):
    """An event in short."""
    kind = event.WhichOneof("payload")
    payload = getattr(event, kind)
    if kind == "sandbox":
        return event_pb.SandboxEventKind.Name(payload.kind).removeprefix("SANDBOX_EVENT_KIND_")
    return (kind, payload.process_id)


class Watch:
    def __init__(self, stub, **request):
        self.call = stub.WatchEvents(pb.WatchEventsRequest(**request), timeout=60)
        self.started = self.next("started")

    def next(self, kind="event"):
        response = next(self.call)
        assert response.WhichOneof("message") == kind, response
        return getattr(response, kind)

    def until(self, last):
        events = [self.next()]
        while told(events[-1]) != last:
            events.append(self.next())
        return events


class EventsTest(ProcessCase):
    def tearDown(self):
        for watch in self.watches:
            watch.call.cancel()
        super().tearDown()

    def setUp(self):
        self.watches = []
        super().setUp()

    def watch(self, **request):
        watch = Watch(self.stub, **request)
        self.watches.append(watch)
        return watch

    def test_a_life(self):
        watch = self.watch()
        sandbox = self.create("watched")
        self.run_in(sandbox, "sh", "-c", "exit 4", process_id="one")
        self.run_in(sandbox, "no-such-program", process_id="two")
        self.stub.PauseSandbox(pb.PauseSandboxRequest(sandbox_id="watched"), timeout=30)
        self.stub.ResumeSandbox(pb.ResumeSandboxRequest(sandbox_id="watched"), timeout=30)
        self.delete("watched")
        events = watch.until("DELETED")
        self.assertEqual(
            [told(event) for event in events],
            ["CREATED", ("process_started", "one"), ("process_exited", "one"), ("process_exited", "two")]
            + ["PAUSED", "RESUMED", "DELETED"],
        )
        self.assertEqual({event.sandbox_id for event in events}, {"watched"})
        first = watch.started.sequence + 1
        self.assertEqual([event.sequence for event in events], list(range(first, first + len(events))))
        self.assertEqual(list(events[1].process_started.argv), ["sh", "-c", "exit 4"])
        self.assertEqual(events[2].process_exited.status.code, 4)

    def test_a_limit(self):
        watch = self.watch()
        limits = self.watch(kinds=[event_pb.EVENT_KIND_LIMIT])
        sandbox = self.create("limited", limits=pb.Limits(max_file_size_bytes=4096))
        self.run_in(sandbox, "sh", "-c", "exec head -c 10000 /dev/zero >file", process_id="one")
        self.run_in(sandbox, "true", process_id="two")
        events = [watch.next() for _ in range(6)]
        ids = [told(event) for event in events]
        self.assertEqual(ids[1:4], [("process_started", "one"), ("limit", "one"), ("process_exited", "one")])
        self.assertNotIn("limit", str(ids[4:]))
        status = events[3].process_exited.status
        self.assertEqual((events[2].limit.limit, events[2].limit.message), (process_pb.LIMIT_MAX_FILE_SIZE_BYTES, status.message))
        self.assertEqual(limits.next(), events[2])

    def test_reconnecting_misses_nothing(self):
        watch = self.watch()
        for number in range(20):
            self.run_in(self.sandbox, "true", process_id=f"p{number}")
        want = [event.sequence for event in watch.until(("process_exited", "p19"))]
        got, after = [], watch.started.sequence
        while len(got) < len(want):
            again = self.watch(after=pb.EventPosition(epoch=watch.started.epoch, sequence=after))
            got += [again.next().sequence for _ in range(min(3, len(want) - len(got)))]
            after = got[-1]
            again.call.cancel()
        self.assertEqual(got, want)

    def test_filters(self):
        start = self.watch().started
        other = self.create("other")
        self.run_in(other, "true", process_id="there")
        self.run_in(self.sandbox, "true", process_id="here")
        after = pb.EventPosition(sequence=start.sequence)
        self.assertEqual(told(self.watch(after=after, sandbox_id=self.sandbox.sandbox_id).next()), ("process_started", "here"))
        exits = self.watch(after=after, kinds=[EXITED])
        self.assertEqual([told(exits.next())[1] for _ in range(2)], ["there", "here"])
        self.assertEqual(told(self.watch(after=after, kinds=[SANDBOX, STARTED]).next()), "CREATED")

    def test_a_gap_is_told(self):
        watch = self.watch()
        for _ in range(4200):
            self.start("no-such-program")
        last = self.watch().started.sequence
        late = self.watch(after=pb.EventPosition(sequence=watch.started.sequence))
        gap = late.next("gap")
        self.assertEqual((getattr(gap, "from"), gap.to), (watch.started.sequence + 1, last - 4095))
        self.assertEqual(late.next().sequence, gap.to)

    def many(self, count, **command):
        """So many commands are started, of which each has one event, 64 at a time."""
        request = pb.StartProcessRequest(
            sandbox_id=self.sandbox.sandbox_id, command=process_pb.Command(argv=["no-such-program", "x" * 2000], **command)
        )
        for _ in range(count // 64):
            for call in [self.stub.StartProcess.future(request, timeout=60) for _ in range(64)]:
                call.result()

    def test_watchers_that_do_not_read(self):
        """What they miss costs them a gap, and heeld nothing."""
        self.many(4096)  # as many as are kept
        watches = [self.watch() for _ in range(50)]
        before = resident_bytes(self.server.pid)
        self.many(8192)
        self.assertLess(resident_bytes(self.server.pid) - before, 16 << 20)
        last = self.watch().started.sequence
        for watch in watches:
            position = watch.started.sequence
            gaps = 0
            while position < last:
                response = next(watch.call)
                if response.WhichOneof("message") == "gap":
                    self.assertEqual(getattr(response.gap, "from"), position + 1)
                    position = response.gap.to - 1
                    gaps += 1
                else:
                    self.assertEqual(response.event.sequence, position + 1)
                    position += 1
            self.assertLessEqual(gaps, 2)

    def test_what_is_kept_is_bounded_in_bytes(self):
        """Each event has 4 KiB of its command's arguments."""
        watch = self.watch()
        for _ in range(20):
            calls = [
                self.stub.RunCommand.future(
                    pb.RunCommandRequest(
                        sandbox_id=self.sandbox.sandbox_id, command=process_pb.Command(argv=["true", "x" * 4000])
                    ),
                    timeout=60,
                )
                for _ in range(64)
            ]
            for call in calls:
                call.result()
        late = self.watch(after=pb.EventPosition(sequence=watch.started.sequence))
        gap = late.next("gap")
        kept = late.started.sequence - gap.to + 1
        self.assertLess(kept, 2 * 20 * 64)
        size = sum(late.next().ByteSize() for _ in range(kept))
        self.assertTrue(3 << 20 < size <= 4 << 20, size)

    def test_private_sandboxes_are_quiet(self):
        watch = self.watch()
        self.run_in(pb.SandboxSpec(), "true")
        self.run_in(self.sandbox, "true", process_id="heard")
        self.assertEqual(told(watch.next()), ("process_started", "heard"))

    def test_positions_out_of_range(self):
        start = self.watch().started
        for position in (
            pb.EventPosition(sequence=start.sequence + 1),
            pb.EventPosition(epoch="another", sequence=0),
        ):
            with self.fails(Code.OUT_OF_RANGE, "POSITION_OUT_OF_RANGE") as failure:
                self.watch(after=position)
            self.assertEqual(failure.metadata, {"field": "after", "epoch": start.epoch, "sequence": str(start.sequence)})
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "kinds"):
            self.watch(kinds=[99])
        with self.fails(Code.INVALID_ARGUMENT, "INVALID_FIELD", "sandbox_id"):
            self.watch(sandbox_id="/")

    def test_the_end_of_the_server(self):
        server = Heeld()
        watch = Watch(server.stub)
        server.stub.CreateSandbox(pb.CreateSandboxRequest(sandbox_id="last"), timeout=30)
        server.process.terminate()
        for end in ("CREATED", "DELETED"):
            self.assertEqual(told(watch.next()), end)
        with self.fails(Code.UNAVAILABLE, "SERVER_DRAINING"):
            watch.next()
        self.assertEqual(server.stop(), 0)


main()
