"""Answers questions about a Feast repository, asked and answered as JSON lines.

Importing Feast takes seconds, so one process imports it and then forks a child
for each question: a child costs milliseconds, knows nothing of earlier answers,
and can be killed when what it talks to never answers. Actions get a process of
their own instead, which answers one question in the foreground and ends.

Feast prints a lot: standard output is turned into standard error here, and the
answers go out by a descriptor that Feast does not know.
"""

import gc
import importlib
import json
import os
import re
import select
import signal
import sys
import traceback
import types

FORWARD = 1 << 16


class Cancelled(KeyboardInterrupt):
    """SIGTERM. As a KeyboardInterrupt it makes psycopg cancel its statement."""


class Refused(Exception):
    """A failure with a code and a remedy; clean where nothing was changed."""

    def __init__(self, code, message, remedy="", clean=True, argument=""):
        super().__init__(message)
        self.failure = {
            "code": code,
            "message": message,
            "remedy": remedy,
            "clean": clean,
            "argument": argument,
        }


class Question:
    """One request: its arguments, and ways to say how the answer comes along."""

    def __init__(self, request, send):
        self.repo = request["repo"]
        self.args = request.get("args") or {}
        self.staged, self.touched = "reading the question", False
        self._send = send

    def stage(self, text):
        """Says what is about to be waited for: it names a hang."""
        self.staged = text
        self._send({"stage": text})

    def touch(self):
        """Says that from here on something may have been changed."""
        self.touched = True

    def progress(self, done, text):
        self._send({"progress": done, "log": text})


def run(sources, once, checked):
    """Serves until standard input ends, or answers one question."""
    out = os.dup(1)
    os.set_inheritable(out, False)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if not checked:
        _leave_types_unchecked()
    if once:
        _once(sources, out)
    else:
        _serve(sources, out)


def _leave_types_unchecked():
    """Two thirds of Feast's import are typeguard rewriting its classes so that
    they check their arguments: a help to whoever writes definitions, and to
    nobody else."""
    try:
        import typeguard
    except ImportError:
        return

    def unchecked(target=None, **options):
        return (lambda wrapped: wrapped) if target is None else target

    typeguard.typechecked = unchecked


def _load(sources):
    """Imports Feast and what is built on it; returns the operations."""
    import feast  # noqa: F401

    sys.dont_write_bytecode = True
    for source in sources:
        module = types.ModuleType(source["module"])
        sys.modules[source["module"]] = module
        exec(compile(source["text"], source["file"], "exec"), module.__dict__)
    return sys.modules["feasthelper.operations"].OPERATIONS


def _once(sources, out):
    def cancel(number, frame):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Cancelled()

    signal.signal(signal.SIGTERM, cancel)
    request = json.loads(sys.stdin.readline())
    send = _sender(out, request["id"])
    try:
        operations = _load(sources)
    except BaseException as error:
        send({"failure": _unusable(error)})
        return
    _answer(operations, request, send)


def _serve(sources, out):
    try:
        operations, broken = _load(sources), None
    except BaseException as error:
        operations, broken = {}, _unusable(error)
    _warm()
    gc.collect()
    gc.freeze()
    jobs, held = {}, b""
    while True:
        ready, _, _ = select.select([0, *jobs], [], [])
        for descriptor in ready:
            if descriptor in jobs:
                _collect(jobs, descriptor, out)
                continue
            data = os.read(0, FORWARD)
            if not data:
                for job in jobs.values():
                    os.kill(job.pid, signal.SIGKILL)
                return
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                _take(json.loads(line), operations, broken, jobs, out)


def _warm():
    """Imports what children would each import anew, where it is installed."""
    for name in (
        "feast.infra.online_stores.redis",
        "feast.infra.offline_stores.contrib.postgres_offline_store.postgres",
        "feast.infra.compute_engines.local.compute",
        "feast.infra.passthrough_provider",
    ):
        try:
            importlib.import_module(name)
        except Exception:
            continue


def _take(request, operations, broken, jobs, out):
    if request.get("cancel"):
        for job in jobs.values():
            if job.id == request["id"]:
                os.kill(job.pid, signal.SIGKILL)
    elif broken:
        _sender(out, request["id"])({"failure": broken})
    else:
        job = _start(operations, request, jobs)
        jobs[job.pipe] = job


