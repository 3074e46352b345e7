"use strict";
// A finding and its notes light up together: while pointed at, or until clicked again.
const items = [...document.querySelectorAll("[data-finding]")];
const notes = [...document.querySelectorAll("[data-findings]")];
const findingsOf = (note) => note.getAttribute("data-findings").split(" ");
const pinned = new Set();

function show(pointed) {
  const lit = new Set([...pinned, ...pointed]);
  for (const item of items) {
    const number = item.getAttribute("data-finding");
    item.classList.toggle("lit", lit.has(number));
    item.querySelector("button").setAttribute("aria-pressed", String(pinned.has(number)));
  }
  for (const note of notes) {
    note.classList.toggle("lit", findingsOf(note).some((number) => lit.has(number)));
  }
}

for (const item of items) {
  const number = item.getAttribute("data-finding");
  const head = item.querySelector("button");
  head.addEventListener("click", () => {
    if (!pinned.delete(number)) {
      pinned.add(number);
      const first = notes.find((note) => findingsOf(note).includes(number));
      if (first) first.scrollIntoView({ block: "nearest", inline: "center" });
    }
    show([]);
  });
  for (const [enter, leave] of [["mouseenter", "mouseleave"], ["focus", "blur"]]) {
    head.addEventListener(enter, () => show([number]));
    head.addEventListener(leave, () => show([]));
  }
}

for (const note of notes) {
  const own = findingsOf(note);
  const first = items.find((item) => item.getAttribute("data-finding") === own[0]);
  note.setAttribute("tabindex", "0");
  note.setAttribute("role", "button");
  note.setAttribute("aria-label", first.querySelector("button").textContent);
  const go = () => {
    pinned.clear();
    for (const number of own) pinned.add(number);
    show([]);
    first.scrollIntoView({ block: "nearest" });
  };
  note.addEventListener("click", go);
  note.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      go();
    }
  });
  note.addEventListener("mouseenter", () => show(own));
  note.addEventListener("mouseleave", () => show([]));
}
