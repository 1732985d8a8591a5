/** The kinds of config entries, and how one is read: docs/adding-a-config-entry.md. */
import { messageOf, ProconsulError } from '../errors.ts';
import { decodeFields } from './decode.ts';
import type { ConfigEntryDefinition } from './entry.ts';
import { type Kind, rejected } from './kind.ts';
import { API_GATEWAY } from './kinds/api-gateway.ts';
import { EXPORTED_SERVICES } from './kinds/exported-services.ts';
import { HTTP_ROUTE } from './kinds/http-route.ts';
import { INGRESS_GATEWAY } from './kinds/ingress-gateway.ts';
import { INLINE_CERTIFICATE } from './kinds/inline-certificate.ts';
import { JWT_PROVIDER } from './kinds/jwt-provider.ts';
import { MESH } from './kinds/mesh.ts';
import { PROXY_DEFAULTS } from './kinds/proxy-defaults.ts';
import { SAMENESS_GROUP } from './kinds/sameness-group.ts';
import { SERVICE_DEFAULTS } from './kinds/service-defaults.ts';
import { SERVICE_INTENTIONS } from './kinds/service-intentions.ts';
import { SERVICE_RESOLVER } from './kinds/service-resolver.ts';
import { SERVICE_ROUTER } from './kinds/service-router.ts';
import { SERVICE_SCALING } from './kinds/service-scaling.ts';
import { SERVICE_SPLITTER } from './kinds/service-splitter.ts';
import { TCP_ROUTE } from './kinds/tcp-route.ts';
import { TERMINATING_GATEWAY } from './kinds/terminating-gateway.ts';

export const KINDS: ReadonlyMap<string, Kind> = new Map(
  [
    SERVICE_DEFAULTS,
    PROXY_DEFAULTS,
    SERVICE_RESOLVER,
    SERVICE_SPLITTER,
    SERVICE_ROUTER,
    INGRESS_GATEWAY,
    TERMINATING_GATEWAY,
    SERVICE_INTENTIONS,
    MESH,
    EXPORTED_SERVICES,
    SAMENESS_GROUP,
    JWT_PROVIDER,
    API_GATEWAY,
    HTTP_ROUTE,
    TCP_ROUTE,
    INLINE_CERTIFICATE,
    SERVICE_SCALING,
  ].map((kind) => [kind.kind, kind as Kind]),
);

export function kindNamed(name: string): Kind | undefined {
  return KINDS.get(name);
}

export function unknownKind(name: string): string {
  return `invalid config entry kind: ${name}`;
}

/** What answers say beside an entry's own fields; clients write back what they have read. */
const ANSWERED = ['CreateIndex', 'ModifyIndex', 'Hash', 'Status'];

/** An entry as it is written, in its normal form. Throws 'invalid' where it cannot be read. */
export function decodeEntry(value: unknown): ConfigEntryDefinition {
  if (Array.isArray(value)) throw invalid("'' expected a map, got 'slice'");
  if (typeof value !== 'object') throw invalid(`'' expected a map, got '${typeof value}'`);
  const said = (value ?? {}) as Readonly<Record<string, unknown>>;
  const name = said['Kind'] ?? said['kind'];
  if (name === undefined)
    throw invalid('Payload does not contain a kind/Kind key at the top level');
  if (typeof name !== 'string') throw invalid('Kind value in payload is not a string');
  const kind = kindNamed(name);
  if (kind === undefined) throw invalid(unknownKind(name));
  const own = Object.entries(said).filter(([key]) => !ANSWERED.includes(key));
  const fields = decodeFields(kind.fields, Object.fromEntries(own));
  const entry = { Name: '', ...fields, Kind: name };
  return kind.normal?.(entry) ?? entry;
}

function invalid(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}

/** Throws 'rejected' where the entry cannot be, whatever else there is. */
export function refuseFaulty(entry: ConfigEntryDefinition): void {
  const fault = kindNamed(entry.Kind)?.fault?.(entry);
  if (fault !== undefined) throw rejected(fault);
}

/** Of whoever writes it now. */
export function refuseUnwritable(entry: ConfigEntryDefinition): void {
  refuseFaulty(entry);
  const fault = kindNamed(entry.Kind)?.unwritable?.(entry);
  if (fault !== undefined) throw rejected(fault);
}

/** The same of one that a configuration file has; throws 'invalid'. */
export function entryFromConfig(value: unknown): ConfigEntryDefinition {
  const entry = decodeEntry(value);
  try {
    refuseUnwritable(entry);
  } catch (error) {
    throw invalid(messageOf(error));
  }
  return entry;
}
