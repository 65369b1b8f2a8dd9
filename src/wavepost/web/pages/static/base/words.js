/** The words in the reader's language; the page brings them with it (`static/words/`). */

export const language = document.documentElement.lang;

const words = JSON.parse(document.getElementById("words").textContent);
const plurals = new Intl.PluralRules(language);

/**
 * What `key` stands for, with `{name}` replaced by `values.name`. Where the words depend on a
 * number, that is `values.count`.
 */
export function say(key, values = {}) {
  const entry = words[key];
  if (entry === undefined) throw new Error(`There are no words for ${key}`);
  const text = typeof entry === "string" ? entry : entry[plurals.select(values.count)];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Whether there are words for `key`. */
export const canSay = (key) => key in words;
