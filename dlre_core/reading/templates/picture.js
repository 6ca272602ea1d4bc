"use strict";
// A picture with its square, as every page of the reading room shows it.

const one = (id) => document.getElementById(id);
const smallest = Number(document.body.dataset.smallest);
const context = one("picture").getContext("2d", { willReadFrequently: true });
// Pixels whose channels differ by less are the grey B-mode; all others are colours of the elastogram.
const GREY = 16;
const KEPT_PICTURES = 8;

const page = {
  entry: null,      // what the server says of the picture that is shown
  square: null,     // row, column, size: pixels of the picture
  total: 0,
  busy: false,
  pixels: null,     // of the picture as it came
};
const pictures = new Map();

// ---------------------------------------------------------------- talking to the server

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Earlier answers are saved; this one is not. Call make read again.");
  }
  const value = await response.json();
  if (!response.ok) {
    const error = new Error(value.error);
    error.status = response.status;
    throw error;
  }
  return value;
}

function picture(position) {
  if (!pictures.has(position)) {
    const image = new Image();
    image.src = `/picture/${position}.png`;
    const ready = image.decode().then(() => image);
    // A picture that did not come is asked for again.
    ready.catch(() => pictures.delete(position));
    pictures.set(position, ready);
  }
  const ready = pictures.get(position);
  // The last one that was wanted goes last.
  pictures.delete(position);
  pictures.set(position, ready);
  for (const old of [...pictures.keys()].slice(0, -KEPT_PICTURES)) pictures.delete(old);
  return ready;
}

function say(text, isError = false) {
  one("message").textContent = text;
  one("message").classList.toggle("error", isError);
}

// One thing at a time: a key that is held down answers one picture, not ten.
async function alone(act) {
  if (page.busy) return;
  page.busy = true;
  try {
    await act();
  } catch (error) {
    if (error.status === 409) await show(page.entry.position);
    say(error.message, true);
  } finally {
    page.busy = false;
  }
}

// ---------------------------------------------------------------- showing a picture

// What the server says of a position, once its picture is here and drawn.
async function draw(position, known) {
  one("stage").classList.add("waiting");
  const entry = known ?? await ask(`/entry/${position}`);
  let image;
  try {
    image = await picture(position);
  } catch {
    throw new Error("The picture did not come. Call make read again if it does not come the next time.");
  }
  page.entry = entry;
  const canvas = one("picture");
  [canvas.width, canvas.height] = [entry.width, entry.height];
  context.drawImage(image, 0, 0);
  page.pixels = null;
  applyContrast();
  one("stage").classList.remove("waiting");
  one("overlay").setAttribute("viewBox", `0 0 ${entry.width} ${entry.height}`);
  one("number").value = position + 1;
  canvas.setAttribute("aria-label", `Picture ${position + 1}`);
  return entry;
}

// Fits the picture into its frame, times the zoom; the frame scrolls.
function fit() {
  if (!page.entry) return;
  const frame = one("scroll"), { width, height } = page.entry;
  const limit = parseFloat(getComputedStyle(frame).maxHeight) || innerHeight;
  // Of its height the frame needs two pixels for its border.
  const fitted = Math.min(frame.clientWidth / width, (limit - 2) / height);
  const scale = fitted * one("zoom").value / 100;
  one("stage").style.width = `${Math.floor(width * scale)}px`;
  one("stage").style.height = `${Math.floor(height * scale)}px`;
  drawSquare();
}

function place(shape, at, width, height) {
  const values = { x: at.column, y: at.row, width, height };
  for (const [name, value] of Object.entries(values)) shape.setAttribute(name, value);
}

function drawSquare() {
  const { row, column, size } = page.square;
  place(one("square"), page.square, size, size);
  const radius = 9 * page.entry.width / (one("stage").clientWidth || 1);
  for (const corner of document.querySelectorAll(".corner")) {
    const [down, right] = [corner.dataset.corner[0] === "s", corner.dataset.corner[1] === "e"];
    corner.setAttribute("cx", column + (right ? size : 0));
    corner.setAttribute("cy", row + (down ? size : 0));
    corner.setAttribute("r", radius);
  }
  one("numbers-of-square").textContent = `row ${row}, column ${column}, side ${size} pixels`;
}

// Only what is grey becomes lighter or darker: colours stand for stiffness.
function applyContrast() {
  const { width, height } = page.entry, factor = one("contrast").value / 100;
  if (page.pixels === null) {
    if (factor === 1) return;
    page.pixels = context.getImageData(0, 0, width, height);
  }
  const from = page.pixels.data, made = new ImageData(width, height), to = made.data;
  for (let at = 0; at < from.length; at += 4) {
    const [red, green, blue] = [from[at], from[at + 1], from[at + 2]];
    const times = Math.max(red, green, blue) - Math.min(red, green, blue) < GREY ? factor : 1;
    to[at] = red * times;
    to[at + 1] = green * times;
    to[at + 2] = blue * times;
    to[at + 3] = 255;
  }
  context.putImageData(made, 0, 0);
}

