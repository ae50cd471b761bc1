"""python-engineio on aiohttp as a server that echoes, for the Go client. Debian's packages, no others:

    /usr/bin/python3 aiohttp_echo.py [--port 0] [--ping-interval 25000] [--ping-timeout 20000]
                                     [--transports polling,websocket] [--cert file --key file]
                                     [--corrupt n] [--as-it-is] [--stdin]

It prints "listening on 127.0.0.1:PORT", refuses a handshake whose query has reject=1, closes a session that says
"close me", and with --corrupt changes message n of every session. --stdin ends it when its input ends, so that it
does not outlive a test that crashes.

Two things of python-engineio 4.3 lose messages without a word to whoever sent them (its answer is 200 "OK"):
a POST of more than Payload.max_decode_packets = 16 packets is dropped, and of a POST that does not arrive in one
piece, the first piece is all that is read (StreamReader.read(n) returns what is there). It does not tell its
max_http_buffer_size, either: there is no maxPayload in its handshake. --as-it-is leaves the first two so.

A third has no flag: text that is JSON comes back as Python prints what it means ("null" as nothing), unless the
server is given another json module, as here.
"""

import argparse
import asyncio
import os
import ssl
import sys
import threading

import engineio
from aiohttp import web
from engineio.payload import Payload


class Text:
    """A json module to which no text is JSON, so that an echo is what was sent."""

    @staticmethod
    def loads(text):
        raise ValueError('text')

    from json import dumps


class Body:
    """What the server reads a POST from, once all of it is here."""

    def __init__(self, data):
        self.data = data

    async def read(self, n):
        return self.data[:n]


@web.middleware
async def whole(request, handler):
    if request.method == 'POST':
        request._payload = Body(await request.read())
    return await handler(request)


def flags():
    p = argparse.ArgumentParser()
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--ping-interval', type=float, default=25000)
    p.add_argument('--ping-timeout', type=float, default=20000)
    p.add_argument('--transports', default='polling,websocket')
    p.add_argument('--cert')
    p.add_argument('--key')
    p.add_argument('--corrupt', type=int, default=-1)
    p.add_argument('--as-it-is', action='store_true')
    p.add_argument('--stdin', action='store_true')
    return p.parse_args()


def echo(o):
    eio = engineio.AsyncServer(async_mode='aiohttp', json=Text, async_handlers=False,
                               ping_interval=o.ping_interval / 1000, ping_timeout=o.ping_timeout / 1000,
                               transports=o.transports.split(','), max_http_buffer_size=1_000_000)
    counts = {}

    @eio.on('connect')
    async def connect(sid, environ):
        if 'reject=1' in environ['QUERY_STRING'].split('&'):
            return 'not you'
        counts[sid] = 0

    @eio.on('message')
    async def message(sid, data):
        if data == 'close me':
            # python-engineio answers a poll that comes after disconnect with 500: wait for the one that takes it.
            queue = eio.sockets[sid].queue
            while not (queue.empty() and queue._getters):
                await asyncio.sleep(0.001)
            await eio.disconnect(sid)
            return
        n, counts[sid] = counts[sid], counts[sid] + 1
        await eio.send(sid, 'corrupt' if n == o.corrupt else data)

    @eio.on('disconnect')
    async def disconnect(sid):
        counts.pop(sid, None)

    return eio


async def main():
    o = flags()
    if not o.as_it_is:
        Payload.max_decode_packets = 1_000_000
    app = web.Application(middlewares=[] if o.as_it_is else [whole], client_max_size=2_000_000)
    echo(o).attach(app)
    context = None
    if o.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(o.cert, o.key)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, '127.0.0.1', o.port, ssl_context=context).start()
    print('listening on 127.0.0.1:%d' % runner.addresses[0][1], flush=True)
    if o.stdin:
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    await asyncio.Event().wait()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
