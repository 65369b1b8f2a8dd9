/** The page at `/`, put together. */

import { html, nothing, render } from "./vendor/lit-html/lit-html.js";
import { account, remember } from "./account/account.js";
import { forgetDialog, menu, newToken, welcome } from "./account/view.js";
import { call } from "./base/api.js";
import { number } from "./base/format.js";
import { drawnBy, redraw } from "./base/redraw.js";
import { hasTake, recordButton, recorderPanel } from "./record/view.js";
import { prepend, removeAllDue } from "./recordings/recordings.js";
import { myRecordings } from "./recordings/view.js";
import { isBusy, limits, onArrival, progress, wouldLose } from "./upload/queue.js";
import { sayProgress } from "./upload/said.js";
import { dropZone, queue, takeDrops } from "./upload/view.js";

const page = () => html`
  <header class="top">
    <a class="brand" href="./">wavepost</a>
    ${account.user ? menu() : nothing}
  </header>
  <main class=${account.user ? "two" : "one"}>
    <div>
      ${account.user ? html`<h1 class="unseen">wavepost</h1>` : welcome()}
      ${account.isTokenNew ? newToken() : nothing} ${dropZone(recordButton())} ${recorderPanel()}
      ${queue()}
    </div>
    ${account.user ? myRecordings() : nothing}
  </main>
  ${account.user ? forgetDialog() : nothing}
`;

function draw() {
  render(page(), document.getElementById("page"));
  sayProgress(isBusy() ? progress() : null);
  document.title = isBusy() ? `${number(Math.floor(100 * progress()))} % · wavepost` : "wavepost";
}

async function askLimits() {
  const taken = await call("limits");
  limits.maxUploadBytes = taken.max_upload_bytes;
  account.signup = taken.signup ?? "open";
  redraw();
}

drawnBy(draw);
takeDrops();
onArrival(prepend);
remember();
// Without them the server still says no by itself.
askLimits().catch(() => {});

addEventListener("pagehide", () => removeAllDue());
addEventListener("beforeunload", (event) => {
  if (wouldLose() || hasTake()) event.preventDefault();
});
