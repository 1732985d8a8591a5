/** Patterns of RE2 for texts as they stand. */

/** What it matches is the text itself. */
export function quoted(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

interface Step {
  readonly next: Map<string, Step>;
  isEnd: boolean;
}

/** Any text but these, whole: RE2 can say of nothing that it is not there, so what differs is said, letter by letter. */
export function anyBut(texts: Iterable<string>): string {
  const first: Step = { next: new Map(), isEnd: false };
  for (const text of texts) {
    let step = first;
    for (const letter of text) {
      const next: Step = step.next.get(letter) ?? { next: new Map(), isEnd: false };
      step.next.set(letter, next);
      step = next;
    }
    step.isEnd = true;
  }
  return otherwise(first);
}

function otherwise({ next, isEnd }: Step): string {
  const letters = [...next.keys()].map((each) => each.replace(/[\\\]^-]/g, '\\$&')).join('');
  const ways = [
    ...(isEnd ? [] : ['']),
    letters === '' ? '.+' : `[^${letters}].*`,
    ...[...next].map(([letter, step]) => quoted(letter) + otherwise(step)),
  ];
  return `(?:${ways.join('|')})`;
}
