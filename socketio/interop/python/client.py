"""python-socketio's clients against the echo server, run by python.test.js: client.py KIND URL TRANSPORTS"""

import asyncio
import inspect
import sys
import threading

import socketio

PATIENCE = 20

TABLE = [
    ["hello"],
    ["", "€ é 漢字 😀 \u2028 \0 \x1e", 'quotes " and \\'],
    [None, True, False, 0, -1, 1.5],
    [{"a": [1, {"b": []}]}, [], {}],
    [b""],
    [bytes(range(256)), "text between", b"\x00"],
    [{"deep": [b"in", {"er": b"x"}]}],
    ["x" * 100_000],
]


def adapt(client):
    """Gives the sync client's methods the form of the async one's, so that there is one script."""

    class Adapted:
        def __init__(self):
            self.client = client

        def __getattr__(self, name):
            method = getattr(client, name)

            async def call(*args, **kwargs):
                result = await asyncio.to_thread(method, *args, **kwargs)
                return await result if inspect.isawaitable(result) else result

            return call

    return Adapted()


class Inbox:
    """Events by name, from whatever thread they come."""

    def __init__(self, client, is_async, namespaces, names):
        self.loop, self.queues = asyncio.get_running_loop(), {}
        for namespace in namespaces:
            for name in names:
                queue = self.queues[namespace, name] = asyncio.Queue()

                def put(*args, queue=queue):
                    self.loop.call_soon_threadsafe(queue.put_nowait, list(args))

                async def put_async(*args, put=put):
                    put(*args)

                client.on(name, put_async if is_async else put, namespace=namespace)

    async def next(self, name, namespace="/"):
        return await asyncio.wait_for(self.queues[namespace, name].get(), PATIENCE)


async def main(kind, url, transports):
    is_async = kind == "asyncio"
    make = (lambda: socketio.AsyncClient(reconnection=False)) if is_async else (lambda: socketio.Client(reconnection=False))
    client = make()
    inbox = Inbox(client, is_async, ["/", "/custom", "/guarded"], ["auth", "message-back", "sent", "answered", "connect_error", "disconnect"])
    if is_async:

        async def question(*args):
            return tuple(reversed(args))
    else:

        def question(*args):
            return tuple(reversed(args))

    client.on("question", question)
    api = client if is_async else adapt(client)

    await api.connect(url, transports=transports, namespaces=["/", "/custom"], auth={"token": "é"})
    assert await inbox.next("auth") == [{"token": "é"}]
    assert await inbox.next("auth", "/custom") == [{"token": "é"}]

    for row in TABLE:
        for namespace in ["/", "/custom"]:
            await api.emit("message", tuple(row), namespace=namespace)
            assert await inbox.next("message-back", namespace) == row, row
            answer = await api.call("message-with-ack", tuple(row), namespace=namespace, timeout=PATIENCE)
            assert answer == (row[0] if len(row) == 1 else tuple(row)) or list(answer) == row, (row, answer)

    await api.emit("ask-me", ("x", b"y"))
    assert await inbox.next("answered") == [b"y", "x"]
    assert await api.call("divide", [7, 2], timeout=PATIENCE) == 3
    assert await api.call("divide", [7, 0], timeout=PATIENCE) == {"error": "division by zero"}

    other = make()
    others = Inbox(other, is_async, ["/"], ["sent"])
    other_api = other if is_async else adapt(other)
    await other_api.connect(url, transports=transports)
    assert await other_api.call("join", ["red", "blue"], timeout=PATIENCE) == ["blue", "red"]
    await api.call("send", ({"to": ["red", "blue"]}, "both", b"\x01"), timeout=PATIENCE)
    assert await others.next("sent") == ["both", b"\x01"]
    await api.call("send", ({"to": ["red"], "except": ["blue"]}, "nobody"), timeout=PATIENCE)
    await api.call("send", ({"everybody": True}, "all"), timeout=PATIENCE)
    assert await others.next("sent") == ["all"]
    await other_api.disconnect()

    refused = make()
    refused_api = refused if is_async else adapt(refused)
    try:
        await refused_api.connect(url, transports=transports, namespaces=["/guarded"], auth={"password": "guess"})
    except socketio.exceptions.ConnectionError as e:
        assert "namespace" in str(e) or "wrong password" in str(e), e
    else:
        raise AssertionError("it was let in")

    await api.emit("kick-me", False, namespace="/custom")
    await inbox.next("disconnect", "/custom")
    assert await api.call("message-with-ack", 1, timeout=PATIENCE) == 1
    await api.emit("kick-me", True)
    await inbox.next("disconnect")
    await api.wait()
    print("ok")


threading.excepthook = lambda e: sys.__excepthook__(e.exc_type, e.exc_value, e.exc_traceback)
asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3].split(",")))
