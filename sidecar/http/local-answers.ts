/** What the sidecar answers itself, in Envoy's words: people and dashboards know them. */
import { percentEncoded } from '../../lib/well-formed.ts';
import { type Fields, fieldIn, NO_FIELDS } from './fields.ts';
import type { Head } from './head.ts';
import type { Incoming } from './incoming.ts';
import type { Failure } from './retry-rules.ts';

export interface LocalAnswer {
  readonly status: number;
  readonly text: string;
  readonly fields?: Fields;
  /** Of gRPC, where the status does not say it. */
  readonly grpcStatus?: number;
}

export const NO_ROUTE: LocalAnswer = { status: 404, text: '' };
export const NO_HOST: LocalAnswer = { status: 503, text: 'no healthy upstream' };
export const DENIED: LocalAnswer = { status: 403, text: 'RBAC: access denied' };
/** Its path may be read in two ways. */
export const UNCLEAR: LocalAnswer = { status: 400, text: '' };
export const BUSY: LocalAnswer = { status: 429, text: 'local_rate_limited' };
export const STALLED: LocalAnswer = { status: 408, text: 'stream timeout' };
export const TOO_LATE: LocalAnswer = {
  ...{ status: 504, text: 'upstream request timeout' },
  grpcStatus: 4,
};

const REASONS = {
  connect: 'connection failure',
  refused: 'remote reset',
  reset: 'connection termination',
  overflow: 'overflow',
} as const;

export function failed({ kind }: Failure): LocalAnswer {
  const text = `upstream connect error or disconnect/reset before headers. reset reason: ${REASONS[kind]}`;
  return {
    ...{ status: 503, text },
    ...(kind === 'overflow' && { fields: ['x-envoy-overloaded', 'true'] }),
  };
}

export const OVERFLOW = failed({ kind: 'overflow', message: '' });

/** By the status, as Envoy and gRPC's own pages have it. */
const GRPC_STATUSES: ReadonlyMap<number, number> = new Map([
  ...([
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [429, 14],
    [502, 14],
    [503, 14],
    [504, 14],
  ] as const),
]);
const UNKNOWN = 2;

/** How many bytes its body has. */
export function answerLocally(incoming: Incoming, answer: LocalAnswer): number {
  const { status, text, fields = NO_FIELDS } = answer;
  if (isGrpc(incoming.head)) {
    const code = answer.grpcStatus ?? GRPC_STATUSES.get(status) ?? UNKNOWN;
    const said = ['grpc-status', String(code), 'grpc-message', percentEncoded(text)];
    incoming.answer(200, ['content-type', 'application/grpc', ...said, ...fields], undefined, true);
    return 0;
  }
  const isEmpty = text === '' || incoming.head.method === 'HEAD';
  const type = text === '' ? NO_FIELDS : ['content-type', 'text/plain'];
  incoming.answer(status, [...type, ...fields], text.length, isEmpty);
  if (isEmpty) return 0;
  incoming.write(Buffer.from(text));
  incoming.end(NO_FIELDS);
  return text.length;
}

function isGrpc({ fields }: Head): boolean {
  return fieldIn(fields, 'content-type')?.startsWith('application/grpc') ?? false;
}
