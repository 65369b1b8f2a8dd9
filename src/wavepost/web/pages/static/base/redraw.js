/** Has the page drawn again after something changed; many changes at once are one drawing. */

/** Hundreds of uploads change all the time, and it takes a while to draw them. */
const AT_MOST_EVERY_MS = 100;

let draw = () => {};
let due = false;
let notBefore = 0;
let wanted = null;

/** Say what draws the page, and draw it. */
export function drawnBy(drawing) {
  draw = drawing;
  draw();
}

/** Something that is shown has changed. Pages in the background are drawn too, for their titles. */
export function redraw() {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    const places = placesNear(document.activeElement);
    draw();
    if (wanted) document.querySelector(wanted)?.focus();
    else if (document.activeElement === document.body) goOnAt(places);
    wanted = null;
    notBefore = performance.now() + AT_MOST_EVERY_MS;
  }, notBefore - performance.now());
}

/** Where to go on should `focused` be gone: its line, those beside it, what is around it. */
function placesNear(focused) {
  const line = focused.closest("li, section");
  const list = line?.parentElement.closest("section");
  const column = focused.closest("main > div");
  const places = [line, line?.nextElementSibling, line?.previousElementSibling, list, column];
  return places.filter(Boolean);
}

function goOnAt(places) {
  for (const place of places.filter(({ isConnected }) => isConnected)) {
    const next = place.querySelector("button:not(:disabled), a[href]");
    if (next) return next.focus({ preventScroll: true });
  }
}

/** Go on here, once it is drawn: for who uses the keyboard, and what had the focus is gone. */
export function focus(selector) {
  wanted = selector;
  redraw();
}
