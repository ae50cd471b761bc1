// The pages of the examples, in Chromium, each with two visitors.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { launch } from "../../interop/lib/browser.js";
import { Child } from "../../interop/lib/child.js";

const module = fileURLToPath(new URL("..", import.meta.url));
const script = fileURLToPath(new URL("node_modules/socket.io-client/dist/socket.io.min.js", import.meta.url));

describe("the examples in a browser", { timeout: 240_000 }, () => {
  let browser, dir;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "socketio-examples-"));
    await promisify(execFile)("go", ["build", "-o", dir + "/", "./examples/..."], { cwd: module });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await rm(dir, { recursive: true, force: true });
  });

  // visit starts an example and opens its page twice.
  const visit = async (name, play) => {
    const server = new Child(name, join(dir, name), ["-addr", "127.0.0.1:0", "-client", script]);
    const [, url] = await server.says(/^listening on (\S+)/, 60_000);
    const visitors = [];
    const troubles = [];
    for (let i = 0; i < 2; i++) {
      const page = await (await browser.newContext()).newPage();
      page.on("pageerror", (err) => troubles.push(err.message));
      await page.goto(url);
      visitors.push(page);
    }
    await play(...visitors);
    await Promise.all(visitors.map((page) => page.context().close()));
    await server.end("SIGTERM", /panic|DATA RACE/);
    assert.deepEqual(troubles, []);
  };

  test("chat", () =>
    visit("chat", async (a, b) => {
      for (const [from, text] of [[a, "hello"], [b, "<b>€ 😀</b>"], [a, "again"]]) {
        await from.fill("#input", text);
        await from.press("#input", "Enter");
        for (const page of [a, b]) await page.locator("#messages li", { hasText: text }).waitFor();
      }
      assert.deepEqual(await b.locator("#messages li").allTextContents(), ["hello", "<b>€ 😀</b>", "again"]);
    }));

  test("presence", () =>
    visit("presence", async (a, b) => {
      const enter = async (page, name, room) => {
        await page.fill("#name", name);
        await page.fill("#room", room);
        await page.click("#enter button");
      };
      const present = (page, names) => page.locator("#present", { hasText: new RegExp(`^${names}$`) }).waitFor();
      await enter(a, "Ann", "red");
      await present(a, "Ann");
      await enter(b, "Bob", "red");
      for (const page of [a, b]) await present(page, "Ann, Bob");
      await a.fill("#text", "hi");
      await a.press("#text", "Enter");
      await b.locator("#said li", { hasText: "Ann: hi" }).waitFor();
      await enter(b, "Bob", "blue");
      await present(a, "Ann");
      await present(b, "Bob");
      await enter(b, "Bob", "red");
      await present(a, "Ann, Bob");
      await b.close();
      await present(a, "Ann");
    }));

  test("upload", () =>
    visit("upload", async (a) => {
      const buffer = Buffer.alloc(1_000_003, "socket.io");
      await a.setInputFiles("#file", { name: "a.bin", mimeType: "application/octet-stream", buffer });
      await a.locator("#result", { hasText: createHash("sha256").update(buffer).digest("hex") }).waitFor();
      assert.equal(await a.locator("#progress").evaluate((bar) => bar.value), 1);
    }));
});
