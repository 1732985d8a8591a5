/** A whole Proconsul with a page, and what specs of the page register at it. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { openPage } from './browser.ts';
import { type Proconsul, startProconsul } from './servers/proconsul.ts';
import { send } from './servers/start-server.ts';

export interface WebServer {
  readonly process: Proconsul;
  readonly put: (path: string, body?: object | string, token?: string) => Promise<string>;
  readonly get: <T>(path: string) => Promise<T>;
  /** An instance of the catalog with one check; its id is the service's name where none is said. */
  readonly register: (
    node: string,
    service: string,
    status: string,
    more?: object,
  ) => Promise<void>;
  /** Opens the page at an address behind the data centre. */
  readonly open: (address: string, options?: Parameters<typeof openPage>[1]) => Promise<Page>;
}

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
  return {
    process,
    put,
    get: async <T>(path: string) => (await send(process.port, 'GET', path, {})).json as T,
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
    open: (address, options) =>
      openPage(`http://127.0.0.1:${process.port}/ui/dc1/${address}`, options),
  };
}
