"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const data = JSON.parse(document.getElementById("data").textContent);
const FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif";
const LIGHT = {
  ink: "#1c2128", back: "#ffffff", grid: "#e8ebee", axis: "#57606a", grey: "#9aa4ae", blue: "#2166ac", red: "#c2402a",
  arms: ["#0b5fae", "#c2402a", "#2b7a3d", "#8639a8", "#9a6a00", "#00798c", "#b5176b", "#5b4a3f", "#4f6272", "#5c7f00"],
};
const DARK = {
  ink: "#e4e8ec", back: "#14181d", grid: "#2b323a", axis: "#a6b0ba", grey: "#8d98a3", blue: "#6fb1f2", red: "#f28b76",
  arms: ["#6fb1f2", "#f28b76", "#74c98a", "#cf97ee", "#e3b341", "#53c4d6", "#f582bd", "#c9ad98", "#a9bccd", "#b3d35c"],
};
const DIM = matchMedia("(prefers-color-scheme: dark)");
let onPaper = false;
const look = () => (DIM.matches && !onPaper ? DARK : LIGHT);
const DASHES = ["solid", "dash", "dot", "dashdot"];
const ink = (arm) => (arm ? look().arms[(arm - 1) % 10] : look().ink); // the reference has the text's
const dash = (arm) => DASHES[Math.floor(Math.max(arm - 1, 0) / 10) % 4];
const short = (text) => (text.length > 40 ? `${text.slice(0, 20)}\u2026${text.slice(-19)}` : text);
function coloured(value) { // `var(--blue)` as plotly, which reads no style sheets, needs it
  if (typeof value === "string") return value.match(/^var\(--(\w+)\)$/) ? look()[value.slice(6, -1)] : value;
  if (Array.isArray(value)) return value.map(coloured);
  return value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, coloured(one)])) : value;
}
const shown = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"); // plotly reads tags

