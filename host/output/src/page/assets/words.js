// The words of the page, put here by the server.

export const words = {{*}};

/** The word of a key, with each {name} in it filled in. */
export function say(key, values = {}) {
  return words[key].replace(/\{([a-z]+)\}/g, (mark, name) => values[name] ?? mark);
}
