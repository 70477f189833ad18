"""Schemathesis against docs/spec/openapi.json and a real server, and controls that it must find.

usage: run.py [short|long]     CHANCERY_SERVED names the program of crates/server/examples/served
"""
import collections
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SERVED = os.environ.get("CHANCERY_SERVED", ROOT / "target/debug/examples/served")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,every_refusal_is_a_problem"
)
SHORT = ["--phases", "examples,coverage,fuzzing", "--max-examples", "10"]
LONG = ["--phases", "examples,coverage,fuzzing", "--max-examples", "400"]


class Stage:
    """A server with its people; it ends with its standard input."""

    def __enter__(self):
        self.process = subprocess.Popen([SERVED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = json.loads(self.process.stdout.readline())
        return self.said

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def run(stage, base, description, more, tally=os.devnull):
    environment = {
        **os.environ,
        "CHANCERY_TALLY": tally,
        "CHANCERY_STAGE": json.dumps(stage),
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
    }
    command = [
        pathlib.Path(sys.executable).parent / "st", "run", description, "--url", base, "--checks", CHECKS,
        "--seed", "20261122", "--generation-database", "none", "--workers", "2",
        "--continue-on-failure", "--no-color", "--warnings", "off", "--request-timeout", "20",
        # A stream has no end to wait for; `cargo test -p chancery-server --test limits streams` reads it.
        "--exclude-path", "/api/v1/events", "--suppress-health-check", "all", *more,
    ]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, env=environment, cwd=folder, text=True, capture_output=True)


class Liar(http.server.BaseHTTPRequestHandler):
    """Passes everything on, and tells one lie."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        connection = http.client.HTTPConnection(self.server.behind, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        connection.request(self.command, self.path, body, headers)
        real = connection.getresponse()
        status, kind, content = real.status, real.headers.get("content-type"), real.read()
        connection.close()
        if not self.server.told and self.path.startswith("/api/v1/persons/"):
            self.server.told = True
            status, kind, content = self.server.lie
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_QUERY = answer

    def log_message(self, *_):
        pass


def behind_a_liar(stage, description, lie):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.behind, server.told, server.lie = stage["base"].removeprefix("http://"), False, lie
    threading.Thread(target=server.serve_forever, daemon=True).start()
    outcome = run(stage, f"http://127.0.0.1:{server.server_port}", description, NARROW)
    server.shutdown()
    server.server_close()
    return outcome


NARROW = ["--include-path", "/api/v1/persons/{id}", "--phases", "fuzzing", "--max-examples", "10", "--no-shrink"]


def controls(stage, description):
    """What is wrong on purpose must be found, by the check whose it is."""
    lacking = json.loads(pathlib.Path(description).read_text())
    del lacking["paths"]["/api/v1/persons/{id}"]["get"]["responses"]["404"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(lacking, file)
        file.flush()
        yield "a description without one status", "Undocumented status code", run(stage, stage["base"], file.name, NARROW)
    fault = json.dumps({"status": 500}).encode()
    yield "one answer of 500", "Server error", behind_a_liar(stage, description, (500, "application/problem+json", fault))
    yield "one refusal in plain text", "a refusal of type", behind_a_liar(stage, description, (404, "text/plain", b"no"))
    stranger = b'{"id": 7}'
    yield "one answer of another shape", "Response violates schema", behind_a_liar(
        stage, description, (200, "application/json", stranger)
    )


def told(tally):
    """What was answered how often. A run in which next to nothing succeeds has tested the door alone."""
    answers = [line.split("\t") for line in pathlib.Path(tally).read_text().splitlines()]
    succeeded = {label for label, status in answers if status < "300"}
    counts = collections.Counter(status for _, status in answers)
    print("answers: " + ", ".join(f"{status} {count}" for status, count in sorted(counts.items())))
    print(f"operations: {len({label for label, _ in answers})} asked, {len(succeeded)} of them with success")
    if len(succeeded) < 25:
        sys.exit(f"only these succeeded: {sorted(succeeded)}")


def main():
    length = LONG if sys.argv[1:] == ["long"] else SHORT
    description = str(ROOT / "docs/spec/openapi.json")
    with Stage() as stage:
        for name, expected, outcome in controls(stage, description):
            if outcome.returncode == 0 or expected not in outcome.stdout:
                sys.exit(f"control: {name} was not found\n{outcome.stdout}{outcome.stderr}")
            print(f"control: {name} is found")
        with tempfile.NamedTemporaryFile() as tally:
            outcome = run(stage, stage["base"], description, length, tally.name)
            told(tally.name)
    print(outcome.stdout[-6000:] if outcome.returncode == 0 else outcome.stdout + outcome.stderr)
    sys.exit(outcome.returncode)


main()
