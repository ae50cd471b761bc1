// The same scripts of packets for the reference server and ours: each must give the same answers. SEED and SCRIPTS choose others.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { draw, ODD, play } from "./lib/script.js";
import { startReference } from "./lib/reference.js";
import { Server } from "./lib/server.js";

const SCRIPTS = Number(process.env.SCRIPTS ?? 400);
const SEED = Number(process.env.SEED ?? 1);

describe("the reference and ours", { timeout: 600_000 }, () => {
  let reference, ours;
  before(async () => {
    [reference, ours] = [await startReference(), await Server.start()];
  });
  after(async () => {
    await reference.stop();
    await ours.stop();
  });

  const both = (script) => Promise.all([play(reference.url, script), play(ours.url, script)]);
  const one = (...steps) => ({ transports: [["websocket"]], steps: steps.map((step) => ({ client: 0, nsp: "/", ...step })) });
  const connect = { do: "connect" };
  const odd = (text) => ({ do: "odd", text });

  test(`${SCRIPTS} scripts from seed ${SEED}`, async () => {
    for (let seed = SEED; seed < SEED + SCRIPTS; seed++) {
      const script = draw(seed);
      const [want, got] = await both(script).catch((err) => {
        err.message += `\nseed ${seed}`;
        throw err;
      });
      assert.deepEqual(got, want, `seed ${seed}: ${JSON.stringify(script.steps)}`);
    }
  });

  test("each odd packet, with a namespace and without", async () => {
    for (const text of ODD) {
      for (const script of [one(connect, odd(text)), one(odd(text))]) {
        const [want, got] = await both(script).catch((err) => {
          err.message += `\nafter ${text}`;
          throw err;
        });
        assert.deepEqual(got, want, text);
      }
    }
  });

  // Where ours differs on purpose. closed is whether the session ends.
  const differences = [
    {
      what: "a binary event without attachments is an event; the reference ends the session at the next packet",
      texts: ['50-["message"]', '2["message"]'], closed: [true, false],
    },
    {
      what: "an attachment has one place; the reference fills in one of 1 MB as often as its text says",
      texts: ['51-["message",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]]'], closed: [false, true],
    },
    { what: "the number of attachments is digits; the reference takes none at all for 0", texts: ['5-["unknown"]'], closed: [true, true] },
    { what: "no white space in the place of an id; to the reference it is the id 0", texts: ['2 ["message"]'], closed: [false, true] },
    { what: "an id is below 2^53; the reference answers to another", texts: ['299999999999999999999["message"]'], closed: [false, true] },
  ];
  test("a packet that crosses the server's disconnect is ignored; the reference ends the session, and with it the other namespaces", async () => {
    const kick = { do: "event", event: "kick-me", args: [false] };
    for (const text of ['2["message"]', "31[]", "1"]) {
      const answers = await both(one(connect, { ...connect, nsp: "/custom" }, kick, { ...odd(text), crosses: true }));
      assert.deepEqual(answers.map(([player]) => player.closed), [true, false], text);
    }
  });

  for (const { what, texts, closed } of differences) {
    test(what, async () => {
      const answers = await both(one(connect, ...texts.map(odd)));
      assert.deepEqual(answers.map(([player]) => player.closed), closed);
    });
  }
});
