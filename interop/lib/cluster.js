// Instances of examples/proxy, and nginx or HAProxy in front of them with the files of that folder.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.js";
import { program } from "./programs.js";
import { binary, root } from "./server.js";
import { until } from "./wait.js";

const tuned = process.env.ENGINEIO_TUNED ? ["-tuned"] : [];
const nodes = ["a", "b", "c"];

// Everything listens on a loopback address that no other process uses: a port is free there, and free again
// after a SIGKILL, whatever other tests do.
const host = `127.${100 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

const temporary = mkdtempSync(join(tmpdir(), "interop-proxy-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

// An Instance is one of the servers. It comes back where it was.
class Instance {
  port = 0;

  constructor(node, flags) {
    this.node = node;
    this.flags = flags;
  }

  async start() {
    const args = ["-addr", `${host}:${this.port}`, "-node", this.node, "-drain", "1s", ...tuned, ...this.flags];
    this.child = new Child(`instance ${this.node}`, await binary("proxy"), args);
    this.port = Number((await this.child.says(/^listening on \S+:(\d+)$/))[1]);
    this.host = `${host}:${this.port}`;
    this.url = `http://${this.host}`;
  }

  // terminate is SIGTERM, on which an instance lets its clients go and ends in peace.
  terminate() {
    return this.child.end("SIGTERM", /panic|DATA RACE|fatal error/i);
  }
}

export class Cluster {
  instances = {};

  // start starts an instance a node; they take turns at the two stacks.
  static async start(...flags) {
    const cluster = new Cluster();
    await Promise.all(nodes.map((node, i) => {
      cluster.instances[node] = new Instance(node, ["-stack", i === 1 ? "fiber" : "fasthttp", ...flags]);
      return cluster.instances[node].start();
    }));
    return cluster;
  }

  stop() {
    return settled(nodes.map((node) => this.instances[node].terminate()));
  }
}

// settled waits for all, and then fails if one has.
export async function settled(promises) {
  const failed = (await Promise.allSettled(promises)).filter(({ status }) => status === "rejected");
  if (failed.length > 0) throw failed[0].reason;
}

// The files, and what each is sticky by.
export const files = {
  "nginx-sid.conf": "sid",
  "nginx-cookie.conf": "cookie",
  "haproxy-sid.cfg": "sid",
  "haproxy-learn.cfg": "sid",
  "haproxy-cookie.cfg": "cookie",
};

const proxies = {
  nginx: {
    args: (dir, config) => {
      writeFileSync(join(dir, "nginx.conf"), main(dir, config));
      return ["-e", "stderr", "-c", join(dir, "nginx.conf")];
    },
    port: ["listen 80;", (port) => `listen ${host}:${port};`],
    timeouts: ["proxy_read_timeout 60s;", "proxy_send_timeout 60s;"],
    end: "SIGQUIT", // both wait until the last client has gone
    trouble: /\[(emerg|alert|crit)\]/,
  },
  haproxy: {
    args: (dir, config) => ["-db", "-f", config],
    port: ["bind :80\n", (port) => `bind ${host}:${port}\n`],
    timeouts: ["timeout client 60s", "timeout server 60s", "timeout tunnel 60s"],
    end: "SIGUSR1",
    trouble: /\[ALERT\]/,
  },
};

const parts = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

// main is the rest of nginx's configuration: Debian's, with no file outside of dir.
const main = (dir, config) => `
daemon off;
worker_processes 2;
${process.getuid() === 0 ? "user root root;" : ""}
pid ${dir}/nginx.pid;
events { worker_connections 2048; }
http {
  access_log off;
  gzip on;
  ${parts.map((what) => `${what}_temp_path ${dir}/${what};`).join("\n  ")}
  include ${config};
}
`;

export class Proxy {
  // start starts a proxy in front of a cluster; timeout, in seconds, is put in place of the file's 60.
  static async start(file, cluster, timeout = 60) {
    const proxy = new Proxy();
    const name = file.split("-")[0];
    proxy.program = proxies[name];
    proxy.path = program(name);
    const port = await freePort();
    proxy.host = `${host}:${port}`;
    proxy.url = `http://${proxy.host}`;
    const dir = mkdtempSync(join(temporary, "proxy-"));
    const config = join(dir, file);
    writeFileSync(config, adapt(readFileSync(join(root, "examples/proxy", file), "utf8"), [
      [proxy.program.port[0], proxy.program.port[1](port)],
      ...nodes.map((node, i) => [`127.0.0.1:300${i + 1}`, cluster.instances[node].host]),
      ...proxy.program.timeouts.map((line) => [line, line.replace("60s", `${timeout}s`)]),
    ]));
    proxy.child = new Child(name, proxy.path, proxy.program.args(dir, config));
    await until(() => proxy.#listens(port), `${name} to listen`);
    return proxy;
  }

  #listens(port) {
    if (this.child.over) throw new Error(`${this.path} ended: ${this.child.stderr}`);
    return listens(port);
  }

  stop() {
    return this.child.end(this.program.end, this.program.trouble);
  }
}

// adapt puts this machine's addresses into a file. Every one must have a place there.
function adapt(text, edits) {
  for (const [from, to] of edits) {
    assert.ok(text.includes(from), `no ${from} in the file`);
    text = text.replaceAll(from, to);
  }
  return text;
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, host, resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
