import { Ink } from "./ink.js";
import { card } from "./lines.js";
import { whole } from "./numbers.js";
import { misfits, showReading } from "./reading.js";
import * as server from "./server.js";

const PAGE_ROWS = 24;
const RATE_WINDOW = 1000;
const CLOSE_TICKS = 0.19;

const element = (id) => document.getElementById(id);
const ink = new Ink(element("ink"));
const settings = await server.settings();
const thresholds = Object.entries(settings.thresholds).sort(([, one], [, other]) => one - other);
const lowest = thresholds[0]?.[1] ?? 0;
const text = element("text");

/* Scores and reads the ink as it grows: one request at a time, always with the latest ink. */

let version = 0;
let isAsking = false;
let isExplaining = false;
const answered = [];

async function ask() {
  if (isAsking) return;
  isAsking = true;
  markBusy(true);
  let shown = -1;
  while (shown !== version) {
    shown = version;
    if (ink.isEmpty) {
      showNothing();
      continue;
    }
    const started = performance.now();
    const explains = isExplaining && !ink.isDrawing;
    const [words, asked] = [ink.words, text.value.trim()];
    try {
      const answer = await server.look(words, asked, explains);
      if (ink.words === words && !ink.isEmpty) show(answer, asked, performance.now() - started);
      if (shown === version && explains) ink.colour(answer.explanation?.pulls ?? null);
    } catch (error) {
      showProblem(error);
    }
  }
  markBusy(false);
  isAsking = false;
}

/* Screen readers wait for the last answer. */
function markBusy(isBusy) {
  for (const id of ["result", "read-row", "match-row"]) element(id).setAttribute("aria-busy", String(isBusy));
}

function changed() {
  version += 1;
  element("hint").hidden = !ink.isEmpty;
  if (ink.isEmpty) element("sheet").classList.remove("loaded");
  element("undo").disabled = element("clear").disabled = ink.isEmpty;
  element("save-button").disabled = ink.isEmpty || !settings.save;
  ask();
}

/* Scores are float32; so is the threshold that they are compared with. */
const isKept = (score, threshold) => Math.fround(score) >= Math.fround(threshold);

function verdict(score) {
  if (thresholds.length === 0) return "";
  const names = thresholds.map(([name]) => name);
  const kept = thresholds.filter(([, threshold]) => isKept(score, threshold)).length;
  const list = (some) => some.join(some.length > 2 ? ", " : " and ");
  if (kept === names.length) return `Kept by ${names.length === 1 ? names[0] : "every named threshold"}.`;
  // Not by every threshold: a filter may be given a lower one.
  if (kept === 0) return `Below ${names[0]}, ${names.length === 1 ? "the only" : "the lowest"} named threshold.`;
  return `Kept by ${list(names.slice(0, kept))}; dropped by ${list(names.slice(kept))}.`;
}

function showScore(score) {
  element("score").textContent = score?.toFixed(3) ?? "–";
  delete element("score").dataset.verdict;
  element("needle").hidden = score === null;
  if (score === null) return;
  element("score").dataset.verdict = isKept(score, lowest) ? "kept" : "dropped";
  element("needle").style.left = `${score * 100}%`;
}

function show(answer, asked, time) {
  const [{ score, error }, ...others] = answer.checks;
  showScore(score);
  element("verdict").textContent = score === null ? error : verdict(score);
  element("others").textContent = others.map((other) => `${other.name} ${other.score?.toFixed(3) ?? "–"}`).join(" · ");
  element("raster").src = answer.picture;
  element("raster").hidden = false;
  element("problem").hidden = true;
  if (answer.read) showRead(answer.read, asked);
  const now = performance.now();
  answered.push(now);
  while (answered[0] < now - RATE_WINDOW) answered.shift();
  element("speed").textContent = `updates in the last second: ${answered.length} · ${time.toFixed(0)} ms`;
}

/* The marks belong to the ink that was asked about, which may have grown since. */
function showRead(found, asked) {
  showReading(found, asked, settings.reader.thresholds);
  const pieces = misfits(ink.words, found?.letters ?? []);
  ink.mark(pieces);
  element("marks-legend").hidden = pieces.length === 0;
}

function showNothing() {
  showScore(null);
  if (settings.reader) showRead(null, text.value.trim());
  element("verdict").textContent = "Nothing is drawn yet.";
  element("others").textContent = "";
  element("raster").hidden = true;
  element("problem").hidden = true;
  element("speed").textContent = "";
}

function showProblem(error) {
  element("problem").textContent = error.message;
  element("problem").hidden = false;
}

