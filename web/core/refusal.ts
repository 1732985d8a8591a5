/** What asking comes to. */

/** `lost`: nobody answered, or not now; `forbidden`: the token may not; `off`: there is no access control. */
export type Why = 'lost' | 'forbidden' | 'missing' | 'refused' | 'off';

export class Refusal extends Error {
  readonly why: Why;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Of what is missing, when it last was there or was not: to wait until it is; 0 where nobody knows. */
  readonly index: number;

  constructor(why: Why, status: number, text: string, index = 0) {
    super(text);
    this.why = why;
    this.status = status;
    this.index = index;
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

export function refusalOf(status: number, text: string, index: number): Refusal {
  return new Refusal(whyOf(status, text), status, text.trim(), index);
}

function whyOf(status: number, text: string): Why {
  if (status === 401) return 'off';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'missing';
  const isLater = status >= 500 || status === 429;
  return isLater && !BAD_FILTER.test(text) ? 'lost' : 'refused';
}
