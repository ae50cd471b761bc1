import { Connection } from "./connection.js";
import * as view from "./view.js";

const { $ } = view;
const MOST_PENDING = 20;

const memory = {
  get: (store, name) => {
    try {
      return store.getItem(`chat.${name}`) ?? "";
    } catch {
      return "";
    }
  },
  set: (store, name, value) => {
    try {
      store.setItem(`chat.${name}`, value);
    } catch {
      // private windows may refuse; the chat works without
    }
  },
};

// The key makes a reconnected page the same person. It is a secret, and one per window.
let key = memory.get(sessionStorage, "key");
if (!key) {
  key = crypto.getRandomValues(new Uint8Array(16)).reduce((s, b) => s + b.toString(16).padStart(2, "0"), "");
  memory.set(sessionStorage, "key", key);
}

let nick = memory.get(sessionStorage, "nick");
let me = null; // { id, nick, hue } since the room first let us in
let joined = false; // it has, on this connection
let wanted = nick; // the name the room has been asked for
let newest = 0; // the id of the newest message on the page
let refs = 0;
let limits = { nick: 24, text: 2000 };
let unread = 0;
let lost = false;
const users = new Map();
const pending = new Map(); // ref -> { text, item, timer }: what the server has not confirmed
const typing = new Map(); // id -> { nick, timer }

const connection = new Connection();
const text = $("text");

// ---- what the server says

const handlers = {
  welcome({ user, users: here, messages = [], limits: bounds }) {
    connection.settled();
    const back = me !== null;
    me = user;
    joined = true;
    limits = bounds;
    remember(user.nick);
    closeDoor();
    users.clear();
    for (const u of here) users.set(u.id, u);
    view.showUsers([...users.values()], me.id);
    view.quietly(() => messages.forEach(showMessage));
    view.showEmpty();
    $("rename").hidden = false;
    if (back && lost) view.toast("Connected again");
    lost = false;
    for (const ref of pending.keys()) deliver(ref);
    if (!back) text.focus();
  },

  join({ user, at }) {
    users.set(user.id, user);
    view.showUsers([...users.values()], me?.id);
    view.addSystem(`${user.nick} came in`, at, "join");
  },

  leave({ user, at, reason }) {
    users.delete(user.id);
    notTyping(user.id);
    view.showUsers([...users.values()], me?.id);
    view.addSystem(reason === "ping timeout" ? `${user.nick} lost the connection` : `${user.nick} left`, at, "leave");
  },

  rename({ user, was, at }) {
    users.set(user.id, user);
    notTyping(user.id);
    if (user.id === me?.id) {
      me = user;
      remember(user.nick);
      closeDoor();
    }
    view.showUsers([...users.values()], me?.id);
    view.addSystem(`${was} is now ${user.nick}`, at, "rename");
  },

  transport({ user }) {
    users.set(user.id, user);
    view.showUsers([...users.values()], me?.id);
  },

  typing({ user }) {
    clearTimeout(typing.get(user.id)?.timer);
    typing.set(user.id, { nick: user.nick, timer: setTimeout(() => notTyping(user.id), 4000) });
    view.showTyping([...typing.values()].map((t) => t.nick));
  },

  message({ message }) {
    showMessage(message);
    notTyping(message.user.id);
    if (document.hidden && message.user.id !== me?.id) showUnread(unread + 1);
  },

  error({ code, text: why, ref }) {
    if (code === "replaced") return replaced();
    const waiting = pending.get(ref);
    if (waiting && code === "too_fast") {
      waiting.timer = setTimeout(deliver, 1500, ref);
    } else if (waiting) {
      pending.delete(ref);
      view.setMessageState(waiting.item, "failed", why);
    } else if ($("door").open || !joined) {
      openDoor(why);
    } else {
      view.toast(why);
    }
  },
};

