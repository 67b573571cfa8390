// Everything the page asks of its server. The token stays in memory, never in an address.

const STORED = "chainrule-token";
const WAIT_MESSAGE = "The server does not answer. Is chainrule watch still running?";
let token = "";

/** Take the token from the link, and take it out of the visible address so that no copied address holds it. */
export function takeToken() {
  const asked = new URLSearchParams(location.search);
  token = asked.get("token") ?? "";
  try {
    if (token) sessionStorage.setItem(STORED, token);
    else token = sessionStorage.getItem(STORED) ?? "";
  } catch {
    // A browser that forbids storage only loses the token on a reload.
  }
  if (asked.has("token")) {
    asked.delete("token");
    const rest = asked.toString();
    history.replaceState(null, "", location.pathname + (rest ? `?${rest}` : "") + location.hash);
  }
}

/** An answer that is no success; its message is a sentence for the reader. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}`, ...options.headers };
  let answer;
  try {
    answer = await fetch(`api/${path}`, { cache: "no-store", ...options, headers });
  } catch (failure) {
    if (failure.name === "AbortError") throw failure;
    throw new Refused(WAIT_MESSAGE, 0);
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(said.error ?? `The server answered ${answer.status}.`, answer.status);
}

export async function get(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const asked = known.length ? `?${new URLSearchParams(known)}` : "";
  return (await ask(path + asked)).json();
}

export async function post(path, body = {}, options = {}) {
  const headers = { "Content-Type": "application/json" };
  const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body), ...options });
  return answer.status === 204 ? null : answer.json();
}

export async function upload(file) {
  const headers = { "Content-Type": "application/octet-stream", "X-Name": encodeURIComponent(file.name) };
  return (await ask("tables", { method: "POST", headers, body: file })).json();
}

/** A file to keep: its content and the name that the server gives it. */
export async function file(path, otherwise) {
  const answer = await ask(path);
  const name = /filename="?([^";]+)"?/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  return { blob: await answer.blob(), name: name ?? otherwise };
}

/** Read server-sent events by fetch, since EventSource cannot send the token. Ends when the stream does. */
export async function listen(path, hear, signal) {
  const answer = await ask(path, { signal, headers: { Accept: "text/event-stream" } });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (held + value).split("\n\n");
    held = events.pop();
    // A reader that lags behind needs the newest frame; but charts come only in frames that change them.
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length) hear(JSON.parse(data.map((line) => line.slice(5)).join("\n")));
    }
  }
}
