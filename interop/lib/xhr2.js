// XMLHttpRequest as browsers have it since 2012: binary answers, and content codings that the script does not notice.
// Node's clients bring one that has neither.

import http from "node:http";
import zlib from "node:zlib";

const decoders = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync, br: zlib.brotliDecompressSync };

export class XMLHttpRequest {
  // acceptEncoding is what the browser says; of the codings that are decoded here.
  static acceptEncoding = "gzip, deflate, br";

  readyState = 0;
  status = 0;
  responseType = "";
  onreadystatechange = () => {};
  #headers = { "Accept-Encoding": XMLHttpRequest.acceptEncoding };
  #request = null;
  #answer = null;
  #body = Buffer.alloc(0);

  open(method, url) {
    this.#request = http.request(url, { method, agent: false });
    this.#become(1);
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  getResponseHeader(name) {
    return this.#answer?.headers[name.toLowerCase()] ?? null;
  }

  send(data) {
    for (const [name, value] of Object.entries(this.#headers)) this.#request.setHeader(name, value);
    const fail = () => {
      this.status = 0;
      this.#become(4);
    };
    this.#request.on("error", fail).on("response", (answer) => {
      this.#answer = answer;
      this.status = answer.statusCode;
      this.#become(2);
      const parts = [];
      answer.on("data", (part) => parts.push(part)).on("error", fail);
      answer.on("end", () => {
        this.#body = (decoders[answer.headers["content-encoding"]] ?? ((b) => b))(Buffer.concat(parts));
        this.#become(4);
      });
    });
    this.#request.end(data ?? undefined);
  }

  abort() {
    this.onreadystatechange = () => {};
    this.#request?.destroy();
  }

  get responseText() {
    return this.#body.toString();
  }

  // A Buffer, for the parser that the client has in Node takes no ArrayBuffer.
  get response() {
    return this.responseType === "arraybuffer" ? this.#body : this.responseText;
  }

  #become(state) {
    this.readyState = state;
    this.onreadystatechange();
  }
}
