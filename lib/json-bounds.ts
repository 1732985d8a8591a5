/** How much a JSON text would come to, counted before anything is made of it. */

/** Deeper bodies are refused: nothing of Consul's is, and recursion must not end the process. */
export const MAX_JSON_DEPTH = 32;

export interface JsonBounds {
  /** Of one object. */
  readonly names: number;
  /** Of all lists and objects together. */
  readonly values: number;
  /** Of those that a number may not hold: to make one takes as long as to make ten others. */
  readonly longIntegers: number;
}

export const NO_BOUNDS: JsonBounds = {
  names: Infinity,
  values: Infinity,
  longIntegers: Infinity,
};

/** `"":0,` for each name. */
const LEAST_CHARACTERS = 5;

/** Undefined where it keeps within them. The text may be no JSON, and is nested no deeper than is read. */
export function complaintOfBounds(text: string, bounds: JsonBounds): string | undefined {
  // Nearly all are short.
  if (text.length < bounds.names * LEAST_CHARACTERS) return undefined;
  const counting = new Counting(bounds);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA) {
      const complaint = counting.comma();
      if (complaint !== undefined) return complaint;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) counting.opens(code === OPEN_BRACE);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) counting.closes();
  }
  return undefined;
}

/** The string may never end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

interface Open {
  readonly isObject: boolean;
  commas: number;
}

class Counting {
  readonly #bounds: JsonBounds;
  readonly #open: Open[] = [];
  #commas = 0;

  constructor(bounds: JsonBounds) {
    this.#bounds = bounds;
  }

  opens(isObject: boolean): void {
    this.#open.push({ isObject, commas: 0 });
  }

  closes(): void {
    this.#open.pop();
  }

  comma(): string | undefined {
    const { names, values } = this.#bounds;
    if (++this.#commas >= values) return `more than ${values} values`;
    const within = this.#open.at(-1);
    if (within === undefined || ++within.commas < names || !within.isObject) return undefined;
    return `an object has more than ${names} names`;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