class _Job:
    def __init__(self, id, pid, pipe):
        self.id, self.pid, self.pipe = id, pid, pipe
        self.held, self.ended = b"", False


def _start(operations, request, jobs):
    pipe, end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(end)
        return _Job(request["id"], pid, pipe)
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for other in (nothing, pipe, *jobs):
            os.close(other)
        _answer(operations, request, _sender(end, request["id"]))
    finally:
        os._exit(0)


def _collect(jobs, descriptor, out):
    """Hands on what a child says, line by line, and notices its end."""
    job = jobs[descriptor]
    data = os.read(descriptor, FORWARD)
    *lines, job.held = (job.held + data).split(b"\n")
    for line in lines:
        job.ended = job.ended or not line.startswith(b'{"stage"')
        _write(out, line + b"\n")
    if data:
        return
    del jobs[descriptor]
    os.close(descriptor)
    _, status = os.waitpid(job.pid, 0)
    if not job.ended:
        what = f"ended with status {status}"
        if os.WIFSIGNALED(status):
            what = f"was killed by signal {os.WTERMSIG(status)}"
        _sender(out, job.id)(
            {"failure": {"code": "helper_died", "message": f"Feast's process {what}"}}
        )


def _answer(operations, request, send):
    question = Question(request, send)
    try:
        send({"answer": operations[request["op"]](question)})
    except BaseException as error:
        send({"failure": _explain(error, question)})


def _sender(descriptor, id):
    def send(message):
        message["id"] = id
        text = json.dumps(message, default=str, allow_nan=False)
        _write(descriptor, text.encode() + b"\n")

    return send


def _write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def _unusable(error):
    if isinstance(error, Cancelled):
        return Refused("cancelled", "cancelled before Feast was loaded").failure
    if isinstance(error, ModuleNotFoundError):
        return Refused(
            "feast_not_installed",
            f"{sys.executable} cannot import {error.name}",
            "set `python` to the interpreter of the feature repository's environment",
        ).failure
    return Refused("feast_unusable", f"Feast cannot be imported: {_said(error)}").failure


def _said(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _unquoted(error):
    """What is wrong with a configuration, without what stands in it: that may
    be a password."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"{error.problem}, line {mark.line + 1}, column {mark.column + 1}"
    return re.sub(r"input_value=.*?, (?=input_type=)", "", _said(error))


def _explain(error, question):
    """The failure that an exception stands for, told by its class's name: the
    classes live in packages that a repository may not have installed."""
    if isinstance(error, Refused):
        return error.failure
    clean = not question.touched
    if isinstance(error, Cancelled):
        return Refused("cancelled", f"cancelled while {question.staged}", clean=clean).failure
    failure = Refused("feast_error", _said(error), clean=clean).failure
    named = {f"{c.__module__.split('.')[0]}.{c.__name__}" for c in type(error).__mro__}
    said = failure["message"]
    if named & {"redis.AuthenticationError", "redis.AuthenticationWrongNumberOfArgsError"}:
        failure["code"] = "online_store_authentication_failed"
        failure["remedy"] = "correct the online store's connection_string in feature_store.yaml"
    elif named & {"redis.ConnectionError", "redis.TimeoutError"}:
        failure["code"] = "online_store_unreachable"
        failure["remedy"] = "start the online store, or correct its connection_string in feature_store.yaml"
    elif "psycopg.OperationalError" in named and "authentication failed" in said:
        failure["code"] = "offline_store_authentication_failed"
        failure["remedy"] = "correct user and password of the offline store in feature_store.yaml, or in the variables of `env`"
    elif "psycopg.OperationalError" in named:
        failure["code"] = "offline_store_unreachable"
        failure["remedy"] = "start the offline store, or correct its host and port in feature_store.yaml"
    elif "feast.FeatureViewNotFoundException" in named:
        failure["code"] = "no_such_feature_view"
        failure["remedy"] = (
            "`feast.registry` lists what there is; `feast.apply` registers what is defined"
        )
    elif named & {"feast.FeastConfigError", "yaml.YAMLError"}:
        failure["code"] = "invalid_repository"
        failure["message"] = f"feature_store.yaml cannot be used: {_unquoted(error)}"
    elif isinstance(error, SystemExit):
        failure["message"] = "Feast gave up; its log says why"
    else:
        traceback.print_exception(error)
    return failure
