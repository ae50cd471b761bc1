// npm engine.io as a server that echoes:
//
//   node --expose-gc server.mjs -addr 127.0.0.1:3000
//
// With --expose-gc, SIGUSR2 collects garbage, so that a session can be weighed.

import http from "node:http";
import { attach } from "engine.io";

const at = process.argv.indexOf("-addr");
const addr = at > 0 ? process.argv[at + 1] : "127.0.0.1:3000";
const [host, port] = addr.split(":");

const server = http.createServer();
const engine = attach(server, {
  pingInterval: 25_000,
  pingTimeout: 20_000,
  httpCompression: false,
  perMessageDeflate: false,
});

engine.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(data));
});

process.on("SIGUSR2", () => globalThis.gc?.());
process.on("SIGTERM", () => process.exit(0));
server.listen({ host, port: Number(port), backlog: 4096 }, () => console.log("listening on", addr));
