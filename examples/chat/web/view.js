// What the page shows. Whatever people typed goes in as text nodes, never as markup.

export const $ = (id) => document.getElementById(id);

const log = $("log");
const scroll = $("scroll");
const newer = $("newer");
const GROUP = 5 * 60_000; // messages of one author closer together than this share a head
const KEEP = 400; // lines

let unseen = 0;
let last = null; // { author, at, day } of the newest line

function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function coloured(node, hue) {
  node.classList.add("coloured");
  node.style.setProperty("--hue", hue);
  return node;
}

const first = (nick) => {
  const segments = new Intl.Segmenter().segment(nick.trim())[Symbol.iterator]();
  return (segments.next().value?.segment ?? "?").toUpperCase();
};

export function paintAvatar(node, { nick, hue }) {
  node.textContent = first(nick);
  return coloured(node, hue);
}

function avatar(user) {
  const node = paintAvatar(el("span", "avatar"), user);
  node.setAttribute("aria-hidden", "true");
  return node;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

function time(at) {
  const node = el("time", "", clock.format(at));
  node.dateTime = new Date(at).toISOString();
  node.title = full.format(at);
  return node;
}

function dayLine(at) {
  const day = new Date(at).toDateString();
  if (last?.day === day) return;
  const now = Date.now();
  const name =
    day === new Date(now).toDateString() ? "Today"
    : day === new Date(now - 86_400_000).toDateString() ? "Yesterday"
    : date.format(at);
  log.append(el("li", "day", el("span", "", name)));
  last = { author: "", at, day };
}

// linked makes links of web addresses, and text of everything else.
function linked(text) {
  const out = document.createDocumentFragment();
  let end = 0;
  for (const found of text.matchAll(/https?:\/\/[^\s<>"]+[^\s<>"'.,:;!?)\]}]/g)) {
    out.append(text.slice(end, found.index));
    const a = el("a", "", found[0]);
    a.href = found[0];
    a.target = "_blank";
    a.rel = "noopener noreferrer nofollow";
    out.append(a);
    end = found.index + found[0].length;
  }
  out.append(text.slice(end));
  return out;
}

const onlyEmoji = /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D|[\u{1F3FB}-\u{1F3FF}]|\p{Extended_Pictographic})*\s*){1,3}$/u;

// A message of our own that the server has not seen yet has no id; mine tells ours from others'.
export function addMessage({ user, text, at }, mine) {
  const item = el("li", mine ? "message mine" : "message");
  add(at, () => {
    const together = last.author === user.id && last.nick === user.nick && at - last.at < GROUP;
    if (together) item.classList.add("together");
    const name = coloured(el("span", mine ? "sr" : "name", mine ? "You" : user.nick), user.hue);
    name.dir = "auto";
    const body = el("p", "text", linked(text));
    body.dir = "auto";
    if (onlyEmoji.test(text)) item.classList.add("emoji");
    const bubble = el("div", "bubble", body, el("span", "meta", time(at), el("span", "state")));
    if (!mine) item.append(avatar(user));
    item.append(el("div", "said", name, bubble));
    log.append(item);
    last = { ...last, author: user.id, nick: user.nick, at };
  }, mine);
  return item;
}

export function setMessageState(item, state, text = "") {
  item.dataset.state = state;
  item.querySelector(".state").textContent = text;
}

export function setMessageTime(item, at) {
  item.querySelector("time").replaceWith(time(at));
}

export function addSystem(text, at = Date.now(), kind = "") {
  add(at, () => {
    const line = el("span", "", text);
    line.dir = "auto";
    log.append(el("li", `system ${kind}`.trim(), line));
    last = { ...last, author: "" };
  });
}

function add(at, append, always = false) {
  const down = always || atBottom();
  dayLine(at);
  append();
  while (log.childElementCount > KEEP) log.firstElementChild.remove();
  $("empty").hidden = true;
  if (down) return toBottom();
  unseen++;
  newer.textContent = unseen === 1 ? "1 new line ↓" : `${unseen} new lines ↓`;
  newer.hidden = false;
}

const atBottom = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;

export function toBottom() {
  scroll.scrollTop = scroll.scrollHeight;
  unseen = 0;
  newer.hidden = true;
}

scroll.addEventListener("scroll", () => {
  if (atBottom()) {
    unseen = 0;
    newer.hidden = true;
  }
}, { passive: true });
newer.addEventListener("click", toBottom);
new ResizeObserver(() => {
  if (newer.hidden) toBottom();
}).observe(scroll);

// quietly runs f without reading every line of it to those who listen.
export function quietly(f) {
  scroll.setAttribute("aria-live", "off");
  f();
  toBottom();
  requestAnimationFrame(() => scroll.setAttribute("aria-live", "polite"));
}

export function showEmpty() {
  $("empty").hidden = log.childElementCount > 0;
}

export function showUsers(users, me) {
  const byName = [...users].sort((a, b) => (b.id === me) - (a.id === me) || a.nick.localeCompare(b.nick));
  $("users").replaceChildren(...byName.map((user) => {
    const name = el("span", "who", user.nick);
    name.dir = "auto";
    const way = el("span", "way", user.transport === "websocket" ? "ws" : "poll");
    way.title = `connected over ${user.transport}`;
    way.dataset.transport = user.transport;
    const item = el("li", user.id === me ? "me" : "", avatar(user), name);
    if (user.id === me) item.append(el("span", "you", "you"));
    item.append(way);
    return item;
  }));
  $("online").textContent = users.length;
  $("count").textContent = users.length;
  $("people-button").setAttribute("aria-label", `Who is online: ${users.length}`);
}

export function showTyping(nicks) {
  $("typing").textContent =
    nicks.length === 0 ? ""
    : nicks.length === 1 ? `${nicks[0]} is typing`
    : nicks.length === 2 ? `${nicks[0]} and ${nicks[1]} are typing`
    : "Several people are typing";
  $("typing").classList.toggle("on", nicks.length > 0);
}

const words = { connecting: "Connecting", waiting: "Offline", stopped: "Disconnected" };

export function showLink(state, transport) {
  const link = $("link");
  link.dataset.state = state;
  link.dataset.transport = transport;
  sayLink(state === "open" ? "Connected over" : words[state], transport);
}

function sayLink(what, transport) {
  clearTimeout(upgradeTimer);
  const parts = transport ? [el("span", "", `${what} `), el("b", "", transport)] : [what];
  $("link-text").replaceChildren(...parts);
  $("link").title = $("link-text").textContent;
}

let upgradeTimer = 0;

// The upgrade is told where the transport stands, in the way of nothing.
export function celebrateUpgrade(transport) {
  const link = $("link");
  sayLink("Upgraded to", transport);
  upgradeTimer = setTimeout(sayLink, 3500, "Connected over", transport);
  link.classList.remove("upgraded");
  void link.offsetWidth; // the animation starts anew
  link.classList.add("upgraded");
}

export function showBanner(text, action = "Try now") {
  $("banner").hidden = !text;
  if (!text) return;
  if ($("banner-text").textContent !== text) $("banner-text").textContent = text;
  $("retry").textContent = action;
}

let toastTimer = 0;

export function toast(text) {
  $("toast").textContent = text;
  $("toast").classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $("toast").classList.remove("on"), 3500);
}
