// Three instances behind nginx and behind HAProxy, with the files of examples/proxy: official clients stay on the
// instance that has their session, and come back when it has gone.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Client, fetchPolling, fetchUpgrade, mixed, modes, same } from "./lib/client.js";
import { Cluster, files, Proxy, settled } from "./lib/cluster.js";
import { request } from "./lib/raw.js";
import { Browser, kinds, Visitor } from "./lib/visitor.js";
import { event, until, within } from "./lib/wait.js";

const ways = Object.keys(kinds).flatMap((kind) => Object.keys(modes).map((mode) => [kind, mode]));
const nodes = ["a", "b", "c"];
const path = "/engine.io/?EIO=4&transport=polling";

for (const [file, sticky] of Object.entries(files)) {
  describe(file, { timeout: 240_000 }, () => {
    let cluster, proxy;
    const leaving = [];
    const keep = (what, leave) => {
      leaving.push(leave);
      return what;
    };
    const open = async ([kind, mode], options = { agent: new Browser() }) => {
      const client = await kinds[kind].in(mode, proxy.url, options);
      return keep(client, () => client.close());
    };
    const come = async ([kind, mode]) => {
      const visitor = await Visitor.come(proxy.url, kind, mode);
      return keep(visitor, () => visitor.leave());
    };
    const crowd = (each, how) => Promise.all(ways.flatMap((way) => Array.from({ length: each }, () => how(way))));

    // bare is a polling session that asks for nothing by itself.
    const bare = async (more) => {
      const { status, headers, body } = await request(proxy.url + path, { headers: more });
      assert.equal(status, 200, body);
      const { sid } = JSON.parse(body.slice(1));
      const cookie = headers["set-cookie"].map((line) => line.split(";")[0]).join("; ");
      const ask = (options) => request(`${proxy.url}${path}&sid=${sid}`, { ...options, headers: { Cookie: cookie } });
      return keep({ sid, node: sid.split(".")[0], ask }, () => ask({ method: "POST", body: "1" }));
    };

    before(async () => {
      cluster = await Cluster.start();
      proxy = await Proxy.start(file, cluster);
    });
    afterEach(() => settled(leaving.splice(0).reverse().map(async (leave) => leave())));
    after(() => settled([proxy?.stop(), cluster?.stop()]));

    test("every client stays on one instance, and every instance has some", async () => {
      const all = await crowd(5, open);
      const where = await Promise.all(all.map((client) => client.echo("node")));
      assert.deepEqual(new Set(where), new Set(nodes));
      await Promise.all(all.map(async (client, i) => {
        const sent = [...mixed(30, i * 100), "€".repeat(66_000), Buffer.alloc(200_000, i)];
        for (const data of sent) client.send(data);
        same((await client.count(1 + sent.length)).slice(1), sent);
        assert.equal(await client.echo("node"), where[i]);
      }));
    });

    test("the tabs of one browser share its cookies, and keep their sessions", async () => {
      const agent = new Browser();
      const tabs = [];
      // By cookie, the first has to have one before the next opens.
      if (sticky === "cookie") tabs.push(await open(ways[0], { agent }));
      tabs.push(...(await Promise.all(ways.map((way) => open(way, { agent })))));
      const where = await Promise.all(tabs.map((tab) => tab.echo("node")));
      if (sticky === "cookie") assert.equal(new Set(where).size, 1);
      for (let i = 0; i < 10; i++) {
        assert.deepEqual(await Promise.all(tabs.map((tab) => tab.echo(`${i}`))), tabs.map(() => `${i}`));
      }
      assert.deepEqual(await Promise.all(tabs.map((tab) => tab.echo("node"))), where);
    });

    test("connections that are kept alive, and the cookies of engine.io-client itself", async () => {
      for (const { transports } of [fetchPolling, fetchUpgrade]) {
        const client = keep(await Client.open(proxy.url, { transports, withCredentials: true }), () => client.close());
        const sent = mixed(100);
        for (const data of sent) client.send(data);
        same(await client.count(sent.length), sent);
        if (transports.length > 1) await client.settle("websocket");
        assert.equal(await client.echo("after"), "after");
      }
    });

    test("the client's address arrives, and no other", async () => {
      const extraHeaders = { "X-Forwarded-For": "192.0.2.1" };
      for (const way of ways) {
        const client = await open(way, { agent: new Browser({ localAddress: "127.0.0.2" }), extraHeaders });
        assert.equal(await client.echo("address"), "127.0.0.2", way.join(" "));
      }
    });

    test("the page's host arrives, and no other", async () => {
      await bare({ Origin: proxy.url });
      const from = (origin, more) => request(proxy.url + path, { headers: { Origin: origin, ...more } });
      assert.equal((await from("http://evil.example")).status, 403);
      assert.equal((await from("http://evil.example", { "X-Forwarded-Host": "evil.example" })).status, 403);
    });

    test("a late request of a session that has gone does not move its browser", async () => {
      for (const sid of nodes.map((node) => `${node}.gone`)) {
        const { status, headers, body } = await request(`${proxy.url}${path}&sid=${sid}`);
        assert.deepEqual([status, JSON.parse(body).code, headers["set-cookie"]], [400, 1, undefined]);
      }
    });

    test("what a parked poll waits for comes at once", async () => {
      const { ask } = await bare();
      for (const size of [1, 1000, 100_000, 900_000]) {
        const poll = ask();
        const body = `4${"x".repeat(size)}`;
        assert.equal((await ask({ method: "POST", body })).body, "ok");
        // The next thing that would push it out is a heartbeat, 20 s away.
        assert.equal((await within(poll, `${size} bytes`, 10_000)).body, body);
      }
    });

    test("an instance that is killed, and comes back", async () => {
      const all = await crowd(5, come);
      const victim = all[0].node;
      const [lost, others] = parted(all, victim, proxy);
      for (const visitor of all) visitor.talk();
      await Promise.all(all.map((visitor) => visitor.hears(10)));
      await cluster.instances[victim].child.kill();
      await Promise.all(lost.map((visitor) => visitor.returned()));
      for (const { node, failures } of lost) {
        assert.notEqual(node, victim);
        assert.equal(failures, 0);
      }
      await Promise.all(others.map((visitor) => visitor.hears(10)));

      await cluster.instances[victim].start();
      const back = await until(async () => {
        const visitor = await come(["client 6", "upgrade"]);
        return visitor.node === victim && visitor;
      }, "a visitor on the restarted instance");
      back.talk();
      await back.hears(10);
      await Promise.all([...all, back].map((visitor) => visitor.hush()));
      for (const visitor of [...others, back]) visitor.undisturbed();
    });

    test("an instance that leaves", async () => {
      const last = await bare(); // does not fetch its last word until the end, and so the instance stays until then
      const all = await crowd(3, come);
      const [left, others] = parted(all, last.node, proxy);
      const instance = cluster.instances[last.node];
      for (const visitor of all) visitor.talk();
      await Promise.all(all.map((visitor) => visitor.hears(10)));
      await Promise.all(left.map((visitor) => visitor.hush()));

      const elsewhere = async () => {
        for (let i = 0; i < 6; i++) assert.notEqual((await bare()).node, last.node);
      };
      const ended = instance.terminate();
      const { headers } = await until(async () => {
        const answer = await request(instance.url + path);
        return answer.status === 503 && answer;
      }, "handshakes to be refused");
      assert.match(headers["retry-after"], /^[1-9]\d*$/);
      await elsewhere();
      for (const visitor of left) visitor.talk();
      await Promise.all(left.map((visitor) => visitor.returned()));
      for (const { node, failures, visits: [first] } of left) {
        assert.notEqual(node, last.node);
        assert.equal(failures, 0);
        assert.equal(first.reason, "transport close");
      }
      if (file.startsWith("haproxy")) {
        await proxy.child.says(new RegExp(`Server instances/${last.node} is stopping`));
        await elsewhere();
      }
      const { status: found, body } = await last.ask();
      assert.deepEqual([found, body], [200, "1"]);
      await ended;
      await Promise.all(all.map((visitor) => visitor.hears(10)));
      await Promise.all(all.map((visitor) => visitor.hush()));
      for (const visitor of others) visitor.undisturbed();
      await instance.start();
    });
  });
}

