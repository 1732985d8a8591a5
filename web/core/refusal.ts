/** What asking comes to. */

/** `forbidden`: the token may not; `off`: there is no access control. */
export type Said = 'forbidden' | 'missing' | 'refused' | 'off';
/** `lost`: nobody answered, or not now. */
export type Why = 'lost' | Said;

/** Of what nobody answered in time: a write may be done yet. */
export const UNHEARD = 'no answer in time';

/** Of who stands in between and answers in place of the server: whoever logs people in, or has no server behind him. */
export const IN_PLACE = 'something in between answers';

export class Refusal extends Error {
  readonly why: Why;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Of what is missing, when it last was there or was not: to wait until it is; 0 where nobody knows. */
  readonly index: bigint;

  constructor(why: Why, status: number, text: string, index = 0n) {
    super(text);
    this.why = why;
    this.status = status;
    this.index = index;
  }
}

export interface Answer<T = unknown> {
  readonly value: T;
  /** 0 where it has none. */
  readonly index: bigint;
  /** Access control kept something back. */
  readonly isPartial: boolean;
  /** What changes since this answer are asked for by; '' where they cannot be. */
  readonly mark: string;
}

/** Of what is asked for in vain however often; Consul says it with the status of a server that fails. */
const IN_VAIN =
  /^(Failed to (create boolean expression|parse)|No path to datacenter|invalid config entry kind)/;

/** With the same status others say that somebody has to log in there. */
const OFF = /^ACL support disabled/;
/** And the server, what it does not do. */
const DISABLED = /^\w+ support disabled/;

export function refusalOf(status: number, text: string, index: bigint): Refusal {
  if (status === 401 && !DISABLED.test(text)) return new Refusal('lost', status, IN_PLACE);
  return new Refusal(whyOf(status, text), status, text.trim(), index);
}

function whyOf(status: number, text: string): Why {
  if (status === 401) return OFF.test(text) ? 'off' : 'refused';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'missing';
  const isLater = status >= 500 || status === 429;
  return isLater && !IN_VAIN.test(text) ? 'lost' : 'refused';
}
