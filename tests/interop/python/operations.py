"""Reads what is shipped for operators with parsers that nobody here wrote.

usage: operations.py METRICS TRACE     the text of /metrics, and what strace wrote of a server's run
"""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from dockerfile_parse import DockerfileParser
from prometheus_client.parser import text_string_to_metric_families

DEPLOY = Path("deploy")


def check_metrics(text):
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert len(families) > 15, sorted(families)
    series = 0
    for name, family in families.items():
        assert name.startswith("chancery_"), name
        assert family.documentation.endswith("."), name
        assert family.type in ("counter", "gauge", "histogram"), (name, family.type)
        series += len(family.samples)
        if family.type == "histogram":
            check_histogram(name, family)
    assert families["chancery_build_info"].samples[0].labels["version"], "no version"
    names = {sample.name for family in families.values() for sample in family.samples}
    names |= {"chancery_held_revocations", "chancery_trust_expires_in_seconds"}  # held only; sealed only
    for page in [DEPLOY / "alerts.yml", Path("docs/operations/monitoring.md")]:
        for named in re.findall(r"chancery_[a-z_]+", page.read_text()):
            known = named in names or named in families or named + "_count" in names
            assert known, f"{page} names {named}, which is not there"
    print(f"prometheus_client  {len(families)} families, {series} series; every name in alerts and docs exists")


def check_histogram(name, family):
    rows = {}
    for sample in family.samples:
        labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != "le"))
        rows.setdefault(labels, []).append(sample)
    for labels, samples in rows.items():
        buckets = [(float(one.labels["le"]), one.value) for one in samples if one.name.endswith("_bucket")]
        count = next(one.value for one in samples if one.name.endswith("_count"))
        assert buckets == sorted(buckets) and buckets[-1] == (float("inf"), count), (name, labels, buckets)


def allowed_calls():
    """The calls that the unit's SystemCallFilter leaves."""
    text = (DEPLOY / "chancery.service").read_text()
    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        if line.startswith("~"):
            allowed -= set().union(*(expand(name) for name in line[1:].split()))
        else:
            allowed |= set().union(*(expand(name) for name in line.split()))
    return allowed


def expand(name):
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True)
    found = set()
    for line in said.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= expand(word)
    return found


def check_calls(trace):
    called = set(re.findall(r"^\d+\s+([a-z_0-9]+)\(", trace, re.M))
    assert {"fsync", "epoll_wait"} & called or len(called) > 30, sorted(called)
    # The start of a traced program; systemd does that itself.
    refused = called - allowed_calls() - {"execve"}
    if os.geteuid() == 0:
        # SQLite gives its files to the owner of the database, only when it runs as root; the unit does not.
        refused -= {"fchown"}
    assert not refused, f"the unit's filter refuses {sorted(refused)}"
    executable = re.findall(r"^\d+\s+(?:mmap|mprotect)\(.*PROT_WRITE\|PROT_EXEC.*$", trace, re.M)
    assert not executable, f"MemoryDenyWriteExecute refuses {executable[:3]}"
    print(f"system calls  {len(called)} kinds in a run, all within the unit's filter; no memory is writable and executable")


def check_container():
    parser = DockerfileParser(fileobj=io.BytesIO((DEPLOY / "Containerfile").read_bytes()))
    last = {step["instruction"]: step["value"] for step in parser.structure}
    user = last["USER"].split(":")[0]
    assert user.isdigit() and int(user) > 0, last["USER"]
    assert all(":" in image for image in parser.parent_images), parser.parent_images
    final = [step for step in parser.structure if step["instruction"] == "FROM"][-1]["startline"]
    copied = [step["value"] for step in parser.structure if step["instruction"] in ("COPY", "ADD") and step["startline"] > final]
    assert copied == ["--from=build /source/target/release/chancery /usr/bin/chancery"], copied
    assert not [step for step in parser.structure if step["instruction"] == "RUN" and step["startline"] > final]
    print("Containerfile  one program in the image, nothing run in it, not root")


check_metrics(Path(sys.argv[1]).read_text())
check_calls(Path(sys.argv[2]).read_text())
check_container()
