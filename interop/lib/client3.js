// engine.io-client 3.5, which speaks revision 3.

import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { Client } from "./client.js";
import { XMLHttpRequest } from "./xhr2.js";

const require = createRequire(import.meta.url);
const entry = require.resolve("engine.io-client-3");

// Client3 is the client as Node has it. Its XMLHttpRequest cannot receive binary, so it polls with b64=1.
export class Client3 extends Client {
  static Socket = require(entry);
}

// XHR2Client is the client as browsers have it: it is loaded again, with an XMLHttpRequest that can.
export class XHR2Client extends Client {
  static Socket = loadWith(XMLHttpRequest);
}

function loadWith(request) {
  const lib = dirname(entry) + sep;
  for (const id of Object.keys(require.cache)) if (id.startsWith(lib)) delete require.cache[id];
  const shim = require.resolve("engine.io-client-3/lib/transports/xmlhttprequest.js");
  require.cache[shim] = { id: shim, filename: shim, loaded: true, exports: request };
  return require(entry);
}
