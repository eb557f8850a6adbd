#!/usr/bin/env python3
"""Each error that the sources make is one of error.proto, with the code and metadata told there.

A source names reason and code in one call of heel_error_set(), and what it adds before the function
ends is its metadata. Errors of invalid fields are made by heel_error_set_field() and always have theirs.
"""

import pathlib
import re
import sys
import unittest

PROTO = "proto/heel/v1/error.proto"
FOLDERS = ("server", "backends")
MADE = re.compile(r'heel_error_set\(\s*[^,"]+,\s*HEEL_([A-Z_]+),\s*"([A-Z_]+)"')
ADDED = re.compile(r'heel_error_add_metadata\(\s*[^,"]+,\s*"([a-z_]+)"')
FIELD = "heel_error_set_field_path("

BY_THE_RUNTIME = {"INVALID_MESSAGE"}
# What clients call a sandbox, which only the server knows: it adds that.
BY_THE_SERVER = {"sandbox_id"}
PASSED_ON = "backends/linux/messages/reasons.c"


def documented():
    """{reason: (code, metadata keys, those of them that may be missing)}"""
    found, comment = {}, []
    for line in pathlib.Path(PROTO).read_text().splitlines():
        text = line.strip()
        entry = re.match(r"ERROR_REASON_(\w+) = (\d+);", text)
        if text.startswith("//"):
            comment.append(text.removeprefix("//").strip())
            continue
        if entry and entry[2] != "0":
            words = " ".join(comment)
            keys = re.search(r"Metadata: ([a-z_, ]+)\.", words)
            less = re.search(r"Without ([a-z_]+):", words)
            code = words.split(".")[0].split(",")[0]
            found[entry[1]] = (code, set(keys[1].split(", ")) if keys else set(), set(less.groups()) if less else set())
        comment = []
    return found


def made():
    """(where, reason, code, metadata keys) of each error."""
    for path in sorted(path for folder in FOLDERS for path in pathlib.Path(folder).rglob("*.c")):
        if path.stem.endswith(("_test", "_bench")):
            continue
        text = path.read_text()
        for match in MADE.finditer(text):
            rest = text[match.end() : text.index("\n}", match.end())]
            line = text.count("\n", 0, match.start()) + 1
            keys = set(ADDED.findall(rest)) | ({"field"} if FIELD in rest else set())
            yield f"{path}:{line}", match[2], match[1], keys


class ReasonsTest(unittest.TestCase):
    def test_what_is_made_is_documented(self):
        wanted, wrong = documented(), []
        for where, reason, code, keys in made():
            if reason not in wanted:
                wrong.append(f"{where}: {reason} is not in {PROTO}")
                continue
            told_code, told_keys, optional = wanted[reason]
            if where.startswith("backends/"):
                optional = optional | BY_THE_SERVER
            # BadRequest's field is metadata of any error that has one.
            if code != told_code or not told_keys - optional <= keys | {"field"} or not keys <= told_keys | {"field"}:
                wrong.append(f"{where}: {reason} is {code} {sorted(keys)}, documented {told_code} {sorted(told_keys)}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_what_is_documented_is_made(self):
        self.assertEqual(set(documented()) - {reason for _, reason, _, _ in made()}, BY_THE_RUNTIME)

    def test_the_backend_passes_them_on(self):
        """Errors of the launcher and of inits come as text; those that are unknown lose their reason."""
        passed = set(re.findall(r'"([A-Z_]+)"', pathlib.Path(PASSED_ON).read_text()))
        used = {reason for where, reason, _, _ in made() if where.startswith("backends/")}
        self.assertEqual(used - passed, set())
        self.assertEqual(passed - set(documented()), set())

    def test_there_is_something_to_look_at(self):
        self.assertGreater(len(list(made())), 30)
        self.assertEqual(documented()["LIMIT_REACHED"], ("RESOURCE_EXHAUSTED", {"limit", "maximum"}, {"maximum"}))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
