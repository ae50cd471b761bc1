// A connection that comes back by itself. Around one engine.io-client socket after the other it keeps
// a state for people: connecting, open, waiting (until the next attempt) or stopped.

const FIRST = 800; // milliseconds until the first attempt; each one after it waits twice as long
const MOST = 30_000;

export class Connection extends EventTarget {
  state = "connecting";
  transport = "";
  retryAt = 0;

  #socket = null;
  #attempts = 0;
  #timer = 0;

  constructor() {
    super();
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retryNow();
    });
  }

  open() {
    clearTimeout(this.#timer);
    this.#set("connecting", "");
    const socket = eio({ transports: ["polling", "websocket"], closeOnBeforeunload: true });
    this.#socket = socket;
    socket.on("open", () => {
      this.#set("open", socket.transport.name);
      this.#emit("open");
    });
    socket.on("upgrade", (transport) => {
      this.#set("open", transport.name);
      this.#emit("upgrade");
    });
    socket.on("message", (data) => this.#emit("message", data));
    socket.on("close", () => {
      if (this.#socket === socket) this.#wait();
    });
  }

  // send reports whether there is a connection to send on.
  send(message) {
    if (this.state !== "open") return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  // settled is told when the server took us in: the next loss starts with short waits again.
  settled() {
    this.#attempts = 0;
  }

  retryNow() {
    if (this.state === "waiting") this.open();
  }

  stop() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    this.#set("stopped", "");
    socket?.close();
  }

  // Twice as long each time, and never the same for two pages: a server that comes back does not want
  // all of them at once.
  #wait() {
    this.#socket = null;
    const most = Math.min(MOST, FIRST * 2 ** this.#attempts++);
    const delay = most / 2 + Math.random() * (most / 2);
    this.retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => this.open(), delay);
    this.#set("waiting", "");
  }

  #set(state, transport) {
    this.state = state;
    this.transport = transport;
    this.#emit("state");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
