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
    large.classList.remove("full");
    box.showModal();
  });
}
if (box) {
  const large = box.querySelector("img");
  // A click on the picture shows it at twice the width, to be scrolled: small print on a phone.
  large.addEventListener("click", () => large.classList.toggle("full"));
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
}
// Paper has nothing to click: what is folded is printed, then folded again.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((part) => { part.open = true; });
});
addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));