// parted tells the visitors of an instance from the others, and wants some of both.
function parted(all, node, proxy) {
  const here = all.filter((visitor) => visitor.node === node);
  const there = all.filter((visitor) => visitor.node !== node);
  const where = all.map((visitor) => visitor.node).join(" ");
  assert.ok(here.length > 0 && there.length > 0, `all on ${where}\n${proxy.child.stderr}`);
  return [here, there];
}

describe("time", { timeout: 240_000 }, () => {
  // In place of the files' 60 s: SHORT for instances with a heartbeat of 1 s, LESS for those with 25 s.
  const SHORT = 4, LESS = 2;
  let quick, slow;
  const proxies = {};

  before(async () => {
    [quick, slow] = await Promise.all([Cluster.start("-ping-interval", "1s"), Cluster.start()]);
    await Promise.all(Object.keys(files).map(async (file) => {
      proxies[file] = await Promise.all([Proxy.start(file, quick, SHORT), Proxy.start(file, slow, LESS)]);
    }));
  });
  after(async () => {
    await settled(Object.values(proxies).flat().map((proxy) => proxy.stop()));
    await settled([quick?.stop(), slow?.stop()]);
  });

  test("heartbeats keep what is idle for longer than a proxy waits", async () => {
    await Promise.all(Object.keys(files).flatMap((file) => ways.map(async ([kind, mode]) => {
      const client = await kinds[kind].in(mode, proxies[file][0].url, { agent: new Browser() });
      const beat = kind === "client 3" ? "pong" : "ping"; // clients of revision 3 begin
      const begun = performance.now();
      while (performance.now() - begun < 1.5 * SHORT * 1000) await event(client.socket, beat);
      assert.equal(await client.echo("alive"), "alive", `${file} ${kind} ${mode}`);
      await client.close();
    })));
  });

  test("a proxy that waits for less than a heartbeat cuts what is idle", async () => {
    await Promise.all(Object.keys(files).flatMap((file) => ways.map(async ([kind, mode]) => {
      const visitor = await Visitor.come(proxies[file][1].url, kind, mode);
      visitor.talk();
      await visitor.hears(10);
      await visitor.hush();
      await visitor.lost();
      visitor.talk();
      await visitor.returned();
      await visitor.leave();
    })));
  });
});
