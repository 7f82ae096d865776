"use strict";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const theme = () => ({
  "font.color": colour("--ink"),
  "font.family": getComputedStyle(document.body).fontFamily,
  "xaxis.linecolor": colour("--line"),
  "xaxis.tickcolor": colour("--line"),
  "xaxis.showline": true,
  "yaxis.gridcolor": colour("--grid"),
  "modebar.bgcolor": "rgba(0,0,0,0)",
  "modebar.color": colour("--soft"),
  "modebar.activecolor": colour("--ink"),
  "hoverlabel.bgcolor": colour("--raised"),
  "hoverlabel.bordercolor": colour("--line"),
  "hoverlabel.font.color": colour("--ink"),
});

const charts = Array.from(document.querySelectorAll("script[data-chart]"), (source) => ({
  place: document.getElementById(`chart-${source.dataset.chart}`),
  content: JSON.parse(source.textContent),
}));

for (const { place, content } of charts) {
  Plotly.newPlot(place, content.data, content.layout, {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    toImageButtonOptions: { format: "svg", filename: place.id },
  }).then(() => Plotly.relayout(place, theme()));
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const { place } of charts) Plotly.relayout(place, theme());
});

function sortBy(table, column, descending) {
  const key = (row) => {
    const cell = row.cells[column];
    if (!cell.classList.contains("number")) return cell.textContent;
    return "value" in cell.dataset ? Number(cell.dataset.value) : null;
  };
  const compare = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    const order = typeof x === "number" ? x - y : x.localeCompare(y, undefined, { numeric: true });
    return descending ? -order : order;
  };
  const body = table.tBodies[0];
  body.append(...Array.from(body.rows).sort(compare));
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  const headings = Array.from(table.tHead.rows[0].cells);
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, column, descending);
    });
  });
}
