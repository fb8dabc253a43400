"""Somebody else's RDS: moto's server with `moto_corrections`, for tests of the real binary.

Prints one JSON line when it is ready: `endpointUrl`, and `databasePort`, the port at which its
databases shake hands (give it as `Port` when you create one). `GET /_requests` answers with the
RDS actions received so far, in order, `GET /_messages` with what SES and SNS were given to
deliver. `GET /_fail?number=3&code=InvalidParameterValue` refuses the third call from then on that
changes something of RDS. Ends when its standard input does: whoever started it takes
it along, however they end.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import threading
import urllib.parse
from collections.abc import Callable, Collection, Iterable
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.ses import ses_backends
from moto.sns import sns_backends
from werkzeug.serving import make_server

import moto_accounts  # noqa: F401: it corrects by being there
import moto_clusters  # noqa: F401: the same
import moto_corrections
from postgres_handshake import Handshakes


class QuietHandler(MotoRequestHandler):
    """Without a line for every request: the list of requests is there for that."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Recorder:
    """Writes down the action of every request on its way to moto, and shows the list."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._actions: list[str] = []
        self._fault: tuple[int, str] | None = None
        self._lock = threading.Lock()

    def _refuses(self, action: str) -> str | None:
        """The error's code, if this is the call that is to fail."""
        with self._lock:
            if self._fault is None or action.startswith(("Describe", "List", "AssumeRole")):
                return None
            left, code = self._fault
            self._fault = (left - 1, code) if left > 1 else None
            return code if left == 1 else None

    def __call__(self, environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environment["PATH_INFO"] == "/_fail":
            asked = dict(urllib.parse.parse_qsl(environment["QUERY_STRING"]))
            self._fault = (int(asked["number"]), asked["code"])
            start("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
            return [b"[]"]
        shown = {"/_requests": lambda: self._actions, "/_messages": messages}
        if environment["PATH_INFO"] in shown:
            body = json.dumps(shown[environment["PATH_INFO"]]()).encode()
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            start("200 OK", headers)
            return [body]
        body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        environment["wsgi.input"] = io.BytesIO(body)
        actions = urllib.parse.parse_qs(body.decode("latin-1")).get("Action", [])
        self._actions.extend(actions)
        code = self._refuses(actions[0]) if actions else None
        if code is not None:
            refusal = (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
                "<Message>as was asked for</Message></Error></ErrorResponse>"
            ).encode()
            status = "500 Internal Server Error" if code == "InternalFailure" else "400 Bad Request"
            start(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(refusal)))])
            return [refusal]
        return self._application(environment, start)


def messages() -> list[dict[str, Any]]:
    """What SES and SNS were given to deliver, as moto has recorded it."""
    mails = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    topics = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics.values()
    return [
        {"from": mail.source, "to": mail.destinations, "subject": mail.subject, "body": mail.body}
        for mail in mails
    ] + [
        {"topic": topic.arn, "subject": subject, "body": body, "attributes": attributes}
        for topic in topics
        for _, body, subject, attributes, _ in topic.sent_notifications
    ]


def start(looks: int, imposters: Collection[str] = ()) -> dict[str, Any]:
    """Starts the server in this process; returns what `main` prints."""
    handshakes = Handshakes(imposters)
    moto_corrections.apply(handshakes, looks)
    application = Recorder(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return {
        "endpointUrl": f"http://127.0.0.1:{server.server_port}",
        "databasePort": handshakes.port,
    }


def main() -> None:
    """Serves until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=1, help="how long a status lasts")
    parser.add_argument(
        "--imposter",
        action="append",
        default=[],
        metavar="NAME",
        help="no PostgreSQL answers for an instance of this name",
    )
    arguments = parser.parse_args()
    print(json.dumps(start(arguments.looks, arguments.imposter)), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
