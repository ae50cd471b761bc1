"""python-engineio's Client, run by python.test.js: sync_client.py URL OPTIONS"""

import json
import sys
import threading
import time

import engineio
import requests

import protocol


class Client(engineio.Client):
    def _trigger_event(self, event, *args, **kwargs):
        """Every message gets a thread of its own, in no order; here they come one after the other."""
        kwargs["run_async"] = False
        return super()._trigger_event(event, *args, **kwargs)


class UTF8Session(requests.Session):
    """Text is posted as Latin-1 otherwise, or not at all."""

    def request(self, method, url, data=None, **kwargs):
        if isinstance(data, str):
            data = data.encode()
        return super().request(method, url, data=data, **kwargs)


def settle(client):
    """disconnect() says nothing to the server while the last POST is under way, and then waits for a ping."""
    while client.state == "connected" and not client.queue.not_empty._waiters:
        time.sleep(0.001)


def main():
    url, options = sys.argv[1], json.loads(sys.argv[2])
    protocol.configure(options)
    threading.excepthook = lambda e: protocol.tell("crashed", e.exc_type.__name__)
    client = Client(http_session=UTF8Session() if options.get("utf8") else None)
    client.on("message", protocol.tell_message)
    client.on("disconnect", lambda: protocol.tell("disconnected"))
    try:
        client.connect(url, transports=options["transports"])
    except engineio.exceptions.ConnectionError as e:
        protocol.tell("refused", [str(arg) if isinstance(arg, str) else arg for arg in e.args])
        return
    protocol.tell("connected", {"sid": client.sid, "transport": client.transport()})
    for line in sys.stdin:
        what, data = protocol.command(line)
        if what == "disconnect":
            settle(client)
            client.disconnect()
            break
        client.send(data)


main()
