"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const data = JSON.parse(document.getElementById("data").textContent);
const FONT = { family: "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif", size: 12, color: "#1c2128" };
const INKS = ["#1c2128", "#0b5fae", "#c2402a", "#2b7a3d", "#8639a8", "#9a6a00", "#00798c", "#b5176b", "#5b4a3f", "#4f6272", "#5c7f00"];
const DASHES = ["solid", "dash", "dot", "dashdot"];
const ink = (arm) => (arm ? INKS[1 + ((arm - 1) % 10)] : INKS[0]); // the reference is black
const dash = (arm) => DASHES[Math.floor(Math.max(arm - 1, 0) / 10) % 4];
const shown = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"); // plotly reads tags

// Tables: a button in every heading, and a search above those with many rows.
function key(row, place) {
  const text = row.cells[place].textContent.trim().replaceAll("\u2212", "-").replaceAll(",", "");
  const number = parseFloat(text.replace(/^[<>+]\s*/, ""));
  return Number.isNaN(number) ? text : text.startsWith("<") ? number / 2 : number;
}
function compare(a, b) {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // a dash comes last
  return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
}
function sortable(table) {
  const body = table.tBodies[0];
  for (const heading of all("thead th", table)) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      all("[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const place = heading.cellIndex;
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a, place), key(b, place)];
        return typeof x === typeof y && !up ? compare(y, x) : compare(x, y);
      });
      body.append(...rows);
    });
  }
}
function filterable(table) {
  const find = document.createElement("div");
  const verdicts = [...new Set(all("[data-verdict]", table).map((cell) => cell.dataset.verdict))];
  find.className = "find";
  find.innerHTML = '<label>Filter<input type="search"></label><label>Verdict<select><option value="">all</option></select></label><span role="status"></span>';
  const [search, select, status] = ["input", "select", "span"].map((tag) => find.querySelector(tag));
  select.append(...verdicts.map((verdict) => new Option(verdict)));
  search.setAttribute("aria-label", "Filter: " + table.dataset.label);
  find.addEventListener("input", () => {
    for (const row of table.tBodies[0].rows) {
      const verdict = row.querySelector("[data-verdict]")?.dataset.verdict;
      const found = row.textContent.toLowerCase().includes(search.value.toLowerCase());
      row.classList.toggle("off", !found || (select.value !== "" && verdict !== select.value));
    }
    const rows = [...table.tBodies[0].rows];
    status.textContent = `${rows.filter((row) => !row.classList.contains("off")).length} of ${rows.length} rows`;
  });
  table.parentElement.before(find);
}

