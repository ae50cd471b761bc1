// npm engine.io-client 3.5, which speaks revision 3: what goes in comes out, and each of its ways to talk was really
// used, as seen on the wire.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { mixed, same } from "./lib/client.js";
import { Client3, XHR2Client } from "./lib/client3.js";
import { stacks, startEcho } from "./lib/server.js";
import { BINARY, Tap, TEXT } from "./lib/tap.js";
import { event, within } from "./lib/wait.js";

const LIMIT = 1_000_000; // the default of -max-payload
const OCTETS = "application/octet-stream";
const UTF8 = "text/plain; charset=UTF-8";

const texts = [
  "hello",
  "",
  " ",
  "\n\r\t\0",
  "€ é ñ 漢字 עברית",
  "astral 😀𝄞👩‍👩‍👧‍👦🏳️‍🌈",
  "\u2028 and \u2029",
  'quotes " and \\ and </script>',
  "b4AQIDBA==", // looks like binary
  "4", "2probe", "b", "0{}", "3:4hi", // looks like a payload
  "\uFEFFbyte order mark",
  "é".normalize("NFD"),
  "x".repeat(200_000),
  "😀".repeat(50_000),
];

const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const binaries = [every, Buffer.alloc(0), Buffer.from([0]), Buffer.from([4]), Buffer.alloc(100_001, 0xfe)];

// The ways the client talks. polls and frames are how binary data travels: as octets or in base64.
const ways = {
  "polling with XHR2": { Kind: XHR2Client, mode: "polling", polls: "octets" },
  "polling without XHR2": { Kind: Client3, mode: "polling", polls: "base64" },
  "polling, forceBase64": { Kind: XHR2Client, mode: "polling", polls: "base64", options: { forceBase64: true } },
  "websocket": { Kind: Client3, mode: "websocket", frames: "octets" },
  "websocket, forceBase64": { Kind: Client3, mode: "websocket", frames: "base64", options: { forceBase64: true } },
  "upgrade with XHR2": { Kind: XHR2Client, mode: "upgrade", polls: "octets", frames: "octets" },
  "upgrade without XHR2": { Kind: Client3, mode: "upgrade", polls: "base64", frames: "octets" },
  "upgrade, forceBase64": { Kind: Client3, mode: "upgrade", polls: "base64", frames: "base64", options: { forceBase64: true } },
};

