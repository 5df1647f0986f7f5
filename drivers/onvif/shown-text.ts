/** What a device says of itself, as people may see it: it must not steer a terminal, or fill a page. */
const MAX_TEXT_CHARS = 256;

export function shownText(text: string): string {
  return text
    .replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT_CHARS);
}
