// Scripts of packets for several clients, drawn from a seed, and what a server answers to one.

import { Socket } from "engine.io-client";
import { PATIENCE, within } from "../../../interop/lib/wait.js";

// random is a generator of numbers below n (mulberry32).
export function random(seed) {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
}

const FENCE = 900_000_000; // ids from here on are the player's own
const NAMESPACES = ["/", "/custom", "/guarded", "/nowhere"];
const head = (type, nsp) => (nsp === "/" ? type : `${type}${nsp},`);

// What a client must not send, or may and has no answer.
export const ODD = [
  "", "7", "x", "2", "2{}", "2[]", "2[null]", "2[{}]", '2["message"', '2["connect"]', '2["disconnect"]', '2["connect_error"]',
  '2["newListener"]', "2[1]", "2[1.5,2]", '2["unknown",1]', '27["unknown"]', '2abc["message"]', '2["message"]x', "3", "3[]", "399", "399[1]",
  "3{}", '31"x"', "4", '4{"message":"x"}', '4"x"', "1{}", '1["x"]', "1/nowhere,", '2/nowhere,["message"]', "3/nowhere,1[]", "0", "0[]",
  "0null", '0"x"', "0{", '51["message"]', '5x-["message"]', '511-["message"]', "51-{}", '5-1-["message"]', '51-["message",{"_placeholder":true,"num":7}]',
  '51-["message",{"_placeholder":true,"num":-1}]', '51-["message",{"_placeholder":true}]', '51-["message",{"_placeholder":true,"num":"0"}]',
  '61-1["x"]', "binary", '51-["disconnect"]', '2/custom["message"]', "0/custom/", "0//", '0/custom?token=1,{}', "9", "-1",
];

// draw is a script: an array of steps.
export function draw(seed) {
  const r = random(seed);
  const pick = (list) => list[r(list.length)];
  const attachments = () => Array.from({ length: 1 + r(3) }, () => Buffer.from(Array.from({ length: r(40) }, () => r(256))));
  const value = (depth = 0) => {
    switch (r(depth > 2 ? 6 : 8)) {
      case 0: return null;
      case 1: return r(2) === 1;
      case 2: return r(100_000) - 50_000;
      case 3: return r(1000) / 8;
      case 4: return pick(["", "a", "é€😀", '"\\\n', "\u2028\0", "<b>&"]);
      case 5: return "x".repeat(r(300));
      case 6: return Array.from({ length: r(4) }, () => value(depth + 1));
      default: return Object.fromEntries(Array.from({ length: r(4) }, (_, i) => [`k${i}`, value(depth + 1)]));
    }
  };
  const values = () => Array.from({ length: r(4) }, () => value());
  const room = () => pick(["red", "green", "blue"]);
  const rooms = () => Array.from({ length: 1 + r(2) }, room);
  const steps = [];
  const n = 12 + r(20);
  for (let i = 0; i < n; i++) {
    const step = { client: r(3), nsp: pick(["/", "/", "/custom"]) };
    const kind = r(20);
    if (kind < 4) Object.assign(step, { do: "connect", nsp: pick(NAMESPACES), auth: pick([undefined, {}, { token: value() }, { password: "sesame" }, { password: "guess" }]) });
    else if (kind < 7) Object.assign(step, { do: "event", event: pick(["message", "message-with-ack"]), args: values(), id: r(1000) });
    else if (kind < 9) {
      const list = attachments();
      const places = list.map((_, num) => ({ _placeholder: true, num }));
      Object.assign(step, { do: "event", event: pick(["message", "message-with-ack"]), args: [...values(), pick([places, { in: [places] }])], attachments: list, id: r(1000) });
    } else if (kind < 11) Object.assign(step, { do: "event", event: pick(["join", "leave"]), args: [rooms()], id: r(1000) });
    else if (kind < 14) {
      const to = { to: rooms(), except: r(2) ? rooms() : [], self: r(2) === 1, everybody: r(3) === 0 };
      Object.assign(step, { do: "event", event: "send", args: [to, ...values()], id: r(1000) });
    } else if (kind < 15) Object.assign(step, { do: "event", event: "ask-me", args: values(), id: r(1000) });
    else if (kind < 16) Object.assign(step, { do: "event", event: "divide", args: [[r(100), r(3)]], id: r(1000) });
    else if (kind < 17) Object.assign(step, { do: "leave" });
    else if (kind < 18) Object.assign(step, { do: "event", event: "kick-me", args: [r(3) === 0] });
    else Object.assign(step, { do: "odd", text: pick(ODD) });
    steps.push(step);
  }
  return { seed, transports: Array.from({ length: 3 }, () => pick([["websocket"], ["websocket"], ["polling"]])), steps };
}

// A Player is one client of a script, on the packets of the protocol.
class Player {
  heard = {}; // by namespace, since namespaces are not in step with each other
  in = new Set();
  expelled = new Set(); // by the server
  #waiting = new Set();
  #partial;

