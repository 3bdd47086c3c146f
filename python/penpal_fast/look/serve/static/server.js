/* Requests to the server. A response other than 2xx throws an Error with the server's reason. */

async function send(path, options) {
  const response = await fetch(path, options).catch(() => {
    throw new Error("the server does not answer; is penpal-fast serve still running?");
  });
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(content.error || `the server answered ${response.status}`);
  return content;
}

const json = (content) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(content),
});

export const settings = () => send("/settings");
export const samples = () => send("/static/samples.json");
export const look = (strokes, text, explain) => send("/look", json({ strokes, text: text || null, explain }));
export const save = (strokes, text) => send("/drawn", json({ strokes, text }));
export const upload = (file) =>
  send(`/files?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
export const rows = (key, start, count) =>
  send(`/files/${encodeURIComponent(key)}/rows?start=${start}&count=${count}`);
