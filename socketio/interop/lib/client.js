// What tests need of socket.io-client, whatever its version.

import { event, within } from "../../../interop/lib/wait.js";

// ask emits with an acknowledgement and returns its first value.
export function ask(socket, name, ...args) {
  return within(new Promise((resolve) => socket.emit(name, ...args, resolve)), `the answer to ${name}`);
}

// next returns the arguments of the next event of a name.
export function next(socket, name) {
  return event(socket, name);
}

// joined waits until a socket is connected.
export async function joined(socket) {
  if (!socket.connected) await event(socket, "connect");
  return socket;
}

// comparable makes what a client may give as a Buffer, an ArrayBuffer or a view comparable.
export function comparable(value) {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(comparable);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, comparable(v)]));
  return value;
}