ink.addEventListener("change", changed);
text.addEventListener("input", changed);
element("undo").addEventListener("click", () => ink.undo());
element("clear").addEventListener("click", () => { text.value = ""; ink.clear(); });
element("explain").addEventListener("click", () => {
  isExplaining = !isExplaining;
  element("explain").setAttribute("aria-pressed", String(isExplaining));
  element("legend").hidden = !isExplaining;
  if (!isExplaining) ink.colour(null);
  changed();
});

document.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "z") element("undo").click();
  else if (!command && event.key === "Delete") element("clear").click();
  else if (!command && !event.altKey && event.key.toLowerCase() === "e") element("explain").click();
  else return;
  event.preventDefault();
});

/* Reading and saving */

for (const id of ["read-row", "match-row"]) element(id).hidden = !settings.reader;
if (settings.reader) showRead(null, "");

element("save-button").title = settings.save
  ? `Add this row to ${settings.save}`
  : "Start the server with --save FILE.parquet to save rows";
if (!settings.save) element("saved").textContent = "To save rows, start the server with --save FILE.parquet.";
element("save").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (ink.isEmpty) return;
  try {
    const { rows } = await server.save(ink.words, text.value);
    element("saved").textContent = `Saved: ${settings.save} has ${whole.format(rows)} ${rows === 1 ? "row" : "rows"}.`;
  } catch (error) {
    element("saved").textContent = `Not saved: ${error.message}`;
  }
});

/* Rows of samples and files */

function load(row) {
  element("sheet").classList.add("loaded");
  text.value = row.text ?? "";
  ink.load(row.words);
  element("ink").scrollIntoView({ block: "nearest" });
}

for (const sample of await server.samples()) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = sample.name;
  button.addEventListener("click", () => load(sample));
  element("samples").append(button);
}

let file = settings.file;
let start = 0;

async function showRows() {
  try {
    const { rows } = await server.rows(file.key, start, PAGE_ROWS);
    element("rows").replaceChildren(...rows.map((row) => card(row, lowest, load)));
    element("file-name").textContent = file.name;
    element("file-empty").hidden = file.rows > 0;
    element("file-empty").textContent = "This file has no rows.";
    const last = start + rows.length - 1;
    const [from, to, all] = [start, last, file.rows].map(whole.format);
    element("place").textContent = file.rows ? `${from} to ${to} of ${all} rows` : "";
    element("previous").hidden = element("next").hidden = element("go").hidden = file.rows <= PAGE_ROWS;
    element("first").max = file.rows - 1;
    element("previous").disabled = start === 0;
    element("next").disabled = start + PAGE_ROWS >= file.rows;
  } catch (error) {
    showFileProblem(error);
  }
}

function showFileProblem(error) {
  element("file-empty").textContent = error.message;
  element("file-empty").hidden = false;
}

function turnTo(row) {
  start = Math.max(row, 0);
  return showRows();
}

element("previous").addEventListener("click", () => turnTo(start - PAGE_ROWS));
element("next").addEventListener("click", () => turnTo(start + PAGE_ROWS));
element("first").addEventListener("change", () => {
  if (element("first").value !== "" && element("first").reportValidity()) turnTo(Number(element("first").value));
});
element("open").addEventListener("change", async () => {
  const [chosen] = element("open").files;
  if (!chosen) return;
  try {
    if (chosen.size > settings.most_uploaded_bytes) {
      const most = settings.most_uploaded_bytes / 2 ** 20;
      throw new Error(`${chosen.name} is larger than ${most} MiB; open it with penpal-fast serve FILE`);
    }
    file = { ...(await server.upload(chosen)), name: chosen.name };
    await turnTo(0);
  } catch (error) {
    showFileProblem(error);
  }
  element("open").value = "";
});

/* Theme and scale */

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
element("theme").addEventListener("click", () => {
  const isDark = (root.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
  ink.forgetColours();
});
systemDark.addEventListener("change", () => ink.forgetColours());

let lastTick = -1;
let isLow = false;
for (const [name, threshold] of thresholds) {
  // Labels of neighbours that are close go onto two lines.
  isLow = !isLow && threshold - lastTick < CLOSE_TICKS;
  lastTick = threshold;
  const tick = document.createElement("i");
  tick.className = isLow ? "tick low" : "tick";
  tick.style.left = `${threshold * 100}%`;
  tick.dataset.label = `${threshold}\n${name}`;
  tick.title = name;
  element("meter").append(tick);
}

if (file) await showRows();
root.dataset.ready = "true";
