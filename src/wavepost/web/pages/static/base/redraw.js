/** Has the page drawn again after something changed; many changes at once are one drawing. */

let draw = () => {};
let due = false;
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
    draw();
    if (wanted) document.querySelector(wanted)?.focus();
    wanted = null;
  });
}

/** Go on here, once it is drawn: for who uses the keyboard, and what had the focus is gone. */
export function focus(selector) {
  wanted = selector;
  redraw();
}