for (const stack of stacks) {
  describe(`engine.io-client 3, ${stack}`, { timeout: 240_000 }, () => {
    let server, tap;
    const clients = [];
    const keep = (client) => (clients.push(client), client);

    before(async () => {
      server = await startEcho("-stack", stack);
    });
    beforeEach(async () => {
      tap = await Tap.on(server);
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      await tap.close();
      assert.equal(server.trouble(), "");
    });
    after(() => server.stop());

    for (const [name, way] of Object.entries(ways)) {
      const { Kind, mode, options } = way;

      describe(name, () => {
        const open = async () => keep(await Kind.in(mode, tap.url, options));

        test("agrees with the server on revision, transport and encoding", async () => {
          const client = await open();
          for (let i = 0; i < 3; i++) {
            assert.equal(await client.echo(`€😀 ${i}`), `€😀 ${i}`);
            assert.deepEqual(await client.echo(every), every);
          }
          assert.equal(client.transport, mode === "polling" ? "polling" : "websocket");
          assert.deepEqual(client.upgrades, mode === "upgrade" ? ["websocket"] : []);
          assert.deepEqual(client.upgradeErrors, []);
          negotiated(tap, client, way);
        });

        test("the handshake", async () => {
          const client = keep(new Kind(tap.url, { transports: mode === "websocket" ? ["websocket"] : ["polling"], ...options }));
          const [handshake] = await event(client.socket, "handshake");
          assert.deepEqual(handshake, {
            sid: handshake.sid,
            upgrades: mode === "websocket" ? [] : ["websocket"],
            pingInterval: 25_000,
            pingTimeout: 20_000,
            maxPayload: LIMIT,
          });
          await within(client.opened, "the client to open");
        });

        test("text", async () => {
          const client = await open();
          for (const text of texts) client.send(text);
          same(await client.count(texts.length), texts);
        });

        test("text, one by one", async () => {
          const client = await open();
          for (const text of texts) assert.equal(await client.echo(text), text);
        });

        test("binary", async () => {
          const client = await open();
          for (const data of binaries) client.send(data);
          same(await client.count(binaries.length), binaries);
        });

        test("a burst of 1,000, text and binary, in order both ways", async () => {
          const client = await open();
          const sent = mixed(1000);
          for (const data of sent) client.send(data);
          same(await client.count(sent.length, 60_000), sent);
          negotiated(tap, client, way);
        });

        test("as large as maxPayload", async () => {
          const client = await open();
          // A payload of text has the length in front, a message in a frame its type only.
          const room = mode === "polling" ? LIMIT - "999992:4".length : LIMIT - 1;
          const largest = "z".repeat(room);
          assert.ok((await client.echo(largest)) === largest);
          const wide = "é".repeat(room / 2 - 1) + "z";
          assert.ok((await client.echo(wide)) === wide);
          const octets = way[mode === "polling" ? "polls" : "frames"] === "octets";
          const head = mode === "polling" ? 9 : 1; // 01, six digits, ff; and the type
          const binary = Buffer.alloc(octets ? LIMIT - head : 749_985, 0xa5);
          assert.ok(binary.equals(await client.echo(binary)));
        });

        test("larger than maxPayload ends the session, and only this one", async () => {
          const other = await open();
          const client = await open();
          client.send("z".repeat(LIMIT + 1));
          const [reason, details] = await within(client.ended, "the close");
          if (mode === "polling") {
            assert.equal(reason, "transport error");
            assert.equal(details.description, 413);
          } else {
            assert.equal(reason, "transport close");
            assert.ok(tap.websockets.some(({ received }) => received.at(-1).opcode === 8 && received.at(-1).data.readUInt16BE() === 1009));
          }
          assert.equal(await other.echo("untouched"), "untouched");
        });

        test("20 clients at once", async () => {
          const all = await Promise.all(Array.from({ length: 20 }, () => open()));
          await Promise.all(all.map(async (client, i) => {
            const sent = mixed(40, i * 1000);
            for (const data of sent) client.send(data);
            same(await client.count(sent.length, 60_000), sent);
          }));
        });

        test("closes, and the server knows", async () => {
          const client = await open();
          assert.equal(await client.echo("hello"), "hello");
          const sid = client.socket.id;
          await client.close();
          const again = await open();
          assert.notEqual(again.socket.id, sid);
          assert.equal(await again.echo("back"), "back");
        });
      });
    }

    test("messages sent while it upgrades arrive once and in order", async () => {
      const client = keep(new XHR2Client(tap.url, { transports: ["polling", "websocket"] }));
      const sent = mixed(1000);
      const seen = [];
      const stage = (name, from, to) => {
        seen.push([name, client.transport]);
        for (const data of sent.slice(from, to)) client.send(data);
      };
      client.socket.once("open", () => stage("open", 0, 300));
      client.socket.once("upgrading", () => stage("upgrading", 300, 600));
      client.socket.once("upgrade", () => stage("upgrade", 600, 1000));
      same(await client.count(sent.length, 60_000), sent);
      assert.deepEqual(seen, [["open", "polling"], ["upgrading", "polling"], ["upgrade", "websocket"]]);
    });

    for (const [name, transports] of [["polling", ["polling"]], ["upgrade", ["polling", "websocket"]]]) {
      test(`the client pings and the server answers, ${name}`, async () => {
        const quick = await startEcho("-stack", stack, "-ping-interval", "100ms", "-ping-timeout", "10s");
        try {
          await tap.close();
          tap = await Tap.on(quick);
          const client = keep(await Client3.open(tap.url, { transports }));
          if (name === "upgrade") await client.settle("websocket");
          for (let i = 0; i < 5; i++) await event(client.socket, "pong");
          assert.equal(await client.echo("alive"), "alive");
          const [packets, answers] = name === "polling"
            ? [tap.posts.map(({ body }) => body.toString()), tap.polls.map(({ answer }) => answer.body.toString())]
            : [tap.websockets[0].sent.map(({ data }) => data.toString()), tap.websockets[0].received.map(({ data }) => data.toString())];
          const [ping, pong] = name === "polling" ? ["1:2", "1:3"] : ["2", "3"];
          assert.ok(packets.filter((packet) => packet === ping).length >= 5, packets.join(" "));
          assert.ok(answers.filter((packet) => packet === pong).length >= 5, answers.join(" "));
          assert.ok(!answers.includes(ping), "the server does not ping this revision");
          await Promise.all(clients.splice(0).map((client) => client.close()));
        } finally {
          await quick.stop();
        }
      });
    }

    test("-protocols 4 refuses it, on both transports", async () => {
      const modern = await startEcho("-stack", stack, "-protocols", "4");
      try {
        await tap.close();
        tap = await Tap.on(modern);
        for (const transport of ["polling", "websocket"]) {
          const client = new Client3(tap.url, { transports: [transport] });
          await event(client.socket, "error");
        }
        const refused = tap.exchanges.map(({ query, status, answer }) => [query.get("transport"), status, JSON.parse(answer.body).code]);
        assert.deepEqual(refused, [["polling", 400, 5], ["websocket", 400, 5]]);
      } finally {
        await modern.stop();
      }
    });
  });
}

