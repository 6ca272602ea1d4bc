"use strict";
// The page of the reading room. What matters is kept by the server at every answer; here is only what is shown.

const reasons = [...document.querySelectorAll("[data-reason]")];
const WORDS = { accept: "Accepted", exclude: "Excluded", unsure: "Unsure" };
Object.assign(page, {
  flagged: [],
  since: 0,         // when the picture appeared, less the time in which the page was hidden
  hiddenSince: null,
});

// ---------------------------------------------------------------- showing a picture

async function show(position, known) {
  const entry = await draw(position, known);
  page.square = { ...(entry.answer ?? { square: entry.found }).square };
  place(one("box"), { row: entry.box[1], column: entry.box[0] }, entry.box[2] - entry.box[0], entry.box[3] - entry.box[1]);
  one("note").value = entry.answer?.note ?? "";
  one("box-wrong").checked = entry.answer?.box_wrong ?? false;
  one("place").textContent = `Picture ${position + 1} of ${page.total}${entry.flagged ? ", flagged" : ""}`;
  showVerdict(entry.answer);
  showOthers(entry.others);
  fit();
  page.since = performance.now();
  page.hiddenSince = document.hidden ? performance.now() : null;
  for (const next of entry.ahead) picture(next).catch(() => {});
}

function showVerdict(answer) {
  const words = answer ? WORDS[answer.verdict] : "Not read yet";
  const reason = reasons.find((button) => button.dataset.reason === answer?.reason);
  const because = reason ? `: ${reasonWords(reason)}` : "";
  one("verdict").textContent = words + because;
  one("verdict").className = `given ${answer?.verdict ?? ""}`;
  one("accept").setAttribute("aria-pressed", String(answer?.verdict === "accept"));
  one("unsure").setAttribute("aria-pressed", String(answer?.verdict === "unsure"));
  for (const button of reasons) button.setAttribute("aria-pressed", String(button === reason));
}

const reasonWords = (button) => button.lastChild.textContent.trim();

function showOthers(others) {
  const list = document.createElement("ul"), shapes = [];
  others.forEach((other, number) => {
    const item = document.createElement("li");
    const button = reasons.find((each) => each.dataset.reason === other.reason);
    item.textContent = `Reader ${number + 1} (${number ? "pink, dashed" : "yellow, dotted"}): ${WORDS[other.verdict]}${button ? `, ${reasonWords(button)}` : ""}${other.box_wrong ? ", box wrong" : ""}`;
    list.append(item);
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    shape.classList.add(`other-${number}`);
    place(shape, other.square, other.square.size, other.square.size);
    shapes.push(shape);
  });
  one("both").replaceChildren(...(others.length ? [list] : []));
  one("others").replaceChildren(...shapes);
}

function showProgress(progress) {
  page.total = progress.total;
  page.flagged = progress.flagged;
  one("number").max = progress.total;
  one("bar").max = progress.total;
  one("bar").value = progress.read;
  one("numbers").textContent = `${progress.read} of ${progress.total}`;
  const minutes = Math.round((progress.seconds_left ?? 0) / 60);
  const left = progress.read === progress.total ? "all read" : minutes < 1 ? "less than a minute left"
    : minutes < 100 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`;
  one("left").textContent = progress.seconds_left === null ? "" : `(${left})`;
}

// ---------------------------------------------------------------- what a reader does

const answer = (verdict, reason = "") => alone(async () => {
  if (!page.entry) return;
  say("");
  const hidden = page.hiddenSince === null ? 0 : performance.now() - page.hiddenSince;
  const given = await ask("/answer", {
    position: page.entry.position, seen: page.entry.revision, verdict, reason,
    note: one("note").value.trim(), square: page.square, box_wrong: one("box-wrong").checked,
    seconds: Math.min((performance.now() - page.since - hidden) / 1000, 86400), flagged_only: one("flagged").checked,
  });
  showProgress(given.progress);
  if (given.next === null) {
    page.entry = { ...page.entry, ...given.entry };
    showVerdict(given.entry.answer);
    say(one("flagged").checked ? "All flagged pictures are read." : "All pictures are read. You can close this page.");
  } else {
    await show(given.next, given.next_entry);
  }
  one("scroll").focus({ preventScroll: true });
});

const undo = () => alone(async () => {
  const undone = await ask("/undo", {});
  if (undone.position === null) return say("There is nothing to undo.");
  showProgress(undone.progress);
  await show(undone.position);
  say("Undone: answer this picture again.");
});

const go = (position) => alone(async () => {
  say("");
  await show(position);
});

function step(by) {
  const among = one("flagged").checked ? page.flagged : [...Array(page.total).keys()];
  const here = page.entry?.position ?? -1;
  const next = by > 0 ? among.find((position) => position > here) : among.findLast((position) => position < here);
  if (next !== undefined) go(next);
}

const nextUnread = () => alone(async () => {
  const progress = await ask("/progress");
  showProgress(progress);
  const unread = one("flagged").checked ? progress.flagged.filter((at) => progress.marks[at] === "-")
    : [...progress.marks].flatMap((mark, at) => (mark === "-" ? [at] : []));
  const here = page.entry?.position ?? -1;
  const next = unread.find((position) => position > here) ?? unread[0];
  if (next === undefined) return say(one("flagged").checked ? "All flagged pictures are read." : "All pictures are read. You can close this page.");
  say("");
  await show(next);
});

const reset = () => {
  page.square = { ...page.entry.found };
  drawSquare();
};

const KEYS = {
  ...SQUARE_KEYS,
  a: () => answer("accept"),
  q: () => answer("unsure"),
  e: () => reasons[0].focus(),
  u: undo,
  " ": nextUnread,
  r: reset,
  b: () => toggle("box-wrong"),
  f: () => toggle("flagged"),
  n: () => one("note").focus(),
  pageup: () => step(-1),
  pagedown: () => step(1),
};
reasons.forEach((button, number) => {
  KEYS[number + 1] = () => answer("exclude", button.dataset.reason);
});

// ---------------------------------------------------------------- the beginning

one("accept").addEventListener("click", () => answer("accept"));
one("unsure").addEventListener("click", () => answer("unsure"));
for (const button of reasons) button.addEventListener("click", () => answer("exclude", button.dataset.reason));
one("undo").addEventListener("click", undo);
one("reset").addEventListener("click", reset);
one("back").addEventListener("click", () => step(-1));
one("next").addEventListener("click", nextUnread);
listenTo(KEYS);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) page.hiddenSince = performance.now();
  else if (page.hiddenSince !== null) {
    page.since += performance.now() - page.hiddenSince;
    page.hiddenSince = null;
  }
});

alone(async () => {
  const progress = await ask("/progress");
  showProgress(progress);
  if (progress.total === 0) return say("There are no pictures to read.");
  if (progress.next === null) say("All pictures are read. You can close this page, or look at any of them again.");
  await show(progress.next ?? 0);
  one("scroll").focus({ preventScroll: true });
});
