"""scripts/fetch-optimade against a local server with hand-made pages.

The path of the kronite program, which reads the result, is the environment variable KRONITE.
"""
import gzip
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "fetch-optimade"
KRONITE = os.environ["KRONITE"]


def entry(identifier, cation, edge):
    half = edge / 2
    return {
        "id": identifier, "type": "structures",
        "attributes": {
            "lattice_vectors": [[0, half, half], [half, 0, half], [half, half, 0]],
            "cartesian_site_positions": [[0, 0, 0], [half, half, half]],
            "species_at_sites": [cation, "O"],
            "species": [{"name": n, "chemical_symbols": [n], "concentration": [1.0]}
                        for n in (cation, "O")],
            "nperiodic_dimensions": 3, "structure_features": [],
        },
    }


ENTRIES = [entry("a1", "Mg", 4.21), entry("a2", "Ca", 4.81), entry("a3", "Sr", 5.16)]


class Provider(http.server.BaseHTTPRequestHandler):
    """One entry per page; `script` holds answers to give before the real one, by page."""

    script = {}
    object_links = False
    asked = []

    def log_message(self, *_):
        pass

    def reply(self, code, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        if address.path == "/v1/info":
            attributes = {"available_licenses_for_entries": ["CC-BY-4.0"]}
            return self.reply(200, {"data": {"attributes": attributes}})
        if address.path == "/v1/info/structures":
            return self.reply(200, {"data": {"properties": {"_mp_stability": {}}}})
        if address.path != "/v1/structures":
            return self.reply(404, {"errors": [{"detail": "no such endpoint"}]})
        page = int(query.get("page", 0))
        Provider.asked.append((page, query))
        if Provider.script.get(page):
            return self.reply(*Provider.script[page].pop(0))
        following = None
        if page + 1 < len(ENTRIES):
            following = f"/v1/structures?page={page + 1}"
            if Provider.object_links:
                following = {"href": f"http://{self.headers['Host']}{following}"}
        return self.reply(200, {
            "data": [ENTRIES[page]], "links": {"next": following},
            "meta": {"provider": {"name": "Test Provider"}, "data_returned": len(ENTRIES)},
        })


class FetchOptimade(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.folder = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.folder.name, "out.jsonl.gz")
        Provider.script, Provider.asked, Provider.object_links = {}, [], False

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def fetch(self, *more, base=None):
        command = [sys.executable, str(SCRIPT), base or self.base, "--out", self.out, "--pause", "0.01",
                   "--retries", "3", *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def lines(self):
        with gzip.open(self.out, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def ids(self):
        return [line["id"] for line in self.lines() if line.get("type") == "structures"]

    def test_follows_the_pages_and_keeps_licence_and_source(self):
        done = self.fetch("--filter", 'elements HAS "O"')

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.ids(), ["a1", "a2", "a3"])
        self.assertIn("x-optimade", self.lines()[0])
        attributes = self.lines()[1]["attributes"]
        self.assertEqual(attributes["_kronite_license"], "CC-BY-4.0")
        self.assertIn("Test Provider, a1", attributes["_kronite_source"])
        self.assertEqual(Provider.asked[0][1]["filter"], 'elements HAS "O"')
        self.assertIn("_mp_stability", Provider.asked[0][1]["response_fields"])
        self.assertEqual(os.listdir(self.folder.name), ["out.jsonl.gz"])

    def test_follows_links_given_as_objects(self):
        Provider.object_links = True

        self.assertEqual(self.fetch().returncode, 0)

        self.assertEqual(self.ids(), ["a1", "a2", "a3"])

    def test_waits_for_a_busy_server(self):
        Provider.script = {1: [(429, {"errors": [{"detail": "slow down"}]}, [("Retry-After", "0")]),
                               (500, b"oops")]}

        done = self.fetch()

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.ids(), ["a1", "a2", "a3"])
        self.assertIn("slow down", done.stderr)

    def test_goes_on_where_it_stopped(self):
        Provider.script = {2: [(503, b"down")] * 4}
        first = self.fetch()
        self.assertNotEqual(first.returncode, 0)
        self.assertFalse(os.path.exists(self.out))
        with open(self.out + ".part", "ab") as file:
            file.write(b"half a page")

        second = self.fetch()

        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertIn("going on after 2 entries", second.stderr)
        self.assertEqual(self.ids(), ["a1", "a2", "a3"])
        self.assertEqual([page for page, _ in Provider.asked].count(0), 1)

    def test_does_not_mix_two_downloads(self):
        Provider.script = {2: [(503, b"down")] * 4}
        self.fetch()

        other = self.fetch("--filter", "nelements=2")

        self.assertNotEqual(other.returncode, 0)
        self.assertIn("left by another address, filter", other.stderr)

    def test_stops_at_the_limit(self):
        self.assertEqual(self.fetch("--limit", "2").returncode, 0)

        self.assertEqual(self.ids(), ["a1", "a2"])

    def test_passes_on_what_the_server_says_of_a_bad_filter(self):
        Provider.script = {0: [(400, {"errors": [{"detail": "cannot parse filter at 'ELMENTS'"}]})]}

        done = self.fetch("--filter", "ELMENTS")

        self.assertEqual(done.returncode, 1)
        self.assertIn("400", done.stderr)
        self.assertIn("cannot parse filter at 'ELMENTS'", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_says_what_is_wrong_with_an_answer(self):
        bare = {"id": "x", "type": "structures", "attributes": {"nsites": 2}}
        for answer, words in (
            (b"<html>Welcome</html>", "expected JSON"),
            (b"[1, 2]", "JSON object"),
            ({"nothing": 1}, "no list \"data\""),
            ({"data": [bare]}, "response_fields"),
            ({"data": [ENTRIES[0]], "links": {"next": 7}}, "links.next"),
        ):
            with self.subTest(words):
                Provider.script = {0: [(200, answer)]}
                done = self.fetch()
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                for left in os.listdir(self.folder.name):
                    os.remove(os.path.join(self.folder.name, left))

    def test_says_that_a_server_or_address_is_not_there(self):
        for base, words in (("http://127.0.0.1:9/v1", "refused"), ("nonsense", "expected an address"),
                            (self.base + "/elsewhere", "no such endpoint")):
            with self.subTest(base):
                done = self.fetch(base=base)
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                for left in os.listdir(self.folder.name):
                    os.remove(os.path.join(self.folder.name, left))

    def test_writes_what_templates_build_reads(self):
        self.fetch()
        library = os.path.join(self.folder.name, "oxides.ktl")

        build = subprocess.run([KRONITE, "templates", "build", "--from", self.out, "--out", library],
                               capture_output=True, text=True, timeout=60)
        listing = subprocess.run([KRONITE, "templates", "list", library], capture_output=True,
                                 text=True, timeout=60).stdout

        self.assertEqual(build.returncode, 0, build.stderr)
        self.assertIn("a1,MgO,1:1,225,2,", listing)
        self.assertIn("BY-C", listing)
        self.assertIn("Test Provider, a3", listing)


if __name__ == "__main__":
    unittest.main()
