/** The places of the items that a real Consul let pass, or the text with which it refused. */
export type Verdict = readonly number[] | string;

/** consul-verdicts.json: what a real Consul 1.8.7 says to filters, on what items. */
export interface Recording {
  readonly registrations: readonly (readonly [request: string, body: unknown])[];
  readonly answers: readonly Answer[];
}

export interface Answer {
  readonly path: string;
  /** The name of its schema in lib/filter/fields.ts. */
  readonly fields: string;
  readonly items: readonly unknown[];
  readonly verdicts: readonly (readonly [filter: string, verdict: Verdict])[];
}
