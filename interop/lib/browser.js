// Headless Chromium with the clients' browser bundles on a page of another origin than the server's.

import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { program } from "./programs.js";

const require = createRequire(import.meta.url);
const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage", // containers have little of it
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const bundles = {
  3: join(dirname(require.resolve("engine.io-client-3/package.json")), "engine.io.js"),
  6: join(dirname(require.resolve("engine.io-client/package.json")), "dist/engine.io.js"),
};

export function launch() {
  return chromium.launch({ executablePath: program("chromium"), args, timeout: 60_000 });
}

// Site serves a page for each client: /3 and /6. It goes by two names, which are two sites to a browser.
export class Site {
  #listener;

  static async start() {
    const site = new Site();
    site.#listener = http.createServer(async (req, res) => {
      const script = /^\/client(\d)\.js$/.exec(req.url);
      const page = /^\/(\d)$/.exec(req.url);
      if (script) res.setHeader("Content-Type", "text/javascript").end(await readFile(bundles[script[1]]));
      else if (page) {
        res.setHeader("Content-Type", "text/html; charset=utf-8");
        res.end(`<!doctype html><title>${page[1]}</title><link rel="icon" href="data:,"><body><script src="/client${page[1]}.js"></script>`);
      } else res.writeHead(404).end();
    });
    await new Promise((resolve) => site.#listener.listen(0, "127.0.0.1", resolve));
    const { port } = site.#listener.address();
    site.byName = `http://localhost:${port}`;
    site.byAddress = `http://127.0.0.1:${port}`;
    return site;
  }

  async stop() {
    this.#listener.closeAllConnections();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}

// talk opens a client on the page, sends the messages, waits for as many and returns them, with how the client got
// there. What is sent before the client is open, or while it upgrades, is up to the client to keep.
export async function talk(page, url, options, messages = []) {
  const told = await page.evaluate(converse, { url, options, messages: messages.map(pack), patience: 20_000 });
  return { ...told, received: told.received.map(unpack) };
}

// Messages go to the page and back as JSON.
const pack = (data) => (typeof data === "string" ? { text: data } : { base64: data.toString("base64") });
const unpack = ({ text, base64 }) => text ?? Buffer.from(base64, "base64");

// converse runs in the page.
async function converse({ url, options, messages, patience }) {
  const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
  const base64 = (buffer) => btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""));
  const socket = eio(url, options);
  socket.binaryType = "arraybuffer";
  const told = { received: [], upgrades: [] };
  socket.on("upgrade", (transport) => told.upgrades.push(transport.name));
  try {
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`${told.received.length} of ${messages.length} messages came`)), patience);
      const goesOn = options.transports.length > 1;
      const done = () => told.received.length >= messages.length && (!goesOn || told.upgrades.length > 0) && resolve();
      socket.on("message", (data) => {
        told.received.push(typeof data === "object" ? { base64: base64(data) } : { text: data ?? "" });
        done();
      });
      socket.on("upgrade", done);
      socket.on("error", (err) => reject(new Error(`error: ${err.message}`)));
      socket.on("close", (reason) => reject(new Error(`closed: ${reason}`)));
      socket.on("open", () => {
        told.sid = socket.id;
        for (const { text, base64 } of messages) socket.send(text ?? bytes(base64));
        if (messages.length === 0) done();
      });
    });
    told.transport = socket.transport.name;
  } catch (err) {
    told.error = err.message;
  }
  const closed = new Promise((resolve) => socket.on("close", resolve));
  if (socket.readyState !== "closed") {
    socket.close();
    await closed;
  }
  return told;
}