  constructor(url, transports) {
    this.socket = new Socket(url, { path: "/socket.io/", transports, upgrade: false });
    this.opened = within(new Promise((resolve) => this.socket.on("open", resolve)), "the session");
    this.socket.on("message", (data) => this.#hear(data));
    this.socket.on("close", () => {
      this.closed = true;
      this.#look();
    });
  }

  #look() {
    for (const look of this.#waiting) look();
  }

  until(happened, what) {
    let look;
    const done = new Promise((resolve) => {
      look = () => (this.closed || happened()) && resolve();
      this.#waiting.add(look);
      look();
    });
    return within(done, what, PATIENCE).finally(() => this.#waiting.delete(look));
  }

  #hear(data) {
    if (typeof data !== "string") {
      this.#partial.attachments.push(Buffer.from(data).toString("hex"));
      if (this.#partial.attachments.length === this.#partial.count) this.#act(this.#partial);
      return;
    }
    const [, type, count, nsp, id, json] = /^(\d)(?:(\d+)-)?(?:(\/[^,]*),)?(\d*)([^]*)$/.exec(data);
    const packet = { type, nsp: nsp ?? "/", id, data: json === "" ? undefined : JSON.parse(json), count: Number(count ?? 0), attachments: [] };
    if (packet.count > 0) this.#partial = packet;
    else this.#act(packet);
  }

  #act({ type, nsp, id, data, count, attachments }) {
    if (Number(id) >= FENCE) this.fenced = Number(id);
    else {
      if (type === "0") {
        this.in.add(nsp);
        this.expelled.delete(nsp);
        data.sid = "<sid>";
      } else if (type === "1" && this.in.delete(nsp)) this.expelled.add(nsp);
      (this.heard[nsp] ??= []).push({ type, id: type === "2" ? undefined : id, data, attachments });
      if (type === "2" && id !== "") this.send(nsp, count > 0 ? `6${count}-` : "3", `${id}${JSON.stringify(data.slice(1).reverse())}`, attachments.map((a) => Buffer.from(a, "hex")));
    }
    this.#look();
  }

  send(nsp, type, rest, attachments = []) {
    this.socket.send(head(type, nsp) + rest);
    for (const a of attachments) this.socket.send(a);
  }

  // fence returns when all that came before is answered.
  async fence(number) {
    for (const nsp of this.in) {
      if (this.closed) return;
      const id = FENCE + number.next++;
      this.send(nsp, "2", `${id}["${nsp === "/guarded" ? "whoami" : "message-with-ack"}"]`);
      await this.until(() => this.fenced === id, `the fence in ${nsp}`);
    }
  }

  // roundTrip returns when the server has read what came before.
  async roundTrip() {
    const before = this.heard["/nowhere"]?.length ?? 0;
    this.send("/nowhere", "0", "");
    await this.until(() => this.heard["/nowhere"]?.length > before, "an answer");
  }

  async step(step) {
    const { nsp } = step;
    if (step.do === "connect") {
      if (this.in.has(nsp)) return;
      const before = this.heard[nsp]?.length ?? 0;
      this.send(nsp, "0", step.auth ? JSON.stringify(step.auth) : "");
      await this.until(() => this.heard[nsp]?.length > before, `the answer of ${nsp}`);
      return;
    }
    if (step.do === "odd") {
      if (!step.crosses && this.expelled.size > 0 && !step.text.startsWith("0")) return; // a difference, which has a test of its own
      this.socket.send(step.text === "binary" ? Buffer.from([1]) : step.text);
      if (step.text.startsWith("0/")) await this.until(() => this.heard[/\/[^,]*/.exec(step.text)[0]], "an answer");
      if (/^[56]1-/.test(step.text)) this.socket.send(Buffer.from([1]));
      if (this.in.size === 0) await this.roundTrip(); // an answer, or the end
      return;
    }
    if (!this.in.has(nsp)) return;
    if (step.do === "leave") {
      this.send(nsp, "1", "");
      this.in.delete(nsp);
      await this.roundTrip(); // the reference takes a CONNECT in the same turn for a second one
      return;
    }
    const list = step.attachments ?? [];
    const id = step.id === undefined || (step.event === "message" && step.id % 2) ? "" : step.id;
    this.send(nsp, list.length > 0 ? `5${list.length}-` : "2", id + JSON.stringify([step.event, ...step.args]), list);
    if (step.event === "kick-me") await this.until(() => !this.in.has(nsp), "the end");
    if (step.event === "kick-me" && step.args[0]) await this.until(() => false, "the end of the session");
    if (step.event === "ask-me") {
      const said = this.heard[nsp].length;
      await this.until(() => this.heard[nsp].length >= said + (id === "" ? 2 : 3), "the answers");
    }
  }
}

// play runs a script and returns what each client heard.
export async function play(url, script) {
  const players = script.transports.map((transports) => new Player(url, transports));
  const number = { next: 0 };
  await Promise.all(players.map(({ opened }) => opened));
  try {
    for (const step of script.steps) {
      const player = players[step.client];
      if (player.closed) continue;
      await player.step(step);
      for (const one of players) await one.fence(number);
    }
    return players.map(({ heard, closed }) => ({ heard, closed: Boolean(closed) }));
  } finally {
    for (const { socket } of players) socket.close();
  }
}
