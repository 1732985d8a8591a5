/** All kinds of checks, in the order in which Consul tells them apart. */

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

const ALL = [grpc, http1, ttl, tcp, udp, h2ping, osService, alias, docker, script] as const;

type ValuesOfAll<Kind> = Kind extends { readonly fields: infer F extends Fields }
  ? (values: ValuesOf<F>) => void
  : never;

/** The fields of all kinds together, as one registration may give them. */
export type KindValues =
  ValuesOfAll<(typeof ALL)[number]> extends (values: infer All) => void ? All : never;

/** A kind, when it is not known which. */
export interface AnyKind {
  readonly type: string;
  readonly fields: Fields;
  is(spec: KindValues): boolean;
  probe?(spec: KindValues, context: ProbeContext): Probe;
  readonly runsPrograms?: true;
  readonly timeoutMs?: number;
  readonly labels?: NonNullable<(typeof ALL)[number]['labels']>;
}

export const KINDS: readonly AnyKind[] = ALL;

export const CHECK_FIELDS: Fields = Object.assign(
  {},
  COMMON_FIELDS,
  ...KINDS.map(({ fields }) => fields),
);

/** Undefined for a check that says of no kind what it would need. */
export function kindOf(spec: KindValues): AnyKind | undefined {
  return KINDS.find((kind) => kind.is(spec));
}
