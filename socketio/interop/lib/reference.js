// The reference server, npm's socket.io, with the handlers of the echo server.

import { createServer } from "node:http";
import { Server } from "socket.io";

export async function startReference() {
  const http = createServer();
  const io = new Server(http, { maxHttpBufferSize: 1e6 });
  for (const name of ["/", "/custom"]) io.of(name).on("connection", (socket) => serve(io.of(name), socket));
  io.of("/guarded").use((socket, next) => {
    const { password } = socket.handshake.auth;
    if (password === "sesame") return next();
    const err = new Error("wrong password");
    err.data = { tried: password ?? "" };
    next(err);
  });
  io.of("/guarded").on("connection", (socket) => socket.on("whoami", (answer) => answer(socket.id)));
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${http.address().port}`, stop: () => new Promise((resolve) => io.close(resolve)) };
}

function serve(namespace, socket) {
  const members = () => [...socket.rooms].filter((room) => room !== socket.id).sort();
  socket.emit("auth", socket.handshake.auth);
  socket.on("message", (...args) => socket.emit("message-back", ...args.filter((arg) => typeof arg !== "function")));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  socket.on("join", (rooms, answer) => {
    socket.join(rooms);
    answer(members());
  });
  socket.on("leave", (rooms, answer) => {
    for (const room of rooms) socket.leave(room);
    answer(members());
  });
  socket.on("send", ({ to = [], except = [], self, everybody }, ...args) => {
    const answer = args.pop();
    const all = self ? namespace : socket.broadcast;
    (everybody ? all : all.to(to)).except(except).emit("sent", ...args);
    answer();
  });
  socket.on("ask-me", async (...args) => {
    const answer = typeof args.at(-1) === "function" ? args.pop() : () => {};
    socket.emit("question", ...args, (...got) => {
      socket.emit("answered", ...got);
      answer(...got);
    });
  });
  socket.on("divide", ([a, b], answer) => answer(b === 0 ? { error: "division by zero" } : Math.trunc(a / b)));
  socket.on("kick-me", (session) => socket.disconnect(session));
}
