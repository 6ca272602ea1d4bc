"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].textContent.trim();
      // Rows stay under their heading: each block is sorted by itself.
      for (const body of table.tBodies) {
        [...body.rows]
          .filter((row) => !row.classList.contains("stage"))
          .sort((a, b) => (up ? 1 : -1) * key(a).localeCompare(key(b), "en", { numeric: true }))
          .forEach((row) => body.append(row));
      }
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
    });
  });
}
const box = document.getElementById("lightbox");
for (const button of document.querySelectorAll(".zoom")) {
  button.addEventListener("click", () => {
    const picture = button.querySelector("img");
    const large = box.querySelector("img");
    large.src = picture.src;
    large.alt = picture.alt;
    box.showModal();
  });
}
if (box) box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
