/** The pictures on buttons: strokes on a grid of 24, drawn in the colour of the text. */

import { html, svg } from "../vendor/lit-html/lit-html.js";

const SHAPES = {
  arrow: svg`<path d="M12 19V5m-6 6 6-6 6 6" />`,
  check: svg`<path d="m5 12.5 4.5 4.5L19 7.5" />`,
  close: svg`<path d="M6 6l12 12M18 6 6 18" />`,
  copy: svg`
    <rect x="9" y="9" width="11" height="11" rx="2.5" />
    <path d="M15 5.5A1.5 1.5 0 0 0 13.5 4h-8A1.5 1.5 0 0 0 4 5.5v8A1.5 1.5 0 0 0 5.5 15" />
  `,
  download: svg`<path d="M12 4v11m-5-5 5 5 5-5M5 20h14" />`,
  folder: svg`
    <path
      d="M3.5 7.5v10a2 2 0 0 0 2 2h13a2 2 0 0 0 2-2V9a2 2 0 0 0-2-2H12L9.8 4.6a2 2 0 0 0-1.4-.6H5.5a2 2 0 0 0-2 2z" />
  `,
  listen: svg`
    <path d="M4 15v-3a8 8 0 0 1 16 0v3" />
    <rect x="3.5" y="14" width="4" height="6" rx="1.5" />
    <rect x="16.5" y="14" width="4" height="6" rx="1.5" />
  `,
  microphone: svg`
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21" />
  `,
  pause: svg`<path d="M8.5 6v12M15.5 6v12" />`,
  person: svg`
    <circle cx="12" cy="8.5" r="4" />
    <path d="M4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5" />
  `,
  play: svg`<path d="M8 5.5v13l10.5-6.5z" class="solid" />`,
  receipt: svg`<path d="M6 3.5v17l2-1.3 2 1.3 2-1.3 2 1.3 2-1.3 2 1.3v-17zM9.5 8.5h5M9.5 12.5h5" />`,
  retry: svg`<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5" />`,
  search: svg`
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  `,
  stop: svg`<rect x="6.5" y="6.5" width="11" height="11" rx="2" class="solid" />`,
  trash: svg`<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.5 11v5.5M13.5 11v5.5" />`,
  warning: svg`<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2" />`,
};

/** An icon; what it means is said by the text beside it, or by the button's label. */
export const icon = (name) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${SHAPES[name]}</svg>`;