// Tables: a button in every heading, and a search above those with many rows.
function key(row, place) {
  const text = row.cells[place].textContent.trim().replaceAll("\u2212", "-").replaceAll(",", "");
  const number = parseFloat(text.replace(/^[<>+~]\s*/, ""));
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

// What is wider than its place scrolls: its edges and a word say so.
function scrolling(wide) {
  const scroller = document.createElement("div");
  const hint = document.createElement("div");
  scroller.className = "scroller";
  hint.className = "hint";
  hint.textContent = "scrolls sideways \u2192";
  wide.before(hint, scroller);
  scroller.append(wide);
  const update = () => {
    const room = wide.scrollWidth - wide.clientWidth;
    const first = wide.querySelector("th, td");
    scroller.classList.toggle("moves", room > 1);
    hint.hidden = room <= 1;
    scroller.classList.toggle("less", wide.scrollLeft > 1);
    scroller.classList.toggle("more", wide.scrollLeft < room - 1);
    scroller.style.setProperty("--first", `${first ? first.offsetWidth : 0}px`);
    if (room > 1) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
  };
  wide.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(wide);
  update();
}

// Figures: the curves are drawn anew for the arms that are switched on.
const CONFIG = { displayModeBar: false, responsive: true };
function ticks(low, high) {
  const few = (values) => ({ tickvals: values, ticktext: values.map((value) => String(Number(value.toPrecision(3)))) });
  if (high / low < 3) {
    const rough = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
    const first = Math.ceil(low / step);
    return few([...Array(Math.max(0, Math.floor(high / step) - first + 1)).keys()].map((i) => (first + i) * step));
  }
  const steps = high / low > 100 ? [1] : high / low > 30 ? [1, 3] : high / low > 8 ? [1, 2, 5] : [1, 2, 3, 5, 7];
  return few([...Array(25).keys()].flatMap((i) => steps.map((step) => step * 10 ** (i - 12))).filter((value) => value >= low / 3 && value <= high * 3));
}
function ends(yaxis, traces) { // of a logarithmic axis
  if (yaxis.range) return yaxis.range.map((end) => 10 ** end);
  const values = traces.flatMap((trace) => trace.y).filter((value) => value > 0);
  return values.length ? [Math.min, Math.max].map((end) => values.reduce((a, b) => end(a, b))) : [1, 10];
}
function draw(place, traces, layout) {
  const axis = { gridcolor: look().grid, linecolor: look().axis, zeroline: false, automargin: true };
  const legend = { orientation: "h", y: 1.02, yanchor: "bottom" };
  const font = { family: FONT, size: 12, color: look().ink };
  const hoverlabel = { bgcolor: look().back, bordercolor: look().axis, font };
  const whole = { font, hoverlabel, height: 300, paper_bgcolor: look().back, plot_bgcolor: look().back, margin: { l: 56, r: 12, t: 8, b: 44 }, showlegend: false, legend, hovermode: "closest", ...coloured(layout) };
  whole.xaxis = { ...axis, ...layout.xaxis };
  whole.yaxis = { ...axis, ...layout.yaxis };
  if (whole.yaxis.type === "log") Object.assign(whole.yaxis, ticks(...ends(whole.yaxis, traces)));
  return Plotly.react(place, coloured(traces), whole, CONFIG);
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
        fill: "toself", fillcolor: ink(arm) + (on.length > 4 ? "14" : "26"), line: { width: 0 }, mode: "lines", hoverinfo: "skip", showlegend: false,
      });
    }
    const told = curve.low.map((low, i) => `${low === null ? "" : ` [${low}, ${curve.high[i]}]`}, ${curve.seeds} seeds`);
    found.push({
      x: curve.images, y: curve.mean, line, meta: arm, name: shown(short(data.names[arm])), customdata: told, mode: curve.images.length < 15 ? "lines+markers" : "lines",
      hovertemplate: `${shown(data.names[arm]).replaceAll("%{", "% {")}<br>%{x:,} images: %{y}%{customdata}<extra></extra>`,
    });
  }
  for (const lost of panel.lost.filter((one) => on.includes(one.arm))) {
    const symbols = lost.images.map((_, i) => (i === lost.images.length - 1 ? "x-thin-open" : "circle"));
    const sizes = symbols.map((symbol) => (symbol === "circle" ? 0 : 8));
    found.push({
      x: lost.images, y: lost.value, meta: lost.arm, showlegend: false, mode: "lines+markers", line: { color: ink(lost.arm), width: 0.8, dash: "dot" },
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
    const first = i ? {} : { height: 420, showlegend: on.length <= 8 };
    draw(`curve-${i}`, traces(panel, on), { yaxis, ...first, xaxis: { title: { text: "real images shown to D" }, rangemode: "tozero" } });
  });
  if (boxes.length) document.getElementById("shown").textContent = `${on.length} of ${boxes.length} arms`;
}
function redrawAll() {
  boxes.forEach((box, arm) => box.nextElementSibling.firstElementChild.setAttribute("stroke", ink(arm)));
  redraw();
  for (const chart of data.charts) draw(chart.name, chart.figure.data, chart.figure.layout);
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
all(".wide").forEach(scrolling);
boxes.forEach((box, arm) => {
  const path = box.nextElementSibling.firstElementChild;
  path.setAttribute("stroke-width", 2.5);
  path.setAttribute("stroke-dasharray", { solid: "none", dash: "8 4", dot: "3 3", dashdot: "8 3 3 3" }[dash(arm)]);
  box.addEventListener("change", redraw);
});
all("[data-show]").forEach((button) => button.addEventListener("click", () => {
  boxes.forEach((box, arm) => { box.checked = { all: true, none: false, first: arm < 8, chosen: data.chosen.includes(arm) }[button.dataset.show]; });
  redraw();
}));
redrawAll();
DIM.addEventListener("change", redrawAll);
all(".curve").forEach((plot) => plot.on("plotly_click", (event) => lead(event.points[0].data.meta)));
document.getElementById("front")?.on("plotly_click", (event) => lead(event.points[0].customdata?.[2]));
addEventListener("hashchange", open);
open();

// On paper every figure is light and has the width of its place.
function paper(width) {
  onPaper = Boolean(width);
  redrawAll();
  all(".plot").forEach((plot) => Plotly.relayout(plot, { width: plot.closest(".panels figure:not(.broad)") ? width && width / 2 : width }));
}
addEventListener("beforeprint", () => paper(660));
addEventListener("afterprint", () => paper(null));
