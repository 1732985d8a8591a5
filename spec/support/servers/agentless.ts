/** A server with the agent of its own node, and services on nodes that have no agent. */
import assert from 'node:assert/strict';
import supertest from 'supertest';
import type { Check } from '../../../lib/model.ts';
import { FakeAccess, MASTER } from '../fakes/fake-access.ts';
import { startAgent } from './agents.ts';
import { startServerWith, type TestServer } from './start-server.ts';

export interface AgentlessOptions {
  /** Rules by the token's secret: switches access control on. */
  readonly rules?: Readonly<Record<string, string>>;
}

export async function startAgentless({ rules }: AgentlessOptions = {}) {
  const access = rules && new FakeAccess(rules);
  const started = await startServerWith({ ...(access && { access }) });
  const { server, clock } = started;
  const elsewhere = server.reports();
  const { app, agent } = await startAgent('', { clock, elsewhere, ...(access && { access }) });
  /** At the agent of the server's node. */
  const say = async (path: string, { token = '', body = {} as object } = {}) => {
    const sent = await supertest(app)
      .put(`/v1/agent/${path}`)
      .set('X-Consul-Token', access && token === '' ? MASTER : token)
      .send(body);
    return { status: sent.status, text: sent.text };
  };
  const headers = { 'X-Consul-Token': MASTER };
  const register = async (body: object) => {
    const sent = { body, ...(access && { headers }) };
    const { status, text } = await started.ask('PUT', '/v1/catalog/register', sent);
    assert.equal(status, 200, text);
  };
  const check = (node: string, id: string): Check | undefined =>
    server.state.catalog.check(node, id);
  const status = (node: string, id: string) => check(node, id)?.Status;
  return { ...started, access, agent, say, register, check, status };
}

export type AgentlessServer = Awaited<ReturnType<typeof startAgentless>> & TestServer;

interface Over {
  readonly service?: string;
  readonly id?: string;
  readonly ttl?: string;
  readonly status?: string;
}

/** A node with one service that is reported. */
export function beaten(node: string, over: Over = {}) {
  const { service = 'db', id = service, ttl = '10s', status = 'passing' } = over;
  return {
    Node: node,
    Address: '10.0.0.9',
    Service: { ID: id, Service: service, Port: 5432 },
    Check: {
      CheckID: `service:${id}`,
      Name: 'beats',
      ServiceID: id,
      Status: status,
      Definition: { TTL: ttl },
    },
  };
}

/** The same node, with an agent that lives. */
export function attended(node: string, rest: object = {}) {
  return {
    Node: node,
    Address: '10.0.0.8',
    Checks: [{ CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'passing' }],
    ...rest,
  };
}
