/** What asking comes to. */

/** `lost`: nobody answered, or not now; `forbidden`: the token may not. */
export type Why = 'lost' | 'forbidden' | 'missing' | 'refused';

export class Refusal extends Error {
  readonly why: Why;
  /** 0 where there was no answer. */
  readonly status: number;

  constructor(why: Why, status: number, text: string) {
    super(text);
    this.why = why;
    this.status = status;
  }
}

export interface Answer<T = unknown> {
  readonly value: T;
  /** 0 where it has none. */
  readonly index: number;
  /** Access control kept something back. */
  readonly isPartial: boolean;
}

/** Of a filter that cannot be read; Consul says it with the status of a server that fails. */
const BAD_FILTER = /^Failed to (create boolean expression|parse)/;

export function refusalOf(status: number, text: string): Refusal {
  return new Refusal(whyOf(status, text), status, text.trim());
}

function whyOf(status: number, text: string): Why {
  if (status === 403 || status === 401) return 'forbidden';
  if (status === 404) return 'missing';
  const isLater = status >= 500 || status === 429;
  return isLater && !BAD_FILTER.test(text) ? 'lost' : 'refused';
}
