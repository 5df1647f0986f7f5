/** What the configuration's JSON Schema says of its keys, in the page's language; English where nobody has translated it. */

export function descriptionWords(description: string | undefined): string | undefined {
  return description;
}
