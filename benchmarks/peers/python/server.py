"""python-engineio on aiohttp as a server that echoes. Debian's packages, no others:

    /usr/bin/python3 server.py -addr 127.0.0.1:3000

Two settings are not its defaults. A POST may carry more than 16 packets; with the default the larger
ones are dropped and answered 200. And text is taken as text; otherwise what looks like JSON is
decoded, and printed again on its way back. SIGUSR2 collects garbage, so that a session can be weighed.
"""

import argparse
import asyncio
import gc
import signal

import engineio
from aiohttp import web
from engineio.payload import Payload


class Text:
    """A json module to which no text is JSON."""

    @staticmethod
    def loads(text):
        raise ValueError('text')

    from json import dumps


def flags():
    p = argparse.ArgumentParser()
    p.add_argument('-addr', default='127.0.0.1:3000')
    return p.parse_args()


async def main():
    host, port = flags().addr.split(':')
    Payload.max_decode_packets = 1_000_000
    eio = engineio.AsyncServer(async_mode='aiohttp', json=Text, async_handlers=False, ping_interval=25, ping_timeout=20,
                               http_compression=False, max_http_buffer_size=1_000_000, cors_allowed_origins=[])

    @eio.on('message')
    async def message(sid, data):
        await eio.send(sid, data)

    app = web.Application(client_max_size=2_000_000)
    eio.attach(app)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, gc.collect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, int(port), backlog=4096).start()
    print('listening on %s:%s' % (host, port), flush=True)
    await asyncio.Event().wait()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