// negotiated looks at what went over the wire for a client that has sent text and binary.
function negotiated(tap, client, { mode, polls, frames, options }) {
  for (const { url, query } of tap.exchanges) assert.equal(query.get("EIO"), "3", url);
  assert.equal(tap.handshakes.length, 1);
  const [handshake] = tap.handshakes;
  assert.equal(handshake.query.get("transport"), mode === "websocket" ? "websocket" : "polling");
  assert.equal(tap.websockets.length, mode === "polling" ? 0 : 1);
  if (mode !== "websocket") {
    assert.equal(handshake.query.get("b64"), polls === "base64" ? "1" : null);
    assert.equal(handshake.answer.headers["content-type"], UTF8);
    assert.match(handshake.answer.body.toString(), /^\d+:0\{"sid":/);
  }
  if (mode === "polling") {
    binaryInPayloads(tap, polls);
    return;
  }
  const [ws] = tap.websockets;
  assert.equal(ws.query.get("sid"), mode === "upgrade" ? client.socket.id : null);
  assert.equal(ws.query.get("b64"), options?.forceBase64 ? "1" : null);
  binaryInFrames(ws.sent, frames, "client");
  binaryInFrames(ws.received, frames, "server");
  if (mode === "upgrade") {
    assert.deepEqual(ws.sent.slice(0, 2).map(({ data }) => data.toString()), ["2probe", "5"]);
    assert.equal(ws.received[0].data.toString(), "3probe");
  } else {
    assert.match(ws.received[0].data.toString(), /^0\{"sid":/);
  }
}

function binaryInPayloads(tap, as) {
  const posts = tap.posts.map(({ headers, body }) => [headers["content-type"], body]);
  const polls = tap.polls.map(({ answer }) => [answer.headers["content-type"], answer.body]);
  for (const [who, payloads] of [["client", posts], ["server", polls]]) {
    const octets = payloads.filter(([type]) => type === OCTETS);
    const text = payloads.filter(([type]) => type !== OCTETS);
    if (as === "octets") {
      assert.ok(octets.length > 0, `no binary payload of the ${who}`);
      // 0 or 1, the digits of a length, ff, and the type: as a byte for binary, as a character for text
      for (const [, body] of octets) assert.match(body.toString("latin1"), /^(\x00[\x00-\x09]+\xff[0-6]|\x01[\x00-\x09]+\xff\x04)/);
      assert.ok(octets.some(([, body]) => /\x01[\x00-\x09]+\xff\x04/.test(body.toString("latin1"))));
    } else {
      assert.equal(octets.length, 0, `a binary payload of the ${who}`);
      assert.ok(text.some(([, body]) => /\d:b4/.test(body.toString())), `no base64 of the ${who}`);
    }
    for (const [type, body] of text) {
      assert.match(type, who === "server" ? /^text\/plain; charset=UTF-8$/ : /^text\/plain;charset=UTF-8$/);
      assert.match(body.toString(), /^\d+:/);
      if (as === "octets") assert.doesNotMatch(body.toString(), /^\d+:b4/);
    }
  }
}

function binaryInFrames(frames, as, who) {
  const binary = frames.filter(({ opcode }) => opcode === BINARY);
  const base64 = frames.filter(({ opcode, data }) => opcode === TEXT && data.toString("latin1", 0, 2) === "b4");
  if (as === "octets") {
    assert.equal(base64.length, 0, `base64 of the ${who} in a frame, first ${base64[0]?.data.toString().slice(0, 30)}`);
    assert.ok(binary.length > 0, `no binary frame of the ${who}`);
    for (const { data } of binary) assert.equal(data[0], 4);
  } else {
    assert.equal(binary.length, 0, `a binary frame of the ${who}`);
    assert.ok(base64.length > 0, `no base64 of the ${who}`);
  }
}
