import assert from 'node:assert/strict';
import type { Use } from '../../../agent/loads/cgroups.ts';
import { Loads } from '../../../agent/loads/loads.ts';
import { RequestCounts } from '../../../agent/loads/request-counts.ts';
import type { LocalService } from '../../../agent/state/local-state.ts';
import { type InstanceLoad, LOOK_MS } from '../../../lib/load.ts';
import { NOTHING_SERVED } from '../../../lib/served.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

const SECOND = 1000;
const answered = (requests: number) => ({ ...NOTHING_SERVED, requests });
const container = (id: string) => ({ 'proconsul-source': 'docker', 'container-id': id });

/** An agent with a service in a container, and one that is in none. */
function began() {
  const clock = new FakeClock();
  const services = new Map<string, LocalService>();
  const local = { services };
  const requests = new RequestCounts(clock, services);
  const use = { cpuMs: 0, cpus: 2, memory: 0.25 };
  const uses = new Map<string, Use>([['c1', use]]);
  const told: (readonly InstanceLoad[])[] = [];
  const way = { isCut: false };
  const add = (id: string, Meta: object | null) => {
    const definition = { ID: id, Service: id, Meta };
    services.set(id, { definition } as unknown as LocalService);
  };
  add('web', container('c1'));
  add('plain', null);
  const logger = new RecordingLogger();
  const loads = new Loads({
    local,
    requests,
    clock,
    logger,
    useOf: async (id) => uses.get(id) && { ...(uses.get(id) as Use) },
    send: async (instances) => {
      if (way.isCut) throw new Error('no server');
      told.push(instances);
    },
  });
  const of = (id: string) => {
    const { ms, served } = requests.of(id);
    return [ms, served.requests];
  };
  return { clock, services, requests, of, use, uses, told, way, add, loads, logger };
}

describe('what an agent tells of its instances', () => {
  it('is told while somebody wants to know, and not else', async () => {
    const { clock, loads, told, use } = began();
    await clock.advance(5 * LOOK_MS);
    assert.equal(told.length, 0);
    loads.want(true);
    await clock.advance(0);
    use.cpuMs += LOOK_MS;
    await clock.advance(LOOK_MS);
    assert.deepEqual(told.flat(), [
      {
        ServiceID: 'web',
        Ms: LOOK_MS,
        CPU: 0.5,
        Memory: 0.25,
        MemoryMs: LOOK_MS,
        ...{ RequestMs: 0, Requests: 0, Errors: 0, Latency: [] },
      },
    ]);
    loads.want(false);
    await clock.advance(5 * LOOK_MS);
    assert.equal(told.length, 1);
    loads.stop();
  });

  it('is told with the next, where no server has taken it', async () => {
    const { clock, loads, told, use, way } = began();
    loads.want(true);
    await clock.advance(0);
    way.isCut = true;
    use.cpuMs += LOOK_MS;
    await clock.advance(LOOK_MS);
    way.isCut = false;
    await clock.advance(LOOK_MS);
    assert.deepEqual(
      told.flat().map(({ Ms, CPU }) => [Ms, CPU]),
      [[2 * LOOK_MS, 0.25]],
    );
    loads.stop();
  });

  it('says once of what container nothing can be read, when it is so for longer than a moment', async () => {
    const { clock, loads, add, uses, use, logger } = began();
    loads.want(true);
    await clock.advance(0);
    add('api', container('c9'));
    await clock.advance(LOOK_MS);
    assert.deepEqual(logger.lines, []);
    await clock.advance(3 * LOOK_MS);
    assert.deepEqual(logger.lines, [
      'warn agent: what api uses is not seen: no cgroup of version 2 of its container (c9) is found where docker.cgroups says',
    ]);
    uses.set('c9', use);
    await clock.advance(LOOK_MS);
    uses.delete('c9');
    await clock.advance(2 * LOOK_MS);
    assert.equal(logger.lines.length, 2);
    loads.stop();
  });

  it('begins anew with another container, and with one that was restarted', async () => {
    const { clock, loads, told, use, uses, add } = began();
    loads.want(true);
    await clock.advance(0);
    use.cpuMs += LOOK_MS;
    await clock.advance(LOOK_MS);
    uses.set('c2', { ...use, cpuMs: 10 });
    add('web', container('c2'));
    await clock.advance(LOOK_MS);
    assert.equal(told.length, 1);
    uses.set('c2', { ...use, cpuMs: 5 });
    await clock.advance(LOOK_MS);
    assert.equal(told.length, 1);
    loads.stop();
  });

  it('has the requests that a service has counted, in no container too', async () => {
    const { clock, loads, requests, of, told, services } = began();
    requests.counted('plain', answered(1000));
    loads.want(true);
    await clock.advance(10 * SECOND);
    requests.counted('plain', answered(1300));
    await clock.advance(5 * SECOND);
    const [first] = told.flat().filter(({ ServiceID }) => ServiceID === 'plain');
    assert.deepEqual([first?.RequestMs, first?.Requests], [10 * SECOND, 300]);
    await clock.advance(5 * SECOND);
    // It began anew, and has answered ten since.
    requests.counted('plain', answered(10));
    await clock.advance(10 * SECOND);
    const last = told.flat().at(-1);
    assert.deepEqual([last?.RequestMs, last?.Requests], [10 * SECOND, 10]);
    services.delete('plain');
    await clock.advance(LOOK_MS);
    assert.deepEqual(of('plain'), [0, 0]);
    loads.stop();
  });

  it('is told of what somebody counts though nobody scales, with what failed and how long it took', async () => {
    const { clock, loads, requests, told } = began();
    requests.counted('plain', { requests: 100, errors: 1, latency: [60, 40] });
    loads.want(false);
    await clock.advance(10 * SECOND);
    requests.counted('plain', { requests: 160, errors: 3, latency: [70, 80, 10] });
    await clock.advance(5 * SECOND);
    const figures = told.flat().map(({ Requests, Errors, Latency }) => [Requests, Errors, Latency]);
    assert.deepEqual(figures, [[60, 2, [10, 40, 10]]]);
    await clock.advance(LOOK_MS);
    assert.equal(told.length, 1, 'nothing was counted since');
    loads.stop();
  });

  it('is of the last two minutes at most, however long nobody asked', () => {
    const { clock, requests, of } = began();
    requests.counted('web', answered(0));
    void clock.advance(3_600 * SECOND);
    requests.counted('web', answered(36_000));
    assert.deepEqual(of('web'), [120 * SECOND, 1200]);
  });

  it('is of no moment, in which a few requests would be millions a second', async () => {
    const { clock, requests, of } = began();
    requests.counted('plain', answered(0));
    await clock.advance(2);
    requests.counted('plain', answered(5000));
    assert.deepEqual(of('plain'), [0, 0]);
    await clock.advance(SECOND);
    requests.counted('plain', answered(5100));
    assert.deepEqual(of('plain'), [SECOND + 2, 5100]);
  });

  it('is kept of services that are there, though nobody ever wants to know', () => {
    const { requests, services, add } = began();
    for (let i = 0; i < 1000; i++) {
      add(`short-${i}`, null);
      requests.counted(`short-${i}`, answered(1));
      services.delete(`short-${i}`);
    }
    assert.ok(requests.size <= services.size + 1, `${requests.size} are kept`);
  });
});
