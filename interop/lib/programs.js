// The foreign programs that the tests run, and how each is found: its variable names it, or it is the first of the
// names that works. `node lib/programs.js` lists them, `node lib/programs.js python` prints the path of one.

import { spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const programs = {
  chromium: {
    variable: "CHROMIUM",
    names: ["chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"],
    check: ["--version"],
    what: "Chromium or Chrome",
    packages: ["chromium"],
  },
  python: {
    variable: "PYTHON",
    names: ["/usr/bin/python3", "python3"], // Debian's packages are for Debian's interpreter
    check: ["-c", `import aiohttp, engineio, requests, socketio, websocket
from importlib.metadata import version
print("python-engineio", version("python-engineio"), "python-socketio", version("python-socketio"))`],
    what: "Python with the modules aiohttp, python-engineio 4, python-socketio 5, requests and websocket-client",
    packages: ["python3-aiohttp", "python3-engineio", "python3-requests", "python3-socketio", "python3-websocket"],
  },
  nginx: { variable: "NGINX", names: ["nginx"], check: ["-v"], what: "nginx", packages: ["nginx"] },
  haproxy: { variable: "HAPROXY", names: ["haproxy"], check: ["-v"], what: "HAProxy", packages: ["haproxy"] },
};

const places = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
const found = new Map();

// program is the path of one; without it an error says what to install, or how to name it.
export function program(name) {
  if (!found.has(name)) found.set(name, search(name));
  const { path, error } = found.get(name);
  if (error) throw new Error(error);
  return path;
}

function search(name) {
  const { variable, names, check, what } = programs[name];
  const given = process.env[variable];
  const paths = (given ? [given] : names).flatMap(locate);
  for (const path of paths) {
    const { status, stdout, stderr } = spawnSync(path, check, { encoding: "utf8", timeout: 60_000 });
    if (status === 0) return { path, version: (stdout + stderr).trim().split("\n")[0] };
  }
  if (given) return { error: `${variable} is ${given}, which is not ${what}` };
  return { error: `no ${what}: install it (make preflight does, on Debian), or name the program in ${variable}` };
}

// locate returns the executable files that a name stands for.
function locate(name) {
  const files = name.includes("/") ? [name] : places.map((place) => join(place, name));
  return files.filter((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// list says what is there; missing are the names of what is not.
function list() {
  const missing = Object.keys(programs).filter((name) => {
    found.set(name, search(name));
    const { path, version, error } = found.get(name);
    console.log(error ? `  missing: ${error}` : `  ${path}: ${version}`);
    return error;
  });
  process.exitCode = missing.length > 0 ? 1 : 0;
}

// packages prints Debian's packages of what is missing and not named by its variable.
function packages() {
  const missing = Object.entries(programs).filter(([name, { variable }]) => !process.env[variable] && search(name).error);
  console.log(missing.flatMap(([, p]) => p.packages).join(" "));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [, , what] = process.argv;
  if (what === "--packages") packages();
  else if (what) console.log(program(what));
  else list();
}
