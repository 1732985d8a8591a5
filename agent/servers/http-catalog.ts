/** The servers' catalog over HTTP, for the anti-entropy of an agent without a server. */
import type { OutgoingHttpHeaders } from 'node:http';
import { noLeader, ProconsulError } from '../../lib/errors.ts';
import { decodeJson, encodeJson } from '../../lib/json.ts';
import type { Check, Node, Registration, ServiceDefinition } from '../../lib/model.ts';
import type { Catalog, CatalogNode } from '../sync/catalog.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { Upstream } from './upstream.ts';

const TIMEOUT_MS = 5000;
const SILENT = 'no server has answered the last sign of life in time';

interface NodeAnswer {
  readonly Node: Node;
  readonly Services: Readonly<Record<string, ServiceDefinition>> | null;
}

interface Written {
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
}

export interface HttpCatalogOptions {
  readonly upstream: Upstream;
  /** The name of this agent's node. */
  readonly node: string;
  readonly heartbeat: Pick<Heartbeat, 'isLate'>;
}

export function httpCatalog({ upstream, node, heartbeat }: HttpCatalogOptions): Catalog {
  const ask = async (
    method: string,
    target: string,
    token: string,
    { body, headers = {} }: Written = {},
  ) => {
    // Servers to which tens of thousands come back at once take beats first: with what else each has to say, and
    // says again, nobody would be heard.
    if (heartbeat.isLate) throw noLeader(new ProconsulError('unavailable', SILENT));
    const answer = await upstream.ask({
      way: 'sync',
      method,
      target,
      key: `node:${node}`,
      token,
      timeoutMs: TIMEOUT_MS,
      // All of it says how something is, not what to do to it.
      repeatable: true,
      headers,
      ...(body !== undefined && { body: Buffer.from(encodeJson(body)) }),
    });
    const text = answer.body.toString();
    if (answer.status === 200) return text;
    throw failure(answer.status, answer.headers['x-proconsul-applied'], text);
  };
  const register = async (registration: Registration, token: string) => {
    const { node: definition, skipNodeUpdate, service, checks } = registration;
    const { Meta, ...rest } = definition;
    const body = {
      ...rest,
      NodeMeta: Meta,
      SkipNodeUpdate: skipNodeUpdate,
      ...(service !== undefined && { Service: service }),
      Checks: checks.map((check) => ({ ...check, Node: definition.Node })),
    };
    await ask('PUT', '/v1/catalog/register', token, { body });
  };
  return {
    registerSelf: register,
    register,
    async node(name, token) {
      const path = encodeURIComponent(name);
      const found = decodeJson(await ask('GET', `/v1/catalog/node/${path}`, token));
      if (found === null) return undefined;
      const checks = decodeJson(await ask('GET', `/v1/health/node/${path}`, token));
      return catalogNode(found as NodeAnswer, checks as readonly Check[]);
    },
    async deregister({ node: name, nodeId, serviceId, checkId }, token) {
      const body = {
        Node: name,
        ...(serviceId !== undefined && { ServiceID: serviceId }),
        ...(checkId !== undefined && { CheckID: checkId }),
      };
      // In a header: Consul's body has no field for it.
      const headers = nodeId === undefined ? {} : { 'X-Proconsul-Node-Id': nodeId };
      await ask('PUT', '/v1/catalog/deregister', token, { body, headers });
    },
  };
}

function catalogNode({ Node: node, Services }: NodeAnswer, checks: readonly Check[]): CatalogNode {
  return { node, services: Object.values(Services ?? {}), checks };
}

function failure(status: number, applied: unknown, text: string): ProconsulError {
  if (status === 403) return new ProconsulError('forbidden', text);
  if (status === 429) return new ProconsulError('busy', text);
  if (status < 500) return new ProconsulError('invalid', text);
  return new ProconsulError(applied === 'unknown' ? 'unknown' : 'rejected', text);
}
