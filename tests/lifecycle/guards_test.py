"""What is hidden or kept as it is stays so when the host puts something new in its place."""

import os
import threading

from heeltest import ServerCase, main, pb, places, wait_for

READ, DENY = pb.PATH_ACCESS_READ, pb.PATH_ACCESS_DENY


class GuardsTest(ServerCase):
    def setUp(self):
        super().setUp()
        self.base = places.make_base()
        self.work, self.shown = self.folder("work"), self.folder("shown")
        self.secret = self.file(self.shown / "secret", "first")
        self.closed = self.folder("shown/closed")
        self.file(self.closed / "file", "first")
        self.envrc = self.file(self.work / ".envrc", "first")
        rules = [(self.shown, READ), (self.secret, DENY), (self.closed, DENY)]
        paths = [pb.PathRule(path=str(path), access=access) for path, access in rules]
        self.sandbox = self.create(filesystem=pb.Filesystem(working_dir=str(self.work), paths=paths))

    def folder(self, name):
        path = self.base / name
        path.mkdir()
        path.chmod(0o777)
        return path

    def file(self, path, text):
        path.write_text(text)
        path.chmod(0o666)
        return path

    def replace(self, path, text):
        """As an editor does it."""
        os.replace(self.file(path.with_name("new"), text), path)

    def replace_often(self, name):
        for _ in range(4000):
            (self.work / f"new{name}").touch()
            (self.work / f"new{name}").rename(self.work / name)

    def code(self, *argv):
        return self.run_in(self.sandbox, *argv).status.code

    def test_a_hidden_file_that_the_host_replaces_is_hidden_again(self):
        self.assertEqual(self.code("cat", str(self.secret)), 1)
        for text in ("second", "third", "fourth"):
            self.replace(self.secret, text)
            wait_for(lambda: self.code("cat", str(self.secret)) == 1, what="the file to be hidden again")
        self.assertEqual(self.secret.read_text(), "fourth")

    def test_a_hidden_folder_that_the_host_replaces_is_hidden_again(self):
        for number in range(3):
            self.closed.rename(self.base / f"away-{number}")
            self.folder("shown/closed")
            self.file(self.closed / "file", "new")
            wait_for(lambda: self.code("ls", str(self.closed)) != 0, what="the folder to be hidden again")
            self.assertEqual(self.code("cat", str(self.closed / "file")), 1)

    def test_an_acting_file_that_the_host_replaces_is_kept_again(self):
        def written():
            return self.code("sh", "-c", "echo sandbox >.envrc")

        self.assertNotEqual(written(), 0)
        for text in ("second", "third"):
            self.replace(self.envrc, text)
            wait_for(lambda: written() != 0, what="the file to be read-only again")
            self.replace(self.envrc, text)  # what was written in that moment is gone
            wait_for(lambda: written() != 0, what="the file to be read-only again")
        self.assertEqual(self.code("cat", ".envrc"), 0)

    def test_files_that_come_and_go_beside_it_do_no_harm(self):
        flood = "i=0; while [ $i -lt 3000 ]; do : >f$i; rm f$i; i=$((i+1)); done"
        self.assertEqual(self.code("sh", "-c", flood), 0)
        self.replace(self.envrc, "after")
        wait_for(lambda: self.code("sh", "-c", "echo sandbox >.envrc") != 0, what="the file to be read-only again")

    def test_who_replaces_without_end_ends_no_sandbox(self):
        """Four at once in a folder that six sandboxes share; another stands aside."""
        names = (".envrc", ".npmrc", ".bazelrc", ".mcp.json")
        for name in names:
            self.file(self.work / name, "first")
        shared = pb.Filesystem(working_dir=str(self.work))
        sandboxes = [self.sandbox, *(self.create(filesystem=shared) for _ in range(5)), self.create()]
        floods = [threading.Thread(target=self.replace_often, args=(name,)) for name in names]
        for thread in floods:
            thread.start()
        for thread in floods:
            thread.join()
        for sandbox in sandboxes:
            self.assertEqual(self.run_in(sandbox, "true").status.code, 0)
        for name in names:
            self.file(self.work / name, "last")
        self.sandbox = sandboxes[1]  # in which .mcp.json is guarded
        wait_for(lambda: self.code("sh", "-c", "echo sandbox >.mcp.json") != 0, what="the file to be read-only again")

    def test_the_report_tells_of_the_moment(self):
        rows = {row.protection: row for row in self.sandbox.enforcement}
        for protection in (pb.PROTECTION_HIDDEN_PATHS, pb.PROTECTION_ACTING_FILES):
            self.assertEqual(rows[protection].state, pb.ENFORCEMENT_STATE_DEGRADED)
            self.assertIn("a moment later", rows[protection].detail)


if __name__ == "__main__":
    main()
