"""Laws for hooks that describe: they are functions of their arguments, and show no secret."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from base64 import b64encode

import pytest

from rkx.testing.conformance import samples, shown
from rkx.testing.conformance.effects import noticed
from rkx.testing.conformance.subject import Subject

STAGES = ("auth", "network", "service", "addon", "extension")
SEEDS = ("1", "2")


def test_hooks_touch_nothing_outside(subject: Subject) -> None:
    """No socket, no process, no environment, no file but those of the plugin's own package."""
    with noticed(sys.modules.get(subject.kind.__module__)) as heard:
        shown.described(subject.again())
    assert heard == []


def test_what_a_hook_is_given_stays_as_it_was(subject: Subject) -> None:
    """Cluster and facts are not written to."""
    cases = list(subject.cases())
    before = shown.text([(case.cluster, case.facts) for case in cases])
    shown.described(subject, cases)
    assert shown.text([(case.cluster, case.facts) for case in cases]) == before


def test_the_same_input_gives_the_same(subject: Subject) -> None:
    """Asked twice, and of another instance, a plugin gives equal values."""
    first = shown.text(shown.described(subject))
    assert shown.text(shown.described(subject)) == first
    assert shown.text(shown.described(subject.again())) == first


def test_the_same_input_gives_the_same_under_another_hash_seed(subject: Subject) -> None:
    """No order comes from a set: or a container would be replaced because rkx was started again."""
    assert len({_in_another_process(subject, seed) for seed in SEEDS}) == 1


def _in_another_process(subject: Subject, seed: str) -> str:
    ref = subject.chosen.ref
    command = [sys.executable, "-m", "rkx.testing.conformance.say", f"{ref.stage}:{ref.name}"]
    options = json.dumps(dict(ref.options))
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([*command, options], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_secret_is_shown(subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
    """A registry's password is in no repr, no text, no problem and no log, plain or in base64."""
    with caplog.at_level(logging.DEBUG):
        found = shown.described(subject)
    problems = [problem for case in subject.cases() for problem in subject.problems(case.cluster)]
    said = "\n".join([*map(repr, found), *map(str, found), *map(repr, problems), caplog.text])
    forms = (samples.PASSWORD, b64encode(samples.PASSWORD.encode()).decode(), samples.LOGIN)
    assert [form for form in forms if form in said] == []
