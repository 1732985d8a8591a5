/** What every agent and server answers on ports.serf_lan: which servers it knows. */
import { anyone } from '../../lib/http/right.ts';
import type { Route } from '../../lib/http/route.ts';
import { INTRODUCTION_PATH, type Introduction, type ServerInfo } from '../../lib/membership.ts';

export interface Introducer {
  readonly ID: string;
  readonly Node: string;
  readonly Datacenter: string;
  readonly servers: () => readonly ServerInfo[];
}

export function introductionRoutes({ servers, ...self }: Introducer): readonly Route[] {
  return [
    {
      method: 'GET',
      path: INTRODUCTION_PATH,
      right: anyone,
      does: 'the servers that this agent knows, for those that join',
      handle: () => ({ json: { ...self, Servers: servers() } satisfies Introduction }),
    },
  ];
}
