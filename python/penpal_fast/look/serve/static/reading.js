/* What the reader found: the reading, and the letters of the text that do not fit the ink. */

const element = (id) => document.getElementById(id);

const READABLE = ["Cannot be read: whatever it says is a guess.", "Hard to read.", "Can be read."];
const MATCHES = ["The ink does not say this text", "The ink may say this text", "The ink says this text"];
const NO_INK = "What the ink seems to say appears here while you draw.";
const NO_TEXT = "Type what the line should say: letters that do not fit the ink are marked, here and in the drawing.";

/* Shows what the server answered, or nothing if there is no ink. The text is the one that it compared. */
export function showReading(found, text, thresholds) {
  const isRead = found && found.reading !== null;
  element("read").textContent = isRead ? found.reading || "(nothing)" : "–";
  element("read").classList.toggle("quiet", !found?.reading);
  rate("readability", found?.readability ?? null, thresholds);
  element("read-note").textContent = found ? (found.problem ?? grade(READABLE, found.readability, thresholds)) : NO_INK;
  rate("match", found?.match ?? null, thresholds);
  element("marked").replaceChildren(...marked(text, found?.letters ?? []));
  element("match-note").textContent = text ? matchNote(found, thresholds) : NO_TEXT;
}

/* The pieces of strokes whose letters do not fit, as lists of points. */
export function misfits(words, letters) {
  const strokes = words.flat();
  const spans = letters.filter((letter) => !letter.fits).flatMap((letter) => letter.spans);
  return spans.filter((span) => strokes[span.stroke]).map((span) => cut(strokes[span.stroke], span));
}

function rate(name, value, thresholds) {
  const output = element(name);
  output.textContent = value?.toFixed(2) ?? "–";
  if (value === null) delete output.dataset.verdict;
  else output.dataset.verdict = value >= Object.values(thresholds)[0] ? "kept" : "dropped";
}

/* The first of three phrases below all thresholds, the last above all. */
function grade([low, middle, high], value, thresholds) {
  const values = Object.values(thresholds);
  if (value < Math.min(...values)) return low;
  return value >= Math.max(...values) ? high : middle;
}

function matchNote(found, thresholds) {
  if (!found || found.problem) return "";
  if (found.match === null) return `Not compared: ${found.text_problem}.`;
  const says = grade(MATCHES, found.match, thresholds);
  if (found.letters.length === 0) return `${says}: it is too short for it, so no letter is marked.`;
  const isSaid = found.match >= Math.max(...Object.values(thresholds));
  const count = found.letters.filter((letter) => !letter.fits).length;
  if (count === 0) return isSaid ? `${says}.` : `${says}, though no letter stands out.`;
  const faults = count === 1 ? "1 letter does" : `${count} letters do`;
  return `${says}${isSaid ? ", but" : ":"} ${faults} not fit; see the marks here and in the drawing.`;
}

/* The text in pieces: letters that fit, letters that do not, and letters that the reader does not know. */
function marked(text, letters) {
  const kinds = new Map();
  for (const { position, fits } of letters) {
    if (kinds.get(position) !== "misfit") kinds.set(position, fits ? "fits" : "misfit");
  }
  const pieces = [];
  Array.from(text).forEach((letter, position) => {
    const kind = kinds.get(position) ?? (letters.length === 0 || letter.trim() === "" ? "fits" : "unknown");
    if (pieces.at(-1)?.kind === kind) pieces.at(-1).letters += letter;
    else pieces.push({ kind, letters: letter });
  });
  return pieces.map(piece);
}

function piece({ kind, letters }) {
  if (kind === "fits") return document.createTextNode(letters);
  const part = document.createElement(kind === "misfit" ? "mark" : "span");
  part.textContent = letters;
  part.className = kind;
  part.title = kind === "misfit" ? "does not fit the ink" : "not compared: the reader does not know it";
  return part;
}

/* A piece of a stroke, whose ends may lie between points. */
function cut(stroke, { start, end }) {
  const at = (place) => {
    const first = Math.min(Math.floor(place), stroke.length - 1);
    const [from, to] = [stroke[first], stroke[Math.min(first + 1, stroke.length - 1)]];
    return [0, 1].map((axis) => from[axis] + (to[axis] - from[axis]) * (place - first));
  };
  return [at(start), ...stroke.slice(Math.floor(start) + 1, Math.ceil(end)), at(end)];
}
