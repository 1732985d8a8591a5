/**
 * What an agent kept is read as what it should be: another version may have written it, or a hand.
 * Each of these throws for a value that is not; nothing that is unsound gets any further.
 */
import type { CentralDefaults, DefaultsOf } from '../../lib/central-defaults.ts';
import { type Schema, valueDecoder } from '../../lib/decode.ts';
import { LATER_SCHEMA } from '../../lib/later-fields.ts';
import type { CheckDefinition, CheckStatus } from '../../lib/model.ts';
import { type CheckSpec, checkSchema } from '../definitions/check-spec.ts';
import type { LocalService } from './local-state.ts';

export interface StoredCheck {
  readonly definition: CheckDefinition;
  readonly token: string;
  readonly spec?: CheckSpec;
}

export interface StoredStatus {
  readonly Status: CheckStatus;
  readonly Output: string;
  /** When its TTL ends, milliseconds since 1970; absent for checks without one. */
  readonly Until?: number;
}

const text: Schema = { type: 'string' };
const port: Schema = { type: 'integer' };
const free: Schema = { type: 'object', free: true };
const status: Schema = { enum: ['passing', 'warning', 'critical'] };

function object(needed: Readonly<Record<string, Schema>>, more: Record<string, Schema> = {}) {
  return { type: 'object', required: Object.keys(needed), properties: { ...needed, ...more } };
}

const service = object(
  {
    Kind: text,
    ID: text,
    Service: text,
    Tags: { type: 'array', items: text },
    Address: text,
    Port: port,
    Weights: object({ Passing: port, Warning: port }),
    EnableTagOverride: { type: 'boolean' },
    Proxy: free,
    Connect: free,
  },
  {
    TaggedAddresses: {
      type: 'object',
      additionalProperties: object({ Address: text, Port: port }),
    },
    Meta: { type: 'object', additionalProperties: text },
    ...LATER_SCHEMA,
  },
);

const check = object({
  CheckID: text,
  Name: text,
  Status: status,
  Notes: text,
  Output: text,
  ServiceID: text,
  Type: text,
  Definition: free,
});

const readService = valueDecoder<LocalService>(object({ definition: service, token: text }));

export function keptService(value: unknown): LocalService {
  readService(value);
  // As it was written, with the nulls that it had: the catalog has them too.
  return value as LocalService;
}

/** With all fields of its spec, of which only the unusual ones are kept. */
export const keptCheck: (value: unknown) => StoredCheck = valueDecoder<StoredCheck>(
  object({ definition: check, token: text }, { spec: checkSchema }),
);

export interface StoredDefaults {
  readonly of: DefaultsOf;
  readonly defaults: CentralDefaults;
}

const said = { Config: free, MeshGateway: free };

export const keptDefaults: (value: unknown) => StoredDefaults = valueDecoder<StoredDefaults>(
  object({
    of: object({ service: text, upstreams: { type: 'array', items: text } }),
    defaults: object({
      Proxy: free,
      Upstreams: { type: 'array', items: object({ Name: text, ...said }) },
    }),
  }),
);

export const keptStatus: (value: unknown) => StoredStatus = valueDecoder<StoredStatus>(
  object({ Status: status, Output: text }, { Until: { type: 'number' } }),
);
