/** All kinds of checks, one for each type. */
import { CHECK_TYPES, type CheckTypeName, saysOf } from '../../../lib/check-types.ts';
import type { Probe } from '../probing/probe.ts';
import { alias } from './alias.ts';
import { docker } from './docker.ts';
import { grpc } from './grpc.ts';
import { h2ping } from './h2ping.ts';
import { http1 } from './http.ts';
import { COMMON_FIELDS, type Fields, type ProbeContext, type ValuesOf } from './kind.ts';
import { osService } from './os-service.ts';
import { script } from './script.ts';
import { tcp } from './tcp.ts';
import { ttl } from './ttl.ts';
import { udp } from './udp.ts';

const BY_TYPE = {
  ...{ grpc, http: http1, ttl, tcp, udp, h2ping },
  ...{ os_service: osService, alias, docker, script },
} as const satisfies Readonly<Record<CheckTypeName, unknown>>;

type Each = (typeof BY_TYPE)[CheckTypeName];

type ValuesOfAll<Kind> = Kind extends { readonly fields: infer F extends Fields }
  ? (values: ValuesOf<F>) => void
  : never;

/** The fields of all kinds together, as one registration may give them. */
export type KindValues = ValuesOfAll<Each> extends (values: infer All) => void ? All : never;

/** A kind, when it is not known which. */
export interface AnyKind {
  readonly type: CheckTypeName;
  readonly fields: Fields;
  probe?(spec: KindValues, context: ProbeContext): Probe;
  readonly runsPrograms?: true;
  readonly timeoutMs?: number;
  readonly labels?: NonNullable<Each['labels']>;
}

/** In the order in which they are told apart. */
export const KINDS: readonly AnyKind[] = CHECK_TYPES.map(({ type }) => BY_TYPE[type]);

export const CHECK_FIELDS: Fields = Object.assign(
  {},
  COMMON_FIELDS,
  ...KINDS.map(({ fields }) => fields),
);

/** All of which a check says what they need; it is of the first. */
export function kindsOf(spec: KindValues): readonly AnyKind[] {
  const says = saysOf(spec);
  return CHECK_TYPES.filter(({ is }) => is(says)).map(({ type }) => BY_TYPE[type]);
}

/** Undefined for a check that says of no kind what it would need. */
export function kindOf(spec: KindValues): AnyKind | undefined {
  return kindsOf(spec)[0];
}
