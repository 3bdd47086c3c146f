"use strict";
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const pictured = [...document.querySelectorAll("[data-raster]")];
  const whole = new Intl.NumberFormat("en");
  const charts = [...document.querySelectorAll("[data-chart]")];
  const views = new Map();

  /* Scores are float32; so is the threshold that they are compared with. */
  const isKept = (score, threshold) => Math.fround(score) >= Math.fround(threshold);
  const share = (part, all) => (all ? `${((100 * part) / all).toFixed(1)} %` : "–");

  const blockOf = (element) => element.closest("[data-check]");
  const dataOf = (element) => data.checks[blockOf(element).dataset.check];
  const sliderOf = (element) => blockOf(element).querySelector("[data-slider]");

  /* Each check has its own block of the page, with a slider. */
  function showThreshold(block, value) {
    const step = Math.round(value * data.steps);
    const threshold = step / data.steps;
    const exact = block.querySelector("[data-exact]");
    sliderOf(block).value = threshold;
    if (document.activeElement !== exact) exact.value = threshold.toFixed(3);
    for (const button of block.querySelectorAll("[data-threshold]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.threshold) === threshold));
    }
    dataOf(block).files.forEach((file, index) => {
      const kept = file.kept[step];
      const scored = file.kept[0];
      const bad = file.rows - scored;
      block.querySelector(`[data-share="${index}"]`).textContent = share(kept, scored);
      const texts = [`${whole.format(kept)} of ${whole.format(scored)} kept`, `${whole.format(scored - kept)} dropped`];
      if (bad) texts.push(`${whole.format(bad)} bad`);
      block.querySelector(`[data-kept="${index}"]`).textContent = texts.join(" · ");
      block.querySelector(`[data-bar="${index}"]`).style.width = `${scored ? (100 * kept) / scored : 0}%`;
    });
    for (const line of block.querySelectorAll(".line")) {
      line.classList.toggle("dropped", !isKept(line.dataset.score, threshold));
    }
    for (const [chart, view] of views) if (blockOf(chart) === block) moveRule(chart, view);
  }

  /* What a person chooses for a score holds for its maps too; see map.js. */
  function choose(block, value) {
    showThreshold(block, value);
    const detail = { score: block.dataset.name, value: Number(sliderOf(block).value) };
    document.dispatchEvent(new CustomEvent("threshold-chosen", { detail }));
  }

  function moveRule(chart, view) {
    const threshold = Number(sliderOf(chart).value);
    if ("threshold" in view.getState().signals) view.signal("threshold", threshold).runAsync();
  }

  /* The style sheet has the colours: charts follow the theme, and are light on paper. */
  const colour = (name) => `var(--${name})`;

  function chartStyle() {
    const quiet = colour("quiet");
    const edge = colour("edge");
    const kept = colour("kept");
    return {
      background: null,
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      axis: {
        labelColor: quiet, titleColor: quiet, titleFontWeight: 400, gridColor: edge, domainColor: edge,
        tickColor: edge, labelFontSize: 11, titleFontSize: 12,
      },
      axisX: { grid: false },
      legend: { labelColor: colour("text"), labelFontSize: 12, symbolStrokeWidth: 3 },
      range: { category: [kept, colour("dropped"), colour("second"), colour("third"), colour("neutral")] },
      style: {
        dropped: { color: colour("dropped"), opacity: 0.72 },
        kept: { color: kept, opacity: 1 },
        threshold: { color: colour("text"), strokeWidth: 2 },
        preset: { color: quiet, strokeDash: [3, 4] },
        curve: { strokeWidth: 2.5 },
        band: { color: kept, opacity: 0.16 },
        ends: { color: kept, opacity: 0.25, strokeWidth: 6, strokeCap: "round" },
        span: { color: kept, opacity: 0.35, strokeWidth: 7, strokeCap: "round" },
        median: { color: kept, strokeWidth: 2.5 },
        dot: { color: kept, opacity: 1, size: 70 },
      },
    };
  }

  async function drawChart(chart) {
    const tooltip = { theme: matchesDark() ? "dark" : "light" };
    const settings = { actions: false, renderer: "svg", ast: true, config: chartStyle(), tooltip };
    views.get(chart)?.finalize();
    const { view } = await vegaEmbed(chart, dataOf(chart).charts[chart.dataset.chart], settings);
    views.set(chart, view);
    moveRule(chart, view);
  }

  const begun = new Set();
  async function drawOnce(chart) {
    if (begun.has(chart)) return;
    begun.add(chart);
    await drawChart(chart);
  }

  /* Draws the visible charts first and the others when they come near, so that a page with many charts opens fast. */
  async function drawFirstCharts() {
    const isInSight = (chart) => chart.getBoundingClientRect().top < innerHeight;
    await Promise.all(charts.filter(isInSight).map(drawOnce));
    document.documentElement.dataset.ready = "true";
    if ("IntersectionObserver" in window) drawWhenNear();
    drawRest();
    addEventListener("beforeprint", () => charts.forEach(drawOnce));
  }

  function drawWhenNear() {
    const watcher = new IntersectionObserver((entries) => {
      for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
        watcher.unobserve(target);
        drawOnce(target);
      }
    }, { rootMargin: "800px" });
    for (const chart of charts.filter((one) => !begun.has(one))) watcher.observe(chart);
  }

  /* The charts further down, one after another while nothing else is to do: whoever prints the page wants them all. */
  function drawRest() {
    const chart = charts.find((one) => !begun.has(one));
    if (chart) (window.requestIdleCallback ?? setTimeout)(() => drawOnce(chart).then(drawRest));
    else document.documentElement.dataset.drawn = "true";
  }

  const redrawCharts = () => [...views.keys()].forEach(drawChart);

  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const matchesDark = () => (document.documentElement.dataset.theme || (systemDark.matches ? "dark" : "light")) === "dark";
  document.getElementById("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = matchesDark() ? "light" : "dark";
    redrawCharts();
  });
  systemDark.addEventListener("change", redrawCharts);

  const blocks = [...document.querySelectorAll("[data-check]")];
  for (const block of blocks) {
    const slider = sliderOf(block);
    const exact = block.querySelector("[data-exact]");
    slider.addEventListener("input", () => choose(block, Number(slider.value)));
    exact.addEventListener("input", () => {
      if (exact.value !== "" && exact.checkValidity()) choose(block, Number(exact.value));
    });
    for (const button of block.querySelectorAll("[data-threshold]")) {
      button.addEventListener("click", () => choose(block, Number(button.dataset.threshold)));
    }
  }

  document.addEventListener("threshold-chosen-on-map", ({ detail }) => {
    for (const block of blocks) if (block.dataset.name === detail.score) showThreshold(block, detail.value);
  });

  const raster = document.getElementById("raster");
  let pointedAt = null;
  function placeRaster() {
    const box = pointedAt.getBoundingClientRect();
    const { width, height } = raster.getBoundingClientRect();
    const below = box.bottom + 8 + height < innerHeight || box.top < height + 8;
    raster.style.top = `${below ? box.bottom + 8 : box.top - height - 8}px`;
    raster.style.left = `${Math.min(Math.max(box.left, 8), innerWidth - width - 8)}px`;
  }
  function showRaster(line) {
    pointedAt = line;
    raster.hidden = line === null;
    if (line === null) return;
    raster.firstElementChild.src = line.dataset.raster;
    placeRaster();
  }
  for (const line of pictured) {
    for (const name of ["pointerenter", "focus"]) line.addEventListener(name, () => showRaster(line));
    for (const name of ["pointerleave", "blur"]) line.addEventListener(name, () => showRaster(null));
  }
  addEventListener("keydown", (event) => { if (event.key === "Escape") showRaster(null); });
  addEventListener("scroll", () => { if (pointedAt) placeRaster(); }, { passive: true });

  for (const block of blocks) showThreshold(block, Number(sliderOf(block).value));
  drawFirstCharts();
}
