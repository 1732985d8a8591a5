/** A whole Proconsul with a page, and what specs of the page register at it. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { openPage } from './browser.ts';
import { type Proconsul, startProconsul } from './servers/proconsul.ts';
import { send } from './servers/start-server.ts';

export interface WebServer {
  readonly process: Proconsul;
  readonly put: (path: string, body?: object | string, token?: string) => Promise<string>;
  readonly get: <T>(path: string, token?: string) => Promise<T>;
  readonly delete: (path: string, token?: string) => Promise<void>;
  /** An instance of the catalog with one check; its id is the service's name where none is said. */
  readonly register: (
    node: string,
    service: string,
    status: string,
    more?: object,
  ) => Promise<void>;
  /** Opens the page at an address behind the data centre. */
  readonly open: (address: string, options?: Parameters<typeof openPage>[1]) => Promise<Page>;
  /** The same for whoever has this token. */
  readonly openAs: (
    token: string,
    address: string,
    options?: Parameters<typeof openPage>[1],
  ) => Promise<Page>;
}

/** May do everything, where access is controlled by this. */
export const ROOT = '99999999-9999-4999-8999-999999999999';
export const ACCESS_CONTROL = `-hcl=acl { enabled = true default_policy = "deny" tokens { initial_management = "${ROOT}" agent = "${ROOT}" } }`;

export async function startWebServer(
  args: readonly string[] = [],
  port?: number,
): Promise<WebServer> {
  const process = await startProconsul(['-dev', ...args], port);
  const put = async (path: string, body?: object | string, token = '') => {
    const { status, text } = await send(process.port, 'PUT', path, {
      ...(body !== undefined && { body }),
      headers: { 'X-Consul-Token': token },
    });
    assert.equal(status, 200, text);
    return text;
  };
  const open: WebServer['open'] = (address, options) =>
    openPage(`http://127.0.0.1:${process.port}/ui/dc1/${address}`, options);
  return {
    process,
    put,
    get: async <T>(path: string, token = '') => {
      const headers = { 'X-Consul-Token': token };
      return (await send(process.port, 'GET', path, { headers })).json as T;
    },
    delete: async (path, token = '') => {
      const headers = { 'X-Consul-Token': token };
      const { status, text } = await send(process.port, 'DELETE', path, { headers });
      assert.equal(status, 200, text);
    },
    register: async (node, service, status, more = {}) => {
      const { ID = service } = more as { ID?: string };
      await put('/v1/catalog/register', {
        Node: node,
        Address: '10.0.0.1',
        Service: { Service: service, ID, Tags: ['blue'], ...more },
        Check: {
          CheckID: `${ID}:http`,
          Name: 'HTTP',
          ServiceID: ID,
          Status: status,
          Output: 'said',
        },
      });
    },
    open,
    openAs: async (token, address, options) => {
      const page = await open('services', options);
      await page.evaluate(`sessionStorage.setItem('proconsul.token', ${JSON.stringify(token)})`);
      await page.goto(`http://127.0.0.1:${process.port}/ui/dc1/${address}`);
      return page;
    },
  };
}

const GUARDED =
  'acl { enabled = true default_policy = "deny" tokens { master = "root" agent = "root" } }';

export interface GuardedServer extends WebServer {
  /** Opens the page with a token that has these rules. */
  readonly openWith: (
    rules: string,
    address: string,
    options?: Parameters<typeof openPage>[1],
  ) => Promise<Page>;
}

/** One that asks for tokens; its own puts need the token `root`. */
export async function startGuardedServer(): Promise<GuardedServer> {
  const server = await startWebServer([`-hcl=${GUARDED}`]);
  const { put, open, process } = server;
  let made = 0;
  return {
    ...server,
    openWith: async (rules, address, options) => {
      const Name = `rules-${++made}`;
      await put('/v1/acl/policy', { Name, Rules: rules }, 'root');
      const token = await put('/v1/acl/token', { Policies: [{ Name }] }, 'root');
      const { SecretID: value } = JSON.parse(token) as { SecretID: string };
      const origin = `http://127.0.0.1:${process.port}`;
      const localStorage = [{ name: 'proconsul.token', value }];
      return open(address, {
        ...options,
        storageState: { cookies: [], origins: [{ origin, localStorage }] },
      });
    },
  };
}
