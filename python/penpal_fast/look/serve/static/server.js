/* Requests to the server; an answer that is not 2xx becomes an Error with the server's reason. */

async function answer(response) {
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(content.error || `the server answered ${response.status}`);
  return content;
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the server does not answer; is penpal-fast serve still running?");
  }
  return answer(response);
}

const json = (content) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(content),
});

export const settings = () => send("/settings");
export const look = (strokes, explain) => send("/look", json({ strokes, explain }));
export const save = (strokes, text) => send("/drawn", json({ strokes, text }));
export const upload = (file) => send("/files", { method: "POST", body: file });
export const rows = (key, start, count) =>
  send(`/files/${encodeURIComponent(key)}/rows?start=${start}&count=${count}`);
