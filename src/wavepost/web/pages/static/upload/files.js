/** The files that were dropped or picked. */

const WAV_NAME = /\.(wav|wave|w64|rf64|bwf|bw64)$/i;

/**
 * The files of a drop, those in its folders too.
 *
 * Returns {files, leftOut}: of a folder only what is named like a WAV is taken, and the rest
 * counted; a file that was chosen by itself is taken whatever its name.
 */
export async function dropped(transfer) {
  // They have to be taken before the event is over.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) {
    return { files: [...transfer.files], leftOut: 0 };
  }
  const found = { files: [], leftOut: 0 };
  for (const entry of entries) await take(entry, found, true);
  return found;
}

/** The same for a folder that was picked. */
export function picked(list) {
  const files = [...list].filter((file) => WAV_NAME.test(file.name));
  return { files, leftOut: list.length - files.length };
}

async function take(entry, found, isChosen) {
  try {
    if (entry.isDirectory) {
      for await (const inner of inside(entry)) await take(inner, found, false);
    } else if (isChosen || WAV_NAME.test(entry.name)) {
      found.files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    } else {
      found.leftOut++;
    }
  } catch {
    // It can't be read: the others can.
    found.leftOut++;
  }
}

async function* inside(folder) {
  const reader = folder.createReader();
  // Browsers give a hundred at a time.
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return;
    yield* entries;
  }
}
