import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../support/servers/free-ports.ts';
import { Proconsul } from '../../support/servers/proconsul.ts';

/** What each has in its folder once it has begun: the log, and what was registered. */
const BEGUN = ['log', 'agent'];

describe('a process that finds an address taken', function () {
  // The first builds what is stale.
  this.timeout(60_000);
  for (const [role, key, flags] of [
    ['server', 'http', ['-server', '-bootstrap']],
    ['server', 'dns', ['-server', '-bootstrap']],
    ['agent', 'http', []],
  ] as const) {
    it(`ends before it has begun anything: a ${role}, ports.${key}`, async () => {
      const holder = createServer();
      await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
      const { port: taken } = holder.address() as AddressInfo;
      const folder = await mkdtemp(join(tmpdir(), 'run-'));
      const [server = 0, lan = 0, http = 0] = await freePorts(3);
      const ports = { server, lan, http };
      const process = new Proconsul(key === 'http' ? taken : ports.http, [
        ...flags,
        `-data-dir=${folder}`,
        `-server-port=${ports.server}`,
        `-serf-lan-port=${ports.lan}`,
        ...(key === 'dns' ? [`-dns-port=${taken}`] : []),
      ]);
      assert.equal(await process.ended, 1);
      assert.match(process.output, new RegExp(`ports\\.${key}: cannot listen at .*:${taken}: `));
      const there = await readdir(folder);
      assert.deepEqual(
        there.filter((name) => BEGUN.includes(name)),
        [],
      );
      holder.close();
      await rm(folder, { recursive: true });
    });
  }
});
