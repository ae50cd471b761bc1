"""How a client here talks to the test that started it: a line of JSON for each command and each event."""

import base64
import json
import sys

from engineio.payload import Payload


def configure(options):
    """The client refuses payloads of more than 16 packets unless told otherwise."""
    if "packets" in options:
        Payload.max_decode_packets = options["packets"]


def command(line):
    """(what to do, with what data)"""
    (what, data), = json.loads(line).items()
    return what, base64.b64decode(data) if what == "binary" else data


def tell(event, data=None):
    sys.stdout.write(json.dumps({event: data}) + "\n")
    sys.stdout.flush()


def tell_message(data):
    if isinstance(data, bytes):
        tell("binary", base64.b64encode(data).decode())
    elif isinstance(data, str):
        tell("text", data)
    else:
        tell("json", data)
