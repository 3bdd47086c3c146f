/* Rows of a file as cards with vector drawings. */

import { corners } from "./corners.js";
import { whole } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const LONGER_SIDE = 800;
const MARGIN = 12;

function drawing(words, label) {
  const [low, high] = corners(words);
  const scale = LONGER_SIDE / (Math.max(high[0] - low[0], high[1] - low[1]) || 1);
  const place = (point) => [0, 1].map((axis) => Math.round((point[axis] - low[axis]) * scale) + MARGIN).join(" ");
  const svg = document.createElementNS(SVG, "svg");
  const size = [0, 1].map((axis) => Math.ceil((high[axis] - low[axis]) * scale) + 2 * MARGIN);
  const attributes = { viewBox: `0 0 ${size.join(" ")}`, preserveAspectRatio: "xMinYMid meet", class: "ink", role: "img", "aria-label": label };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", words.flat().map((stroke) => `M${place(stroke[0])}L${stroke.map(place).join(" ")}`).join(""));
  svg.append(path);
  return svg;
}

function part(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

/* A card for a row that the server sent; a click on it calls `choose` with the row. */
export function card(row, threshold, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "line";
  const isBad = row.score === null;
  const isDrawn = row.error === null;
  button.classList.toggle("bad", isBad);
  button.classList.toggle("dropped", !isBad && Math.fround(row.score) < Math.fround(threshold));
  button.disabled = !isDrawn;
  const score = isBad ? "bad" : row.score.toFixed(3);
  button.append(!isDrawn ? part("reason quiet", row.error) : drawing(row.words, `Row ${row.row}, score ${score}`));
  const caption = part("caption", "");
  caption.append(part("score", score), part("words", row.text ?? ""), part("quiet number", `row ${whole.format(row.row)}`));
  button.append(caption);
  button.addEventListener("click", () => choose(row));
  return button;
}
