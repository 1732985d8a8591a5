/**
 * Consul's filter language, as far as it takes to offer what may come next: a field, an operator that it
 * takes, a value that there is, or what joins the next part. The server alone says what a filter means.
 */

import { quoted } from '../core/filter-text.ts';

export interface FilterField {
  readonly name: string;
  /** `list`: contains a text; `map`: has a name behind a dot. */
  readonly kind: 'text' | 'list' | 'map';
  /** What it says by now. */
  readonly values?: () => readonly string[];
}

export interface Offer {
  /** What is put in the place of what has been begun. */
  readonly text: string;
  readonly from: number;
}

const OPERATORS: Readonly<Record<FilterField['kind'], readonly string[]>> = {
  text: ['==', '!=', 'contains', 'matches', 'is empty', 'is not empty'],
  list: ['contains', 'not contains', 'is empty', 'is not empty'],
  map: ['contains', 'is empty', 'is not empty'],
};
const MAX_OFFERS = 8;

/** Words are looked for on the page; what has an operator goes to the server. */
export function isExpression(text: string): boolean {
  return /[=!]=|["`]|\b(?:contains|matches|is|in|and|or|not)\s/.test(text.trim());
}

/** What might be written at the end of the text. */
export function offersFor(text: string, fields: readonly FilterField[]): readonly Offer[] {
  const tokens = tokensOf(text);
  const isOpen = text !== '' && !/[\s()]$/.test(text);
  const begun = isOpen ? tokens.pop() : undefined;
  const from = begun?.index ?? text.length;
  const written = begun?.[0] ?? '';
  const reading = new Reading(fields);
  for (const [token] of tokens) reading.read(token);
  return reading
    .next()
    .filter((each) => each !== written && startsAlike(each, written))
    .slice(0, MAX_OFFERS)
    .map((each) => ({ text: each, from }));
}

function tokensOf(text: string) {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"?|`[^`]*`?|[()]|[=!]=|[^\s()"`=!]+|[=!]/g)];
}

/** Of a field its last part may be what somebody remembers. */
function startsAlike(candidate: string, written: string): boolean {
  const [a, b] = [candidate, written].map((each) => each.toLowerCase().replace(/^["`]/, ''));
  const parts = a?.split('.') ?? [];
  return parts.some((_, i) =>
    parts
      .slice(i)
      .join('.')
      .startsWith(b ?? ''),
  );
}

/** What has been read so far comes to what may stand next. */
class Reading {
  readonly #fields: readonly FilterField[];
  #wants: 'field' | 'operator' | 'empty' | 'value' | 'join' | 'in' | 'list' = 'field';
  #name = '';

  constructor(fields: readonly FilterField[]) {
    this.#fields = fields;
  }

  read(token: string): void {
    switch (this.#wants) {
      case 'field':
        this.#readField(token);
        break;
      case 'operator':
        if (token === 'is') this.#wants = 'empty';
        else if (token !== 'not') this.#wants = 'value';
        break;
      case 'empty':
        if (token === 'empty') this.#wants = 'join';
        break;
      case 'in':
        if (token === 'in') this.#wants = 'list';
        break;
      case 'join':
        if (token === 'and' || token === 'or') this.#wants = 'field';
        break;
      default:
        this.#wants = 'join';
    }
  }

  next(): readonly string[] {
    switch (this.#wants) {
      case 'field':
        return [...this.#fields.map(({ name }) => name), 'not'];
      case 'operator':
        return OPERATORS[this.#kind()];
      case 'empty':
        return ['empty', 'not empty'];
      case 'value':
        return this.#values();
      case 'join':
        return ['and', 'or'];
      case 'in':
        return ['in', 'not in'];
      default:
        return this.#fields.filter(({ kind }) => kind !== 'text').map(({ name }) => name);
    }
  }

  #readField(token: string): void {
    if (token === '(' || token === 'not') return;
    this.#name = token;
    // `"blue" in Service.Tags` has its value first.
    this.#wants = /^["`]/.test(token) ? 'in' : 'operator';
  }

  #field(): FilterField | undefined {
    return this.#fields.find(
      ({ name, kind }) =>
        name === this.#name || (kind === 'map' && this.#name.startsWith(`${name}.`)),
    );
  }

  /** What stands behind a name of a map is a text. */
  #kind(): FilterField['kind'] {
    const field = this.#field();
    return field?.name === this.#name ? field.kind : 'text';
  }

  #values(): readonly string[] {
    const values = this.#field()?.values?.() ?? [];
    return values.map(quoted);
  }
}
