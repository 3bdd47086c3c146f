/* Rows of a file as cards with vector drawings. */

const SVG = "http://www.w3.org/2000/svg";
const LONGER_SIDE = 800;
const MARGIN = 12;

function drawing(words, label) {
  const points = words.flat(2);
  const low = [0, 1].map((axis) => points.reduce((least, point) => Math.min(least, point[axis]), Infinity));
  const high = [0, 1].map((axis) => points.reduce((most, point) => Math.max(most, point[axis]), -Infinity));
  const scale = LONGER_SIDE / (Math.max(high[0] - low[0], high[1] - low[1]) || 1);
  const place = (point) => [0, 1].map((axis) => Math.round((point[axis] - low[axis]) * scale) + MARGIN).join(" ");
  const svg = document.createElementNS(SVG, "svg");
  const size = [0, 1].map((axis) => Math.ceil((high[axis] - low[axis]) * scale) + 2 * MARGIN);
  svg.setAttribute("viewBox", `0 0 ${size.join(" ")}`);
  svg.setAttribute("preserveAspectRatio", "xMinYMid meet");
  svg.setAttribute("class", "ink");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
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

/* A card for a row as the server describes it; `choose` is called with the row when the card is clicked. */
export function card(row, threshold, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "line";
  const isBad = row.score === null;
  button.classList.toggle("bad", isBad);
  button.classList.toggle("dropped", !isBad && row.score < threshold);
  button.disabled = isBad;
  const score = isBad ? "bad" : row.score.toFixed(3);
  button.append(isBad ? part("reason quiet", row.error) : drawing(row.words, `Row ${row.row}, score ${score}`));
  const caption = part("caption", "");
  caption.append(part("score", score), part("words", row.text ?? ""), part("quiet number", `row ${row.row}`));
  button.append(caption);
  button.addEventListener("click", () => choose(row));
  return button;
}
