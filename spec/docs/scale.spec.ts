import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beatSeconds, boundOf, FULL, fleet, loadOf, serversFor } from '../../bench/scale/model.ts';
import { scalePage } from '../../bench/scale/page.ts';
import { beatMs } from '../../server/state/beat-pace.ts';
import type { State } from '../../server/state/state.ts';

const PAGE = path.resolve(import.meta.dirname, '../../docs/scale.md');

describe('docs/scale.md', () => {
  it('says what the model comes to (node --import tsx bench/scale/main.ts --write)', async () => {
    const page = await readFile(PAGE, 'utf8');
    assert.equal(scalePage(page).whole, page);
  });

  it('reckons with the pace that servers ask of agents', () => {
    for (const servers of [1, 3, 7]) {
      for (const agents of [10, 2000, 7000, 50_000, 1_000_000]) {
        const liveServers = { size: servers } as State['liveServers'];
        const members = { size: agents } as State['members'];
        const ms = beatMs({ members, liveServers }, { Tags: {} });
        assert(Math.abs(beatSeconds(agents, servers) * 1000 - ms) < 1);
      }
    }
  });

  it('needs more servers for more agents, and by as many as it says nothing is too full', () => {
    let before = 0;
    for (let agents = 1000; agents <= 100_000; agents += 1000) {
      const servers = serversFor(fleet(agents));
      if (servers === undefined) break;
      const load = loadOf(fleet(agents), servers);
      assert(load[boundOf(load)] <= FULL);
      assert(servers >= before);
      before = servers;
    }
  });
});
