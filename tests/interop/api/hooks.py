"""Who asks, about what, and what every refusal must be: read by schemathesis (SCHEMATHESIS_HOOKS)."""
import hashlib
import json
import os

import schemathesis

STAGE = json.loads(os.environ["CHANCERY_STAGE"])
MEMBERS = {"type", "title", "status", "code", "reason", "remedy", "request_id"}


def draw(*about, of):
    """A number below `of` that follows from what it is about, so that a run can be repeated."""
    text = json.dumps([repr(part) for part in about])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % of


def known(name, value, path):
    if name == "id":
        return STAGE["persons" if "/persons/" in path else "ids"][draw(value, of=2)]
    return STAGE["sha256"] if name == "sha256" else {"name": "ssh-admin", "path": "0/000.p/1"}.get(name)


@schemathesis.hook
def map_path_parameters(context, parameters):
    """Every second name is one that exists."""
    for name, value in list((parameters or {}).items()):
        real = known(name, value, context.operation.path)
        if real is not None and draw("path", value, of=2):
            parameters[name] = real
    return parameters


@schemathesis.hook
def map_body(context, body):
    """Every third body is good, or good but for one member."""
    good = STAGE["bodies"].get(context.operation.path)
    choice = draw("body", body, of=6)
    if good is None or choice > 1:
        return body
    if choice == 1 and isinstance(body, dict) and body:
        name = sorted(body)[draw(body, of=len(body))]
        return {**good, name: body[name]}
    return good


@schemathesis.hook
def before_call(context, case, kwargs):
    """One of the people who are signed in, or nobody; browsers say where an unsafe request comes from."""
    headers = {name.lower() for name in (case.headers or {})}
    if headers & {"cookie", "authorization"}:
        return
    who = draw("who", case.path, case.path_parameters, case.query, case.body, of=len(STAGE["cookies"]) * 8 + 4)
    sent = dict(case.headers or {})
    if case.operation.path == "/api/v1/sessions/current":
        sent["Cookie"] = "__Host-chancery=" + STAGE["leaver"]
    elif who >= 4:
        sent["Cookie"] = "__Host-chancery=" + STAGE["cookies"][who % len(STAGE["cookies"])]
    sent.setdefault("Origin", STAGE["origin"])
    if case.operation.path.endswith("/revisions") and who % 4:
        sent.setdefault("If-Match", '"1"')
    if who % 8 == 1:
        sent.setdefault("Idempotency-Key", f"key {who}")
    case.headers = sent


@schemathesis.check
def every_refusal_is_a_problem(context, response, case):
    """RFC 9457, with our members and no others, and a status that is the answer's own."""
    with open(os.environ["CHANCERY_TALLY"], "a") as tally:
        tally.write(f"{case.operation.label}\t{response.status_code}\n")
    if response.status_code < 400:
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind == "application/problem+json", f"a refusal of type `{kind}`"
    problem = json.loads(response.content)
    assert MEMBERS <= set(problem) <= MEMBERS | {"errors"}, f"members: {sorted(problem)}"
    assert problem["status"] == response.status_code
    assert problem["type"] == "urn:chancery:problem:" + problem["code"]
    for name in MEMBERS - {"status"}:
        assert problem[name] and isinstance(problem[name], str), name
