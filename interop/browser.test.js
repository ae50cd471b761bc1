// The chat as two people see it: headless Chromium with two separate profiles.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { launch } from "./lib/browser.js";
import { startChat } from "./lib/server.js";

const shots = process.env.SCREENSHOTS;
const PATIENCE = 30_000;
let keys = 0; // for names that nobody has yet
const wide = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

// What a browser complains about while the server goes down, is away, or the network is off.
const expected = /ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|status of 503|WebSocket connection/;

// Person is one browser profile with the chat open.
class Person {
  static async at(browser, server, { viewport = wide, colorScheme = "light", ...options } = {}) {
    const person = new Person();
    person.context = await browser.newContext({ viewport, colorScheme, ...options });
    person.context.setDefaultTimeout(PATIENCE);
    person.page = await person.context.newPage();
    person.trouble = [];
    person.refused = false; // true while the server is down and the browser may complain
    person.page.on("pageerror", (err) => person.trouble.push(String(err)));
    person.page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      if (person.refused && expected.test(message.text())) return;
      person.trouble.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    person.page.on("request", (request) => {
      const { host } = new URL(request.url());
      if (host !== server.host) person.trouble.push(`asked another host: ${request.url()}`);
    });
    await person.page.goto(server.url);
    return person;
  }

  async join(nick) {
    this.nick = nick;
    await this.page.getByLabel("Nickname").fill(nick);
    await this.page.getByRole("button", { name: "Join the room" }).click();
    await this.page.locator("#door").waitFor({ state: "hidden" });
    await this.online(nick);
  }

  // transport waits until the badge shows it.
  // It is said as text too, "Upgraded to" for a while and then "Connected over".
  async transport(name) {
    await this.page.locator(`#link[data-state="open"][data-transport="${name}"]`).waitFor();
  }

  link(state) {
    return this.page.locator(`#link[data-state="${state}"]`).waitFor();
  }

  online(nick) {
    return this.page.locator("#users li").filter({ hasText: nick }).waitFor({ state: "attached" });
  }

  offline(nick) {
    return this.page.locator("#users li").filter({ hasText: nick }).waitFor({ state: "detached" });
  }

  async write(text) {
    await this.page.getByLabel("Message", { exact: true }).fill(text);
    await this.page.getByRole("button", { name: "Send" }).click();
  }

  // fits fails when the page is wider than its window, or when text of it has too little contrast (WCAG 2, AA).
  async fits(what) {
    assert.deepEqual(await this.page.evaluate(faults), [], what);
  }

  reads(text, kind = "") {
    return this.page.locator(`.message${kind} .text`).getByText(text, { exact: true }).waitFor();
  }

  system(text) {
    return this.page.locator(".system").getByText(text, { exact: true }).last().waitFor();
  }

  texts() {
    return this.page.locator(".message .text").allTextContents();
  }

  async shot(name) {
    if (!shots) return;
    await mkdir(shots, { recursive: true });
    // Let what moves come to rest first.
    await this.page.evaluate(() =>
      Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished)));
    await this.page.screenshot({ path: join(shots, `${name}.png`) });
  }

  close() {
    return this.context.close();
  }
}

