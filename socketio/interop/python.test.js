// Debian's python3-socketio, its Client and its AsyncClient: python/client.py has the tables.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Child } from "../../interop/lib/child.js";
import { program } from "../../interop/lib/programs.js";
import { within } from "../../interop/lib/wait.js";
import { Server, stacks } from "./lib/server.js";

const script = fileURLToPath(new URL("python/client.py", import.meta.url));

for (const stack of stacks) {
  describe(`python-socketio, ${stack}`, { timeout: 180_000 }, () => {
    let server;
    before(async () => {
      server = await Server.start("-stack", stack);
    });
    after(() => server.stop());
    for (const kind of ["sync", "asyncio"]) {
      for (const transports of ["polling", "websocket", "polling,websocket"]) {
        test(`${kind}, ${transports}`, async () => {
          const client = new Child("python", program("python"), ["-B", script, kind, server.url, transports]);
          await client.says(/^ok$/, 60_000);
          const { code } = await within(client.ended, "its end", 60_000);
          assert.equal(code, 0, client.stderr);
        });
      }
    }
  });
}
