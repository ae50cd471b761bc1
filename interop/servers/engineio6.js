// npm engine.io 6 as a server that echoes, for the Go client and for whoever wants to look at its bytes.
//
//   node engineio6.js [--port 0] [--eio3] [--ping-interval 25000] [--ping-timeout 20000] [--max-payload 1000000]
//                     [--transports polling,websocket] [--cert file --key file] [--corrupt n] [--stdin]
//
// It prints "listening on 127.0.0.1:PORT", refuses a handshake whose query has reject=1, closes a session that
// says "close me", and with --corrupt changes message n of every session. --stdin ends it when its input ends, so
// that it does not outlive a test that crashes.

import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { parseArgs } from "node:util";
import { attach } from "engine.io";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    eio3: { type: "boolean", default: false },
    "ping-interval": { type: "string", default: "25000" },
    "ping-timeout": { type: "string", default: "20000" },
    "max-payload": { type: "string", default: "1000000" },
    transports: { type: "string", default: "polling,websocket" },
    cert: { type: "string" },
    key: { type: "string" },
    corrupt: { type: "string", default: "-1" },
    stdin: { type: "boolean", default: false },
  },
});

const server = flags.cert
  ? https.createServer({ cert: readFileSync(flags.cert), key: readFileSync(flags.key) })
  : http.createServer();

const engine = attach(server, {
  allowEIO3: flags.eio3,
  pingInterval: Number(flags["ping-interval"]),
  pingTimeout: Number(flags["ping-timeout"]),
  maxHttpBufferSize: Number(flags["max-payload"]),
  transports: flags.transports.split(","),
  allowRequest: (req, decide) => {
    const refused = new URL(req.url, "http://localhost").searchParams.get("reject") === "1";
    decide(refused ? "not you" : null, !refused);
  },
});

engine.on("connection", (socket) => {
  let n = 0;
  socket.on("message", (data) => {
    if (data === "close me") return socket.close();
    socket.send(n++ === Number(flags.corrupt) ? "corrupt" : data);
  });
});

server.listen(Number(flags.port), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => process.exit(0));
if (flags.stdin) process.stdin.resume().on("end", () => process.exit(0));
