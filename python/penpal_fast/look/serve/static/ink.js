/* The drawing area: words of strokes of [x, y] points in CSS pixels, y growing downward. */

import { corners } from "./corners.js";

const LINE_WIDTH = 2.6;
const MARK_WIDTH = 14;
const KEY_STEP = 4;
const FAR_KEY_STEP = 20;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Ink extends EventTarget {
  #canvas;
  #context;
  #words = [];
  #pointer = null;
  #pen = null;
  #pulls = null;
  #marks = [];
  #colours = null;
  #frame = null;

  constructor(canvas) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    canvas.addEventListener("pointerdown", (event) => this.#start(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.#end(event));
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => { this.#pen = null; this.paint(); });
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  get words() {
    return this.#words;
  }

  get isEmpty() {
    return this.#words.length === 0;
  }

  get isDrawing() {
    return this.#pointer !== null || Boolean(this.#pen?.isDown);
  }

  clear() {
    this.#words = [];
    this.#marks = [];
    this.#changed();
  }

  undo() {
    this.#marks = [];
    this.#words.at(-1)?.pop();
    if (this.#words.at(-1)?.length === 0) this.#words.pop();
    this.#changed();
  }

  /* Shows a row at the size of the drawing area. */
  load(words) {
    const [[left, top], [right, bottom]] = corners(words);
    const box = this.#canvas.getBoundingClientRect();
    const room = Math.min((box.width * 0.88) / (right - left || 1), (box.height * 0.7) / (bottom - top || 1));
    const place = ([x, y]) => [
      (x - (left + right) / 2) * room + box.width / 2,
      (y - (top + bottom) / 2) * room + box.height / 2,
    ];
    this.#marks = [];
    this.#words = words.map((word) => word.map((stroke) => stroke.map(place)));
    this.#changed();
  }

  /* Colours the strokes by numbers from -1 (lowers the score) to 1 (raises it); null for plain ink. */
  colour(pulls) {
    this.#pulls = pulls;
    this.paint();
  }

  /* Marks pieces of strokes, each a list of points: wide and pale, under the strokes. They stay while the ink grows. */
  mark(pieces) {
    this.#marks = pieces;
    this.paint();
  }

  /* Reads the theme's colours again. */
  forgetColours() {
    this.#colours = null;
    this.paint();
  }

  /* Paints once in the next frame, even after several calls. */
  paint() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#paintNow();
    });
  }

  #paintNow() {
    const { width, height } = this.#canvas.getBoundingClientRect();
    const scale = devicePixelRatio || 1;
    const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
    if (this.#canvas.width !== size.width || this.#canvas.height !== size.height) Object.assign(this.#canvas, size);
    const context = this.#context;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineCap = context.lineJoin = "round";
    this.#paintMarks();
    context.lineWidth = LINE_WIDTH;
    this.#words.flat().forEach((stroke, index) => this.#paintStroke(stroke, this.#strokeColour(index)));
    if (this.#pen) this.#paintPen();
  }

  /* One path for all: pale colours of overlapping strokes would add up. */
  #paintMarks() {
    const context = this.#context;
    context.lineWidth = MARK_WIDTH;
    context.strokeStyle = this.#palette().misfit;
    context.beginPath();
    for (const piece of this.#marks) {
      context.moveTo(...piece[0]);
      for (const point of piece) context.lineTo(...point);
    }
    context.stroke();
  }

  #paintStroke(stroke, colour) {
    const context = this.#context;
    context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke) context.lineTo(...point);
    context.stroke();
  }

  #paintPen() {
    const context = this.#context;
    const { x, y, isDown } = this.#pen;
    context.strokeStyle = this.#palette().raises;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, y, isDown ? 4 : 9, 0, 2 * Math.PI);
    context.stroke();
  }

  #strokeColour(index) {
    const palette = this.#palette();
    const pull = this.#pulls?.[index];
    if (pull === undefined) return palette.ink;
    const end = pull < 0 ? palette.lowers : palette.raises;
    return `color-mix(in oklab, ${end} ${Math.round(Math.abs(pull) * 100)}%, ${palette.neutral})`;
  }

  #palette() {
    if (!this.#colours) {
      const read = (name) => {
        this.#canvas.style.color = `var(--${name})`;
        return getComputedStyle(this.#canvas).color;
      };
      this.#colours = { ink: read("text"), lowers: read("dropped"), raises: read("kept"), neutral: read("neutral"), misfit: read("misfit") };
      this.#canvas.style.color = "";
    }
    return this.#colours;
  }

  #start(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#startStroke(this.#place(event));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const stroke = this.#words.at(-1).at(-1);
    for (const one of events.length ? events : [event]) stroke.push(this.#place(one));
    this.#changed();
  }

  #end(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#changed();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #startStroke(point) {
    if (this.isEmpty) this.#words.push([]);
    this.#words.at(-1).push([point]);
    this.#changed();
  }

  #key(event) {
    const direction = ARROWS[event.key];
    if ((!direction && event.key !== " ") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { width, height } = this.#canvas.getBoundingClientRect();
    this.#pen ??= { x: width / 8, y: height / 2, isDown: false };
    const pen = this.#pen;
    if (direction) {
      const step = event.shiftKey ? FAR_KEY_STEP : KEY_STEP;
      pen.x = Math.min(Math.max(pen.x + direction[0] * step, 0), width);
      pen.y = Math.min(Math.max(pen.y + direction[1] * step, 0), height);
      if (pen.isDown) this.#words.at(-1).at(-1).push([pen.x, pen.y]);
    } else {
      pen.isDown = !pen.isDown;
      if (pen.isDown) this.#startStroke([pen.x, pen.y]);
    }
    if (pen.isDown || !direction) this.#changed();
    else this.paint();
  }

  #changed() {
    this.#pulls = null;
    if (this.isEmpty && this.#pen) this.#pen.isDown = false;
    this.paint();
    this.dispatchEvent(new Event("change"));
  }
}