function showMessage(message) {
  if (message.id <= newest) return;
  newest = message.id;
  const mine = message.user.id === me?.id;
  const waiting = mine && pending.get(message.ref);
  if (waiting) {
    pending.delete(message.ref);
    view.setMessageState(waiting.item, "sent");
    view.setMessageTime(waiting.item, message.at);
  } else {
    view.addMessage(message, mine);
  }
}

function notTyping(id) {
  if (!typing.has(id)) return;
  clearTimeout(typing.get(id).timer);
  typing.delete(id);
  view.showTyping([...typing.values()].map((t) => t.nick));
}

// ---- the connection

connection.addEventListener("state", () => {
  view.showLink(connection.state, connection.transport);
  if (connection.state !== "open") joined = false;
  if (connection.state === "waiting") {
    lost = true;
    for (const id of [...typing.keys()]) notTyping(id);
  }
  countdown();
});

connection.addEventListener("open", () => {
  if (wanted) hello(wanted);
  else openDoor();
});

connection.addEventListener("upgrade", () => {
  view.celebrateUpgrade(connection.transport);
});

connection.addEventListener("message", ({ detail }) => {
  const event = JSON.parse(detail);
  handlers[event.type]?.(event);
});

let ticking = 0;

function countdown() {
  clearTimeout(ticking);
  switch (connection.state) {
    case "waiting": {
      const seconds = Math.max(1, Math.ceil((connection.retryAt - Date.now()) / 1000));
      view.showBanner(`No connection. Next attempt in ${seconds} s. What you write is kept.`);
      ticking = setTimeout(countdown, 250);
      break;
    }
    case "connecting":
      view.showBanner(lost ? "Connecting again" : "");
      break;
    case "open":
      view.showBanner("");
      break;
  }
}

function replaced() {
  connection.stop();
  view.showBanner("This chat goes on in another window.", "Use it here");
}

$("retry").addEventListener("click", () => {
  if (connection.state === "stopped") connection.open();
  else connection.retryNow();
  text.focus();
});

// ---- writing

// deliver sends what is pending, now or when the room has let us in again.
function deliver(ref) {
  const waiting = pending.get(ref);
  if (!waiting || !joined) return;
  clearTimeout(waiting.timer);
  connection.send({ type: "message", text: waiting.text, ref });
}

function submit() {
  const message = text.value.replace(/^\n+|\s+$/g, "");
  if (!message || !me) return;
  if ([...message].length > limits.text) {
    view.toast(`A message has at most ${limits.text} characters`);
    return;
  }
  if (pending.size >= MOST_PENDING) {
    view.toast("Too much waits to be sent already");
    return;
  }
  const ref = `${Date.now().toString(36)}-${refs++}`;
  const item = view.addMessage({ user: me, text: message, at: Date.now() }, true);
  pending.set(ref, { text: message, item, timer: 0 });
  view.setMessageState(item, "pending", "not sent yet");
  deliver(ref);
  text.value = "";
  lastTyping = 0;
  draftChanged();
}

let lastTyping = 0;

function draftChanged() {
  memory.set(sessionStorage, "draft", text.value);
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  const left = limits.text - [...text.value].length;
  $("left").hidden = left > limits.text / 10;
  $("left").textContent = left;
  $("left").classList.toggle("over", left < 0);
  $("composer").classList.toggle("ready", text.value.trim() !== "" && left >= 0);
}

text.addEventListener("input", () => {
  draftChanged();
  if (joined && text.value.trim() && Date.now() - lastTyping > 2500) {
    lastTyping = Date.now();
    connection.send({ type: "typing" });
  }
});

// A touch keyboard has no Shift+Enter: there Enter starts a new line, and the button sends.
const touch = matchMedia("(hover: none) and (pointer: coarse)");
const enterSends = () => !touch.matches;
const showEnter = () => (text.enterKeyHint = enterSends() ? "send" : "enter");
touch.addEventListener("change", showEnter);
showEnter();

