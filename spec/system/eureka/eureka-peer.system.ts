/**
 * Moving over without a stop: a real Eureka server (Spring Cloud's, built by Maven) takes one of ours for its peer.
 * The instances that its clients register arrive, follow every change, and live by the heartbeats that it passes on;
 * when it is stopped their clients go on with ours, and none is missed for a moment.
 *
 *   node --import tsx spec/system/eureka/eureka-peer.system.ts [INSTANCES, 1000]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Asker, idOf, pathOf, registration } from '../../support/experiments/eureka-crowd.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { startProconsul } from '../../support/servers/proconsul.ts';
import { RealEureka } from '../../support/servers/real-eureka.ts';
import { until } from '../../support/until.ts';
import { report } from '../report.ts';

const [instances = 1000] = process.argv.slice(2).map(Number);
const LEASE = { renewalIntervalInSecs: 10, durationInSecs: 30 };
/** The old one tells its peers every now and then, and a machine may be busy. */
const FOLLOW_MS = 120_000;
const LOOK_MS = 1000;
/** Of each kind. */
const CHANGED = Math.floor(instances / 20);

interface Seen {
  readonly instanceId: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Listed {
  readonly applications: {
    readonly application: readonly { readonly instance: Seen | readonly Seen[] }[];
  };
}

await report(async (say) => {
  const asker = new Asker();
  const folder = mkdtempSync(join(tmpdir(), 'proconsul-peer-'));
  const [http = 0, ours = 0, theirs = 0] = await freePorts(3);
  let real: RealEureka | undefined;
  let failed = 0;
  const judge = (what: string, isSo: boolean, detail = '') => {
    if (!isSo) failed++;
    say(`${isSo ? 'ok  ' : 'FAIL'} ${what}${detail === '' ? '' : `: ${detail}`}`);
  };
  const list = async (port: number): Promise<readonly string[]> => {
    const { text } = await asker.ask(port, { method: 'GET', path: '/eureka/apps' }, true);
    const { application } = (JSON.parse(text) as Listed).applications;
    const all = application.flatMap(({ instance }) => instance);
    return all
      .map(({ instanceId, status, metadata }) => `${instanceId} ${status} ${metadata['step']}`)
      .sort();
  };
  /** How long it took until both said the same, in seconds. */
  const alike = async (count: number): Promise<number> => {
    const from = performance.now();
    let [here, there]: (readonly string[])[] = [[], []];
    await until(
      async () => {
        [here, there] = await Promise.all([list(ours), list(theirs)]);
        return here?.length === count && here.join() === there?.join();
      },
      () => `${here?.length} here, ${there?.length} there, ${count} wanted`,
      FOLLOW_MS,
    );
    return (performance.now() - from) / 1000;
  };
  let [first, end] = [0, instances];
  let heartbeatsTo = theirs;
  let refused = 0;
  let stopped = false;
  /** Each in its turn, whatever was answered: once in an interval all. */
  const renewing = async () => {
    while (!stopped) {
      const began = performance.now();
      const to = heartbeatsTo;
      const path = (n: number) => `${pathOf(n)}?status=UP&lastDirtyTimestamp=1760000000000`;
      // Whoever gets no answer asks the next server that it knows, as real clients do.
      refused += await asker.all(first, end, 200, (n) => {
        const beat = { method: 'PUT', path: path(n) };
        return asker.ask(to, beat).catch(() => asker.ask(ours, beat));
      });
      const rest = LEASE.renewalIntervalInSecs * 1000 - (performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
    }
  };
  try {
    const hcl = ['-hcl', `ports { eureka = ${ours} }`];
    const flags = ['-server', '-bootstrap', '-eureka', `-data-dir=${folder}`];
    await startProconsul([...flags, ...hcl], http);
    real = await RealEureka.start(theirs, [
      `--eureka.client.service-url.defaultZone=http://127.0.0.1:${ours}/eureka/`,
      '--eureka.server.use-read-only-response-cache=false',
      '--eureka.server.enable-self-preservation=false',
    ]);
    const post = (n: number) => asker.ask(theirs, registration(n, LEASE));
    const unregistered = await asker.all(first, end, 204, post);
    const beats = renewing();
    judge(`${instances} instances are registered at the old server`, unregistered === 0);
    judge('they arrive', true, `${(await alike(instances)).toFixed(1)} s later`);

    const at = (n: number, rest: string, method = 'PUT') =>
      asker.ask(theirs, { method, path: pathOf(n) + rest });
    const put = (from: number, rest: string) =>
      asker.all(from, from + CHANGED, 200, (n) => at(n, rest));
    const undone =
      (await put(CHANGED, '/status?value=OUT_OF_SERVICE')) +
      (await put(2 * CHANGED, '/metadata?step=2')) +
      (await put(3 * CHANGED, '/status?value=DOWN')) +
      (await put(3 * CHANGED, '/status?value=UP'));
    first = CHANGED;
    const uncancelled = await asker.all(0, CHANGED, 200, (n) => at(n, '', 'DELETE'));
    const late = await asker.all(end, end + CHANGED, 204, post);
    end += CHANGED;
    judge('changes are taken by the old server', undone + uncancelled + late === 0);
    judge('they follow', true, `${(await alike(instances)).toFixed(1)} s later`);

    const vanished = new Set<string>();
    /** Who is not there, and who is down. */
    const look = async () => {
      const here = await list(ours);
      const ids = new Set(here.map((line) => line.split(' ', 1)[0] ?? ''));
      for (let n = first; n < end; n++) if (!ids.has(idOf(n))) vanished.add(idOf(n));
      for (const line of here) if (line.includes(' DOWN ')) vanished.add(line);
    };
    const watch = async (seconds: number) => {
      const over = performance.now() + seconds * 1000;
      let looks = 0;
      for (; performance.now() < over; looks++) {
        await look();
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
      return `${looks} looks, ${vanished.size === 0 ? 'all there' : [...vanished].slice(0, 5)}`;
    };
    const longer = 2 * LEASE.durationInSecs + 5;
    const passedOn = await watch(longer);
    judge('heartbeats passed on keep them', vanished.size === 0, passedOn);
    const before = await list(ours);
    real.stop();
    heartbeatsTo = ours;
    const alone = await watch(longer);
    judge('they go on without it', vanished.size === 0, alone);
    const after = await list(ours);
    judge('none has changed', before.join() === after.join());
    stopped = true;
    await beats;
    judge('no heartbeat is refused', refused === 0, `${refused} were`);
  } finally {
    stopped = true;
    real?.stop();
    asker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return failed;
});
