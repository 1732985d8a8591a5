/** Splits at commas, but not at `\,`, which stands for a comma in a tag. Drops empty ones. */
export function splitTags(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((tag) => tag.replaceAll('\\,', ','))
    .filter((tag) => tag !== '');
}