// ---------------------------------------------------------------- the square

const within = (value, low, high) => Math.min(Math.max(value, low), high);

function moveTo(row, column) {
  const { width, height } = page.entry, { size } = page.square;
  page.square.row = within(Math.round(row), 0, height - size);
  page.square.column = within(Math.round(column), 0, width - size);
  drawSquare();
}

// Grows from the middle, by so many pixels on each side.
function grow(by) {
  const { width, height } = page.entry, { row, column, size } = page.square;
  const grown = within(size + 2 * by, smallest, Math.min(width, height));
  page.square.size = grown;
  moveTo(row + (size - grown) / 2, column + (size - grown) / 2);
}

// The corner follows the pointer, the opposite one stays, and it stays a square.
function resize(corner, anchor, pointer) {
  const { width, height } = page.entry;
  const [down, right] = [corner[0] === "s", corner[1] === "e"];
  const room = Math.min(down ? height - anchor.row : anchor.row, right ? width - anchor.column : anchor.column);
  const wanted = Math.max((pointer.row - anchor.row) * (down ? 1 : -1), (pointer.column - anchor.column) * (right ? 1 : -1));
  const size = within(Math.round(wanted), Math.min(smallest, room), room);
  page.square = { size, row: down ? anchor.row : anchor.row - size, column: right ? anchor.column : anchor.column - size };
  drawSquare();
}

function pointerPlace(event) {
  const frame = one("overlay").getBoundingClientRect();
  const scale = page.entry.width / frame.width;
  return { row: (event.clientY - frame.top) * scale, column: (event.clientX - frame.left) * scale };
}

function startDrag(event) {
  const corner = event.target.dataset?.corner;
  if (!page.entry || (corner === undefined && event.target !== one("square"))) return;
  event.preventDefault();
  one("scroll").focus({ preventScroll: true });
  const start = pointerPlace(event), { row, column, size } = page.square;
  const anchor = { row: corner?.[0] === "n" ? row + size : row, column: corner?.[1] === "w" ? column + size : column };
  const follow = (moved) => {
    const now = pointerPlace(moved);
    if (corner) resize(corner, anchor, now);
    else moveTo(row + now.row - start.row, column + now.column - start.column);
  };
  const end = () => {
    for (const name of ["pointerup", "pointercancel"]) event.target.removeEventListener(name, end);
    event.target.removeEventListener("pointermove", follow);
  };
  event.target.setPointerCapture(event.pointerId);
  event.target.addEventListener("pointermove", follow);
  for (const name of ["pointerup", "pointercancel"]) event.target.addEventListener(name, end);
}

function setRange(id, by) {
  one(id).value = Number(one(id).value) + by;
  one(id).dispatchEvent(new Event("input"));
}

function toggle(id) {
  one(id).checked = !one(id).checked;
}

function nudge(event, rows, columns) {
  const by = event.shiftKey ? 10 : 1;
  moveTo(page.square.row + by * rows, page.square.column + by * columns);
}

// ---------------------------------------------------------------- keys

const SQUARE_KEYS = {
  c: () => setRange("contrast", -20),
  v: () => setRange("contrast", 20),
  z: () => setRange("zoom", Number(one("zoom").value) >= 400 ? -300 : 100),
  "+": () => grow(1),
  "=": () => grow(1),
  "-": () => grow(-1),
  g: () => one("number").select(),
  arrowup: (event) => nudge(event, -1, 0),
  arrowdown: (event) => nudge(event, 1, 0),
  arrowleft: (event) => nudge(event, 0, -1),
  arrowright: (event) => nudge(event, 0, 1),
};

function listenTo(keys) {
  addEventListener("keydown", (event) => {
    const at = event.target, key = event.key.toLowerCase();
    if (key === "escape") return one("scroll").focus();
    if (event.ctrlKey || event.metaKey || event.altKey || !page.entry) return;
    // What is typed is no command, and a slider keeps its arrows, a list its own, a button its space.
    if (at.matches("input[type=text], input[type=number], select")) return;
    if (at.matches("input[type=range], input[type=radio]") && /^(arrow|page)/.test(key)) return;
    if (at.matches("button, summary, input[type=checkbox], input[type=radio]") && key === " ") return;
    const act = keys[key];
    if (!act || (event.repeat && !/^(arrow|[+=-])/.test(key))) return;
    event.preventDefault();
    act(event);
  });
}

one("jump").addEventListener("submit", (event) => {
  event.preventDefault();
  one("scroll").focus();
  go(Number(one("number").value) - 1);
});
one("contrast").addEventListener("input", () => page.entry && applyContrast());
one("zoom").addEventListener("input", fit);
one("overlay").addEventListener("pointerdown", startDrag);
new ResizeObserver(fit).observe(one("scroll"));