text.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && enterSends() && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    submit();
  }
});

$("composer").addEventListener("submit", (e) => {
  e.preventDefault();
  submit();
  text.focus();
});

// ---- the name

// hello is said again at each open, and at the next one when there is no connection now.
function hello(name) {
  wanted = name;
  connection.send({ type: "hello", nick: name, key });
}

function remember(name) {
  nick = wanted = name;
  memory.set(sessionStorage, "nick", name);
  memory.set(localStorage, "nick", name); // a suggestion for the next window
}

function openDoor(error = "") {
  const renaming = joined;
  $("door-title").textContent = renaming ? "Another name" : "Come in";
  $("door-lead").textContent = renaming ? "What shall the others call you from now on?" : "What shall the others call you?";
  $("door-submit").textContent = renaming ? "Change it" : "Join the room";
  $("door-cancel").hidden = !renaming;
  $("nick-error").textContent = error;
  $("nick").setAttribute("aria-invalid", String(error !== ""));
  if (!$("door").open) {
    $("nick").value = me?.nick || nick || memory.get(localStorage, "nick");
    $("door").showModal();
  }
  paintDoor();
  $("nick").select();
}

function closeDoor() {
  if (!$("door").open) return;
  $("door").close();
  text.focus();
}

function paintDoor() {
  view.paintAvatar($("door-avatar"), { nick: $("nick").value || "?", hue: me?.hue ?? 186 });
}

$("nick").addEventListener("input", () => {
  $("nick-error").textContent = "";
  $("nick").removeAttribute("aria-invalid");
  paintDoor();
});

$("door-form").addEventListener("submit", (e) => {
  e.preventDefault();
  const name = $("nick").value.trim().replace(/\s+/g, " ");
  const count = [...name].length;
  if (count === 0 || count > limits.nick) {
    return openDoor(count === 0 ? "Please enter a name." : `At most ${limits.nick} characters, please.`);
  }
  if (joined && name === me.nick) return closeDoor();
  if (joined) connection.send({ type: "nick", nick: name });
  else hello(name);
});

$("door").addEventListener("cancel", (e) => {
  if (!joined) e.preventDefault(); // without a name there is nothing to go back to
});
$("door-cancel").addEventListener("click", closeDoor);
$("rename").addEventListener("click", () => {
  showPeople(false);
  openDoor();
});

// ---- everything around

function showPeople(open) {
  document.body.classList.toggle("people-open", open);
  $("people-button").setAttribute("aria-expanded", String(open));
  if (open) $("people-close").focus();
}

$("people-button").addEventListener("click", () => showPeople(!document.body.classList.contains("people-open")));
$("people-close").addEventListener("click", () => {
  showPeople(false);
  $("people-button").focus();
});
document.addEventListener("click", (e) => {
  if (document.body.classList.contains("people-open") && !e.target.closest("#people, #people-button")) showPeople(false);
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && document.body.classList.contains("people-open")) {
    showPeople(false);
    $("people-button").focus();
  } else if (e.key === "/" && !e.target.closest("input, textarea") && !$("door").open) {
    e.preventDefault();
    text.focus();
  }
});

const themes = { "": "as the system", light: "light", dark: "dark" };

function showTheme() {
  const chosen = document.documentElement.dataset.theme ?? "";
  $("theme").setAttribute("aria-label", `Colours: ${themes[chosen]}`);
  $("theme").title = `Colours: ${themes[chosen]}`;
}

$("theme").addEventListener("click", () => {
  const names = Object.keys(themes);
  const next = names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length];
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
  memory.set(localStorage, "theme", next);
  showTheme();
});

const title = document.title;

function showUnread(n) {
  unread = n;
  document.title = n ? `(${n}) ${title}` : title;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) showUnread(0);
});

text.value = memory.get(sessionStorage, "draft");
draftChanged();
showTheme();
if (!wanted) openDoor();
connection.open();
