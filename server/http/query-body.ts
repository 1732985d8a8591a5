/** What someone says of a prepared query, and the query that it comes to. */
import { decoder } from '../../lib/decode.ts';
import { durationComplaint, parseDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { idComplaint } from '../../lib/ids.ts';
import { metaFault } from '../../lib/meta.ts';
import type { PreparedQuery, QueryService, StringMap } from '../../lib/model.ts';
import { checkTemplate } from '../query/query-template.ts';
import { HIDDEN_TOKEN } from '../query/sight.ts';
import { sortedMap } from './definitions.ts';

interface QueryBody {
  readonly ID: string;
  readonly Name: string;
  readonly Session: string;
  readonly Token: string;
  readonly Template: Partial<PreparedQuery['Template']>;
  readonly Service: Partial<Omit<QueryService, 'Failover'>> & {
    readonly Failover?: Partial<QueryService['Failover']>;
  };
  readonly DNS: { readonly TTL: string };
}

const text = { type: 'string', default: '' } as const;
const flag = { type: 'boolean' } as const;
const names = { type: 'array', items: { type: 'string' } } as const;
const map = { type: 'object', additionalProperties: { type: 'string' } } as const;

export const queryBody = decoder<QueryBody>({
  type: 'object',
  properties: {
    ID: text,
    Name: text,
    Session: text,
    Token: text,
    Template: {
      type: 'object',
      default: {},
      properties: { Type: { type: 'string' }, Regexp: { type: 'string' }, RemoveEmptyTags: flag },
    },
    Service: {
      type: 'object',
      default: {},
      properties: {
        Service: { type: 'string' },
        Failover: {
          type: 'object',
          properties: { NearestN: { type: 'integer' }, Datacenters: names },
          unheeded: ['Targets'],
        },
        OnlyPassing: flag,
        IgnoreCheckIDs: names,
        Near: { type: 'string' },
        Tags: names,
        NodeMeta: map,
        ServiceMeta: map,
        Connect: flag,
      },
      unheeded: ['Peer', 'SamenessGroup'],
    },
    DNS: { type: 'object', default: {}, properties: { TTL: text } },
  },
  unheeded: ['CreateIndex', 'ModifyIndex'],
});

export type QueryDefinition = Omit<PreparedQuery, 'CreateIndex' | 'ModifyIndex'>;

/** The query that a body describes; throws Consul's error for one that cannot be. */
export function toQuery(body: QueryBody, id: string): QueryDefinition {
  const { Template, Service } = body;
  const query: QueryDefinition = {
    ID: id,
    Name: body.Name,
    Session: body.Session,
    Token: body.Token,
    Template: {
      Type: Template.Type ?? '',
      Regexp: Template.Regexp ?? '',
      RemoveEmptyTags: Template.RemoveEmptyTags ?? false,
    },
    Service: {
      Service: Service.Service ?? '',
      Failover: {
        NearestN: Service.Failover?.NearestN ?? 0,
        Datacenters: Service.Failover?.Datacenters ?? null,
      },
      OnlyPassing: Service.OnlyPassing ?? false,
      IgnoreCheckIDs: Service.IgnoreCheckIDs ?? null,
      Near: Service.Near ?? '',
      Tags: Service.Tags ?? null,
      NodeMeta: metaOf(Service.NodeMeta),
      ServiceMeta: metaOf(Service.ServiceMeta),
      Connect: Service.Connect ?? false,
    },
    DNS: body.DNS,
  };
  validate(query);
  return query;
}

/** Consul tells an empty map from a missing one here. */
function metaOf(sent: StringMap | null | undefined): StringMap | null {
  return sent === undefined || sent === null ? null : (sortedMap(sent) ?? {});
}

function validate(query: QueryDefinition): void {
  const invalid = (why: string) => new ProconsulError('rejected', `Invalid prepared query: ${why}`);
  const { Name, Template, Session, Token, Service } = query;
  if (Name === '' && Template.Type === '' && Session === '') {
    throw invalid('Must be bound to a session');
  }
  if (Token === HIDDEN_TOKEN) {
    const why = 'it looks like a query definition with a redacted token was submitted';
    throw invalid(`Bad Token '${HIDDEN_TOKEN}', ${why}`);
  }
  if (Service.Service === '') throw invalid('Must provide a Service name to query');
  const { NearestN } = Service.Failover;
  if (NearestN < 0) throw invalid(`Bad NearestN '${NearestN}', must be >= 0`);
  const fault = metaFault(Service.NodeMeta, { mayBeReserved: true });
  if (fault !== undefined) throw invalid(fault);
  const why = ttlComplaint(query.DNS.TTL);
  if (why !== '') throw invalid(why);
  const complaint = Session === '' ? undefined : idComplaint(Session);
  if (complaint !== undefined) {
    throw new ProconsulError('rejected', `invalid session: index error: ${complaint}`);
  }
  checkTemplate(query);
}

function ttlComplaint(ttl: string): string {
  if (ttl === '') return '';
  const ns = parseDuration(ttl);
  if (ns === undefined) {
    return `Bad DNS TTL '${ttl}': ${durationComplaint(ttl)}`;
  }
  return ns < 0 ? `DNS TTL '${ns}', must be >=0` : '';
}
