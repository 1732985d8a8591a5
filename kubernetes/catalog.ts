/** The port to the catalog: a server, or an agent of the cluster, over HTTP. */
export interface Catalog {
  /** Rejects with a ProconsulError where there is no answer in time, one that is too large, or one that is not accepted. */
  ask(request: CatalogRequest, signal: AbortSignal): Promise<CatalogAnswer>;
}

export interface CatalogRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Encoded where it has to be. */
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly body?: unknown;
  /** Other statuses than 200 that are answers. */
  readonly accept?: readonly number[];
  /** Rejects as 'too-large' where the answer is larger; where nothing is said it may be as large as most. */
  readonly maxBytes?: number;
}

export interface CatalogAnswer {
  readonly status: number;
  /** As the header says it; '' where it does not. */
  readonly index: string;
  readonly text: string;
  /** It says that something was kept back from this token; a catalog may also keep back and not say so. */
  readonly isPartial?: boolean;
  /** Throws a ProconsulError where the text is none. */
  readonly json: unknown;
}

/** How long an answer is asked to wait: whoever was asked may be gone, and that is known only after it. */
export const WAIT = '1m';

export function waitingFrom(index: string): readonly (readonly [string, string])[] {
  return index === ''
    ? []
    : [
        ['index', index],
        ['wait', WAIT],
      ];
}

/**
 * Of what has no number beyond 2^53, as keys have in their flags: to look for one in ten megabytes takes longer than to
 * read them. Undefined where it is none.
 */
export function plainJson(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