// Figures: the curves are drawn anew for the arms that are switched on.
const CONFIG = { displayModeBar: false, responsive: true };
function ticks(values) {
  const [low, high] = [Math.min, Math.max].map((end) => end(...values.filter((value) => value > 0)));
  if (high / low < 3) return { dtick: `L${Number(((high - low) / 4).toPrecision(1))}` };
  const steps = high / low > 100 ? [1] : high / low > 15 ? [1, 3] : [1, 2, 3, 5, 7];
  const tickvals = [...Array(25).keys()].flatMap((i) => steps.map((step) => step * 10 ** (i - 12)));
  return { tickvals, ticktext: tickvals.map((value) => String(Number(value.toPrecision(2)))) };
}
function draw(place, traces, layout) {
  const axis = { gridcolor: "#e8ebee", zeroline: false, automargin: true };
  const legend = { orientation: "h", y: 1.02, yanchor: "bottom" };
  const whole = { font: FONT, height: 300, margin: { l: 56, r: 12, t: 8, b: 44 }, showlegend: false, legend, hovermode: "closest", ...layout };
  whole.xaxis = { ...axis, ...layout.xaxis };
  whole.yaxis = { ...axis, ...layout.yaxis };
  if (whole.yaxis.type === "log") Object.assign(whole.yaxis, ticks(traces.flatMap((trace) => trace.y)));
  return Plotly.react(place, traces, whole, CONFIG);
}
function traces(panel, on) {
  const found = [];
  for (const arm of on) {
    const curve = panel.arms[arm];
    if (!curve) continue;
    const line = { color: ink(arm), dash: dash(arm), width: 1.8 };
    if (curve.low.some((value) => value !== null)) {
      const kept = curve.images.map((_, i) => i).filter((i) => curve.low[i] !== null);
      const back = [...kept].reverse();
      found.push({
        x: [...kept, ...back].map((i) => curve.images[i]),
        y: [...kept.map((i) => curve.low[i]), ...back.map((i) => curve.high[i])],
        fill: "toself", fillcolor: ink(arm) + (on.length > 4 ? "14" : "26"), line: { width: 0 }, mode: "lines", hoverinfo: "skip",
      });
    }
    const told = curve.low.map((low, i) => `${low === null ? "" : ` [${low}, ${curve.high[i]}]`}, ${curve.seeds} seeds`);
    found.push({
      x: curve.images, y: curve.mean, line, meta: arm, customdata: told, mode: curve.images.length < 15 ? "lines+markers" : "lines",
      hovertemplate: `${shown(data.names[arm]).replaceAll("%{", "% {")}<br>%{x:,} images: %{y}%{customdata}<extra></extra>`,
    });
  }
  for (const lost of panel.lost.filter((one) => on.includes(one.arm))) {
    const symbols = lost.images.map((_, i) => (i === lost.images.length - 1 ? "x-thin-open" : "circle"));
    const sizes = symbols.map((symbol) => (symbol === "circle" ? 0 : 8));
    found.push({
      x: lost.images, y: lost.value, meta: lost.arm, mode: "lines+markers", line: { color: ink(lost.arm), width: 0.8, dash: "dot" },
      marker: { symbol: symbols, size: sizes, color: ink(lost.arm), line: { width: 2.5 } },
      hovertemplate: `${shown(data.names[lost.arm]).replaceAll("%{", "% {")}, seed ${lost.seed}: failed<br>%{x:,} images: %{y}<extra></extra>`,
    });
  }
  return found;
}
const boxes = all("#switches input");
function redraw() {
  const on = boxes.filter((box) => box.checked).map((box) => Number(box.value));
  data.panels.forEach((panel, i) => {
    const yaxis = panel.log ? { type: "log" } : {};
    draw(`curve-${i}`, traces(panel, on), { yaxis, xaxis: { title: { text: "real images shown to D" }, rangemode: "tozero" } });
  });
  all("[data-arm]").forEach((row) => row.classList.toggle("off", !on.includes(Number(row.dataset.arm))));
  if (boxes.length) document.getElementById("shown").textContent = `${on.length} of ${boxes.length} arms`;
}

// Where a number leads: the trials behind it are opened.
function open() {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (place?.matches("summary")) {
    place.parentElement.open = true;
    place.focus();
    place.scrollIntoView();
  }
}
function lead(arm) {
  if (arm !== undefined) location.hash = `trials-${arm}`;
}

all("table").filter((table) => table.tHead).forEach(sortable);
all("table.main").forEach(filterable);
all(".wide").filter((one) => one.scrollWidth > one.clientWidth).forEach((one) => { one.tabIndex = 0; });
boxes.forEach((box, arm) => {
  const path = box.nextElementSibling.firstElementChild;
  path.setAttribute("stroke", ink(arm));
  path.setAttribute("stroke-width", 2.5);
  path.setAttribute("stroke-dasharray", { solid: "none", dash: "8 4", dot: "3 3", dashdot: "8 3 3 3" }[dash(arm)]);
  box.addEventListener("change", redraw);
});
all("[data-show]").forEach((button) => button.addEventListener("click", () => {
  boxes.forEach((box, arm) => { box.checked = { all: true, none: false, first: arm < 8 }[button.dataset.show]; });
  redraw();
}));
redraw();
for (const chart of data.charts) draw(chart.name, chart.figure.data, chart.figure.layout);
all(".curve").forEach((plot) => plot.on("plotly_click", (event) => lead(event.points[0].data.meta)));
document.getElementById("front")?.on("plotly_click", (event) => lead(event.points[0].customdata?.[2]));
addEventListener("hashchange", open);
open();

// On paper every figure has the width of its place.
const paper = (width) => all(".plot").forEach((plot) => Plotly.relayout(plot, { width: plot.closest(".panels") ? width && width / 2 : width }));
addEventListener("beforeprint", () => paper(660));
addEventListener("afterprint", () => paper(null));
