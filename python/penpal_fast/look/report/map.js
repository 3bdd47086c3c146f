"use strict";
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const steps = data.mapSteps;
  const side = steps + 1;
  const whole = new Intl.NumberFormat("en");

  /* Scores are float32; so is the threshold that they are compared with. */
  const isKept = (score, threshold) => Math.fround(score) >= Math.fround(threshold);
  const share = (part, all) => (all ? `${((100 * part) / all).toFixed(1)}\u00a0%` : "–");

  /* Rows at or above each pair of steps, from the rows of each cell. */
  function keptFrom(cells) {
    const kept = new Float64Array((side + 1) ** 2);
    const at = (x, y) => x * (side + 1) + y;
    for (let index = 0; index < cells.length; index += 2) {
      kept[at(Math.floor(cells[index] / side), cells[index] % side)] = cells[index + 1];
    }
    for (let x = side - 1; x >= 0; x -= 1) {
      for (let y = side - 1; y >= 0; y -= 1) kept[at(x, y)] += kept[at(x + 1, y)] + kept[at(x, y + 1)] - kept[at(x + 1, y + 1)];
    }
    return (x, y) => kept[at(x, y)];
  }

  function countsOf(kept, x, y) {
    const both = kept(x, y);
    const onlyX = kept(x, 0) - both;
    const onlyY = kept(0, y) - both;
    return { both, onlyX, onlyY, neither: kept(0, 0) - both - onlyX - onlyY };
  }

  function connect(block) {
    const report = data.pairs[block.dataset.pair];
    const chosen = { x: 0, y: 0 };
    const kepts = report.files.map((file) => keptFrom(file.cells));

    function showCounts() {
      for (const map of block.querySelectorAll("[data-map]")) {
        const kept = kepts[map.dataset.map];
        const counts = countsOf(kept, chosen.x, chosen.y);
        for (const place of map.querySelectorAll("[data-count]")) {
          const rows = counts[place.dataset.count];
          place.textContent = `${whole.format(rows)} · ${share(rows, kept(0, 0))}`;
        }
      }
      for (const line of block.querySelectorAll(".line")) {
        const { x, y } = line.dataset;
        line.classList.toggle("dropped", !(isKept(x, chosen.x / steps) && isKept(y, chosen.y / steps)));
      }
    }

    function show(axis, value) {
      chosen[axis] = Math.round(value * steps);
      const threshold = chosen[axis] / steps;
      block.style.setProperty(`--${axis}`, `${100 * threshold}%`);
      for (const slider of block.querySelectorAll(`[data-slider-axis="${axis}"]`)) slider.value = threshold;
      const exact = block.querySelector(`[data-exact-axis="${axis}"]`);
      if (document.activeElement !== exact) exact.value = threshold.toFixed(2);
      for (const button of block.querySelectorAll(`[data-preset-axis="${axis}"]`)) {
        button.setAttribute("aria-pressed", String(Number(button.value) === threshold));
      }
      showCounts();
    }

    function choose(axis, value) {
      show(axis, value);
      const detail = { score: report[axis].score, value: chosen[axis] / steps };
      document.dispatchEvent(new CustomEvent("threshold-chosen-on-map", { detail }));
    }

    for (const axis of ["x", "y"]) {
      for (const slider of block.querySelectorAll(`[data-slider-axis="${axis}"]`)) {
        slider.addEventListener("input", () => choose(axis, Number(slider.value)));
      }
      const exact = block.querySelector(`[data-exact-axis="${axis}"]`);
      exact.addEventListener("input", () => {
        if (exact.value !== "" && exact.checkValidity()) choose(axis, Number(exact.value));
      });
      for (const button of block.querySelectorAll(`[data-preset-axis="${axis}"]`)) {
        button.addEventListener("click", () => choose(axis, Number(button.value)));
      }
      document.addEventListener("threshold-chosen", ({ detail }) => {
        if (detail.score === report[axis].score) show(axis, detail.value);
      });
      choose(axis, report[axis].start);
    }
    for (const map of block.querySelectorAll("[data-map]")) connectSpots(map);
  }

  /* A ring on the map shows its row beside the map; at first the row that looks best and matches least is shown. */
  function connectSpots(map) {
    const spots = [...map.querySelectorAll("[data-spot]")];
    const rows = [...map.querySelectorAll("[data-row]")];
    function look(chosen) {
      for (const row of rows) row.hidden = row.dataset.row !== chosen.dataset.spot;
      for (const spot of spots) spot.setAttribute("aria-pressed", String(spot === chosen));
    }
    for (const spot of spots) spot.addEventListener("click", () => look(spot));
    const apart = ({ x, y }) => Number(x) - Number(y);
    const gaps = rows.map((row) => apart(row.firstElementChild.dataset));
    if (spots.length) look(spots[gaps.indexOf(Math.max(...gaps))]);
  }

  for (const block of document.querySelectorAll("[data-pair]")) connect(block);
}
