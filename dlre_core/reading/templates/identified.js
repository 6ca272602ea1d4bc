"use strict";
// The page of identified pictures. Squares and profiles are kept by the server; here is only what is shown.

const PARTS = ["elastogram", "colour_bar"];
const drawing = () => document.querySelector("[name=draws]:checked").value;
const sides = (part) => [...document.querySelectorAll(`[data-part="${part}"]`)];

// Left, top, right and bottom; null where there is none.
function rectangle(part) {
  const values = sides(part).map((field) => field.value);
  return values.every((value) => value === "") ? null : values.map(Number);
}

function setRectangle(part, values) {
  sides(part).forEach((field, number) => { field.value = values === null ? "" : values[number]; });
  showParts();
}

function showParts() {
  for (const part of PARTS) {
    const [left, top, right, bottom] = rectangle(part) ?? [0, 0, 0, 0];
    place(one(part), { row: top, column: left }, Math.max(right - left, 0), Math.max(bottom - top, 0));
  }
  one("overlay").classList.toggle("banding", drawing() !== "square");
}

async function show(position, known) {
  const entry = await draw(position, known);
  page.square = { ...(entry.square ?? entry.found) };
  one("place").textContent = `Picture ${position + 1} of ${page.total}`;
  one("file").textContent = entry.name;
  one("why").textContent = entry.reason;
  showState(entry);
  one("name").value = entry.kind.name;
  for (const part of PARTS) setRectangle(part, entry.parts[part]);
  suggestEnd();
  document.querySelector("[name=draws][value=square]").checked = true;
  showParts();
  fit();
  for (const next of entry.ahead) picture(next).catch(() => {});
}

function showState(entry) {
  one("verdict").textContent = entry.square ? "Has a square" : "No square yet";
  one("verdict").className = `given ${entry.square ? "accept" : ""}`;
  one("kind").textContent = entry.kind.profile ? `${entry.kind.title}: described by “${entry.kind.profile}”.`
    : `${entry.kind.title}: not described yet.`;
}

function showProgress(progress) {
  page.total = progress.total;
  page.marks = progress.marks;
  one("number").max = progress.total;
  one("bar").max = progress.total;
  one("bar").value = progress.read;
  one("numbers").textContent = `${progress.read} of ${progress.total} have a square`;
}

// A bar that stands has a stiff end at its top or bottom, one that lies at its left or right.
function suggestEnd() {
  const bar = rectangle("colour_bar");
  if (bar === null) return;
  const lies = bar[2] - bar[0] > bar[3] - bar[1];
  if (lies !== ["left", "right"].includes(one("stiff-end").value)) one("stiff-end").value = lies ? "right" : "top";
}

// From where the pointer went down to where it is.
function band(event) {
  const part = drawing();
  if (part === "square" || !page.entry) return;
  event.preventDefault();
  const { width, height } = page.entry, start = pointerPlace(event), overlay = one("overlay");
  const span = (a, b, most) => [a, b].map((at) => within(Math.round(at), 0, most)).sort((x, y) => x - y);
  const follow = (moved) => {
    const now = pointerPlace(moved);
    const [left, right] = span(start.column, now.column, width), [top, bottom] = span(start.row, now.row, height);
    setRectangle(part, [left, top, right, bottom]);
  };
  const end = () => {
    overlay.removeEventListener("pointermove", follow);
    for (const name of ["pointerup", "pointercancel"]) overlay.removeEventListener(name, end);
    if (part === "colour_bar") suggestEnd();
  };
  overlay.setPointerCapture(event.pointerId);
  overlay.addEventListener("pointermove", follow);
  for (const name of ["pointerup", "pointercancel"]) overlay.addEventListener(name, end);
}

// ---------------------------------------------------------------- what a reader does

const go = (position) => alone(async () => {
  say("");
  await show(position);
});

function step(by) {
  const next = (page.entry?.position ?? 0) + by;
  if (next >= 0 && next < page.total) go(next);
}

async function onward() {
  const unread = [...page.marks].flatMap((mark, at) => (mark === "-" ? [at] : []));
  const next = unread.find((position) => position > page.entry.position) ?? unread[0];
  if (next === undefined) return say("Every picture has a square. Run make pictures or make study; they are used then.");
  await show(next);
}

const saveSquare = () => alone(async () => {
  const saved = await ask("/square", { position: page.entry.position, square: page.square });
  say("");
  showProgress(saved.progress);
  page.entry = saved.entry;
  showState(saved.entry);
  await onward();
  one("scroll").focus({ preventScroll: true });
});

const saveProfile = () => alone(async () => {
  const [low, high] = ["low", "high"].map((id) => one(id).value);
  const scale = low === "" && high === "" ? "read" : { low: Number(low), high: Number(high), unit: one("unit").value };
  const saved = await ask("/profile", {
    position: page.entry.position, name: one("name").value.trim(), elastogram: rectangle("elastogram"),
    colour_bar: rectangle("colour_bar"), stiff_end: one("stiff-end").value, scale,
  });
  page.entry = saved.entry;
  showState(saved.entry);
  say("Saved in screens.yaml. Pictures of this kind are located when they are read the next time.");
});

const skip = () => alone(onward);
one("save-square").addEventListener("click", saveSquare);
one("save-profile").addEventListener("click", saveProfile);
one("back").addEventListener("click", () => step(-1));
one("next").addEventListener("click", () => step(1));
one("overlay").addEventListener("pointerdown", band);
for (const field of document.querySelectorAll("[data-part], [name=draws]")) field.addEventListener("input", showParts);
listenTo({
  ...SQUARE_KEYS,
  a: saveSquare,
  p: () => one("name").focus(),
  " ": skip,
  pageup: () => step(-1),
  pagedown: () => step(1),
});

alone(async () => {
  const progress = await ask("/progress");
  showProgress(progress);
  await show(progress.next ?? 0);
  one("scroll").focus({ preventScroll: true });
});
