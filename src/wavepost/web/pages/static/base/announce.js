/** What a screen reader should say without being asked. */

const region = document.getElementById("announcements");

/** Have `text` said when the reader pauses; what is not said yet stays in line. */
export function announce(text) {
  const line = document.createElement("p");
  line.textContent = text;
  region.append(line);
  setTimeout(() => line.remove(), 10_000);
}
