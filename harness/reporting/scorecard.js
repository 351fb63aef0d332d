/* A crosshair that reads the numbers out of the table below each chart. Without it nothing is missing. */
for (const figure of document.querySelectorAll("figure[data-from]")) {
  const table = figure.parentNode.querySelector("table.numbers");
  if (!table) continue;
  const words = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = new Map([...table.tBodies[0].rows].map((row) => [row.cells[0].textContent, row]));
  const from = Number(figure.dataset.from), to = Number(figure.dataset.to);
  const lanes = figure.querySelector(".lanes"), cross = figure.querySelector(".cross");
  const readout = figure.querySelector(".readout");
  lanes.addEventListener("pointermove", (event) => {
    const box = lanes.querySelector("svg.lane").getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const row = rows.get(String(Math.floor(from + share * (to - from))));
    cross.hidden = !row || share < 0 || share > 1;
    if (cross.hidden) { readout.textContent = ""; return; }
    cross.style.left = event.clientX - lanes.getBoundingClientRect().left + "px";
    readout.textContent = [...row.cells].map((cell, i) => (i ? words[i] + " " + cell.textContent : cell.textContent + " s")).join(" · ");
  });
  lanes.addEventListener("pointerleave", () => { cross.hidden = true; readout.textContent = ""; });
}