// faults runs in the page.
function faults() {
  const found = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  const right = Math.max(scrollWidth, ...Array.from(document.querySelectorAll(".app > :not(#people), .bar > *"), (e) => e.getBoundingClientRect().right));
  if (right > clientWidth) found.push(`${right} pixels wide in a window of ${clientWidth}`);
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const mix = (colours) => {
    for (const colour of colours) {
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
    }
    return brush.getImageData(0, 0, 1, 1).data;
  };
  const light = (rgb) => {
    const [r, g, b] = Array.from(rgb, (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const node = texts.currentNode.parentElement;
    const box = node.getBoundingClientRect();
    if (!text || box.width <= 1 || !node.checkVisibility({ visibilityProperty: true })) continue;
    const above = [];
    for (let e = node; e; e = e.parentElement) above.unshift(getComputedStyle(e));
    const behind = above.map((style) => style.backgroundColor);
    const opacity = above.reduce((all, style) => all * style.opacity, 1);
    const [a, b] = [light(mix(behind)), light(mix([...behind, getComputedStyle(node).color]))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (opacity < 1 || contrast < 4.5) found.push(`"${text.slice(0, 30)}": contrast ${contrast.toFixed(2)}, opacity ${opacity}`);
  }
  return found;
}

describe("chat in Chromium", { timeout: 300_000 }, () => {
  let browser, server;
  const people = [];
  const person = async (options) => {
    const p = await Person.at(browser, server, options);
    people.push(p);
    return p;
  };

  before(async () => {
    browser = await launch();
    server = await startChat();
  });
  afterEach(async () => {
    const all = people.splice(0);
    await Promise.all(all.map((p) => p.close()));
    for (const p of all) assert.deepEqual(p.trouble, [], `${p.nick}'s console`);
    assert.equal(server.trouble(), "");
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test("two people see each other, talk, leave and come back", async () => {
    const ada = await person();
    await ada.page.getByRole("dialog", { name: "Come in" }).waitFor();
    await ada.shot("door-light");
    await ada.join("Ada");
    await ada.transport("websocket");
    await ada.page.locator("#link-text").getByText("Connected over websocket").waitFor();

    const bob = await person({ colorScheme: "dark" });
    await bob.page.getByRole("dialog", { name: "Come in" }).waitFor();
    await bob.page.getByLabel("Nickname").fill("ADA");
    await bob.page.keyboard.press("Enter");
    await bob.page.getByRole("alert").getByText("Somebody here has this name already.").waitFor();
    await bob.shot("door-dark");
    await bob.join("Bob");
    await bob.transport("websocket");
    await bob.online("Ada");
    await ada.online("Bob");
    await ada.system("Bob came in");

    await ada.page.getByLabel("Message", { exact: true }).pressSequentially("Hel");
    await bob.page.locator("#typing").getByText("Ada is typing").waitFor();
    await ada.page.keyboard.type("lo Bob");
    await ada.page.keyboard.press("Enter");
    await ada.reads("Hello Bob", '.mine[data-state="sent"]');
    await bob.reads("Hello Bob", ":not(.mine)");
    assert.equal(await bob.page.locator("#typing").textContent(), "");

    const markup = '<img src=x onerror="document.title=1"> & <b>bold</b> 😀';
    await bob.write(markup);
    await ada.reads(markup, ":not(.mine)");
    assert.equal(await ada.page.locator(".message img, .message b").count(), 0);

    await bob.write("look at https://example.com/a?b=c, it is nice");
    const link = ada.page.locator(".message a");
    await link.waitFor();
    assert.equal(await link.getAttribute("href"), "https://example.com/a?b=c");

    await ada.page.getByLabel("Message", { exact: true }).fill("two");
    await ada.page.keyboard.press("Shift+Enter");
    await ada.page.keyboard.type("lines");
    await ada.page.keyboard.press("Enter");
    await bob.reads("two\nlines");

    await ada.page.reload();
    await bob.system("Ada left");
    await bob.system("Ada came in");
    await ada.online("Bob");
    await ada.transport("websocket");
    assert.deepEqual(await ada.texts(), await bob.texts());
    await ada.reads("Hello Bob", ".mine");
    await ada.write("back again");
    await bob.reads("back again");

    await bob.page.getByRole("button", { name: "Change my name" }).click();
    await bob.page.getByLabel("Nickname").fill("Robert");
    await bob.page.keyboard.press("Enter");
    await ada.system("Bob is now Robert");
    await ada.online("Robert");

    await bob.page.close();
    await ada.system("Robert left");
    await ada.offline("Robert");
    assert.equal(await ada.page.locator("#online").textContent(), "1");
  });

  test("the badge shows polling, then the upgrade", async () => {
    const ada = await person();
    // Hold the WebSocket back until the page was seen on polling.
    await ada.page.close();
    ada.page = await ada.context.newPage();
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await ada.page.routeWebSocket(/engine\.io/, async (ws) => {
      await released;
      ws.connectToServer();
    });
    await ada.page.goto(server.url);
    await ada.join("Ada");
    await ada.transport("polling");
    await ada.write("over polling");
    await ada.reads("over polling", '[data-state="sent"]');
    await ada.shot("polling");
    release();
    await ada.transport("websocket");
    await ada.page.locator("#link.upgraded #link-text").getByText("Upgraded to websocket").waitFor();
    await ada.page.locator('#users .me .way[data-transport="websocket"]').waitFor();
    await ada.shot("upgraded");
    await ada.write("over websocket");
    await ada.reads("over websocket", '[data-state="sent"]');
  });

  test("somebody late reads what was said", async () => {
    const ada = await person();
    await ada.join("Ada");
    await ada.write("said before");
    await ada.reads("said before", '[data-state="sent"]');
    const late = await person({ viewport: phone, isMobile: true, hasTouch: true });
    await late.join("Late");
    await late.reads("said before", ":not(.mine)");
    assert.equal(await late.page.getByRole("complementary", { name: "Who is online" }).isVisible(), false);
    await late.page.getByRole("button", { name: "Who is online: 2" }).click();
    await late.page.getByRole("complementary", { name: "Who is online" }).getByText("Ada").waitFor();
    await late.page.keyboard.press("Escape");
    await late.page.getByRole("complementary", { name: "Who is online" }).waitFor({ state: "hidden" });
  });

  test("the server goes away and comes back", async () => {
    const ada = await person();
    const bob = await person();
    await ada.join("Ada");
    await bob.join("Bob");
    await ada.online("Bob");
    await ada.transport("websocket");
    await bob.transport("websocket");
    ada.refused = bob.refused = true;

    await server.terminate();
    await Promise.all([ada.link("waiting"), bob.link("waiting")]);
    await ada.page.locator("#banner").getByText(/Next attempt in \d+ s/).waitFor();
    await ada.write("written while away");
    await ada.reads("written while away", '.mine[data-state="pending"]');
    await ada.page.getByLabel("Message", { exact: true }).fill("a draft");
    await ada.shot("offline");

    server = await startChat(`127.0.0.1:${server.port}`);
    await Promise.all([ada, bob].map((p) => p.transport("websocket")));
    ada.refused = bob.refused = false;
    await bob.online("Ada");
    await ada.online("Bob");
    await ada.reads("written while away", '.mine[data-state="sent"]');
    await bob.reads("written while away", ":not(.mine)");
    assert.equal(await ada.page.getByLabel("Message", { exact: true }).inputValue(), "a draft");
    assert.equal(await ada.page.locator("#banner").isVisible(), false);
    await ada.page.keyboard.press("Enter");
    await bob.reads("a draft");
    await bob.write("works again");
    await ada.reads("works again");
  });

  test("the network goes away and comes back", async () => {
    const ada = await person();
    const bob = await person();
    await bob.join("Bob");
    await ada.join("Ada");
    await bob.online("Ada");
    await ada.transport("websocket");
    ada.refused = true;
    await ada.context.setOffline(true);
    await ada.link("waiting");
    await ada.write("into the void");
    await ada.context.setOffline(false);
    await ada.transport("websocket");
    ada.refused = false;
    await bob.reads("into the void");
    assert.equal(await bob.page.locator(".message .text").getByText("into the void").count(), 1);
  });

  test("the same chat in a second window of one browser goes on there", async () => {
    const ada = await person();
    await ada.join("Ada");
    await ada.transport("websocket");
    const [second] = await Promise.all([
      ada.context.waitForEvent("page"),
      ada.page.evaluate(() => void open(location.href)), // a copy with the session storage of the first
    ]);
    await second.locator('#link[data-transport="websocket"]').waitFor();
    await ada.link("stopped");
    await ada.page.locator("#banner").getByText("This chat goes on in another window.").waitFor();
    await ada.page.getByRole("button", { name: "Use it here" }).click();
    await ada.transport("websocket");
    await second.locator('#link[data-state="stopped"]').waitFor();
    await ada.write("here again");
    await ada.reads("here again", '[data-state="sent"]');
  });

  for (const width of [320, 390, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      test(`it fits and is legible, ${width} pixels, ${colorScheme}`, async () => {
        const touch = width < 600;
        const view = { viewport: { width, height: touch ? 700 : 800 }, colorScheme, reducedMotion: "reduce", isMobile: touch, hasTouch: touch };
        const ada = await person(view);
        const name = `fits-${width}-${colorScheme}`;
        await ada.page.getByRole("dialog", { name: "Come in" }).waitFor();
        await ada.transport("websocket");
        await ada.fits("the door");
        await ada.shot(`${name}-door`);
        const nick = `Ada with a long name ${keys++}`;
        await ada.join(nick);
        const bob = await person({ colorScheme });
        await bob.join(`Bob ${keys}`);
        await ada.write("Good morning! Did the deployment go through, with all the sessions?");
        await ada.reads("Good morning! Did the deployment go through, with all the sessions?", '[data-state="sent"]');
        await bob.write("It did: https://example.com/notes/a-rather-long-path-that-has-to-be-broken?page=2");
        await ada.page.locator(".message:not(.mine) a").last().waitFor();
        await bob.page.getByLabel("Message", { exact: true }).pressSequentially("And");
        await ada.page.locator("#typing.on").waitFor();
        await ada.fits("talking");
        await ada.shot(`${name}-talk`);
        // Enter sends, except on touch keyboards, which have no Shift+Enter.
        const field = ada.page.getByLabel("Message", { exact: true });
        await field.pressSequentially("one");
        await ada.page.keyboard.press("Enter");
        assert.equal(await field.inputValue(), touch ? "one\n" : "");
        assert.equal(await ada.page.locator("#hint").isVisible(), !touch);

        ada.refused = true;
        await ada.context.setOffline(true);
        await ada.link("waiting");
        await ada.write("written while away");
        await ada.reads("written while away", '.mine[data-state="pending"]');
        for (let i = 0; i < 20; i++) await ada.write(`more ${i}`);
        await ada.page.locator("#toast.on").getByText("Too much waits").waitFor();
        await ada.fits("offline");
        await ada.shot(`${name}-offline`);
        const toast = await ada.page.locator("#toast").boundingBox();
        const log = await ada.page.locator("#scroll").boundingBox();
        assert.ok(toast.y >= log.y + log.height, "the note lies over the messages");
      });
    }
  }

  if (shots) test("looks", async () => {
    const talk = [
      ["Ada", "Good morning! Did the deployment go through?"],
      ["Linus", "It did. 14,000 sessions, all of them upgraded within a second."],
      ["Linus", "Two stayed on polling. One sits behind a hotel proxy, I think."],
      ["Ada", "That is what polling is for 🙂"],
      ["Grace", "The graph of the parked polls is flat. I have never seen that before."],
      ["Grace", "Notes from yesterday: https://example.com/notes/engine?page=2"],
      ["Linus", "🎉"],
      ["Ada", "A longer one, to see how it wraps: when a client aborts its poll, the handler notices in less than a millisecond, " +
        "closes the session and tells everybody. No timer, no second goroutine.\n\nOne read on the socket, that is all."],
    ];
    const cast = {};
    const views = {
      Ada: { viewport: wide },
      Linus: { viewport: wide, colorScheme: "dark" },
      Grace: { viewport: phone, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
      Zoë: { viewport: phone, isMobile: true, hasTouch: true, deviceScaleFactor: 2, colorScheme: "dark" },
    };
    for (const nick of Object.keys(views)) {
      cast[nick] = await person(views[nick]);
      await cast[nick].page.getByRole("dialog", { name: "Come in" }).waitFor();
      await cast[nick].shot(`looks-door-${nick}`);
      await cast[nick].join(nick);
    }
    for (const [nick, text] of talk) {
      await cast[nick].write(text);
      await cast[nick].page.locator('.message.mine[data-state="pending"]').waitFor({ state: "detached" });
    }
    for (const p of Object.values(cast)) await p.transport("websocket");
    await cast.Linus.page.getByLabel("Message", { exact: true }).pressSequentially("And the");
    await cast.Ada.page.locator("#typing").getByText("Linus is typing").waitFor();
    for (const p of Object.values(cast)) await p.page.locator("#toast:not(.on)").waitFor({ state: "attached" });
    for (const [nick, p] of Object.entries(cast)) await p.shot(`looks-${nick}`);
    await cast.Zoë.page.getByRole("button", { name: /Who is online/ }).click();
    await cast.Zoë.page.getByRole("complementary", { name: "Who is online" }).waitFor();
    await cast.Zoë.shot("looks-people");
  });
});
