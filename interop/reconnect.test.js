// The recipe "In the browser" of docs/recipes.md, as it stands there: it comes back when the server does.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Socket } from "engine.io-client";
import { root, startEcho } from "./lib/server.js";
import { until } from "./lib/wait.js";

test("the recipe for browsers reconnects", { timeout: 120_000 }, async () => {
  const page = await readFile(join(root, "docs/recipes.md"), "utf8");
  const [, code] = /```js\n(function connect[^]*?)```/.exec(page);
  const connect = new Function("Socket", `${code}; return connect;`)(Socket);

  let server = await startEcho();
  const log = [];
  const client = connect(server.url, {
    onopen: () => log.push("open"),
    onmessage: (data) => log.push(data),
    onclose: () => log.push("close"),
  });
  try {
    assert.equal(client.send("too early"), false);
    await until(() => log.includes("open"), "the first session");
    assert.equal(client.send("one"), true);
    await until(() => log.includes("one"), "its echo");
    const addr = server.host;
    await server.terminate();
    await until(() => log.includes("close"), "its end");
    assert.equal(client.send("nobody there"), false);
    server = await startEcho("-addr", addr);
    await until(() => log.filter((line) => line === "open").length === 2, "the second session", 60_000);
    assert.equal(client.send("two"), true);
    await until(() => log.includes("two"), "its echo");
    client.close();
    await until(() => log.at(-1) === "close", "the last end");
    assert.equal(client.send("after the end"), false);
    assert.ok(!log.includes("nobody there"));
  } finally {
    client.close();
    await server.stop();
  }
});
