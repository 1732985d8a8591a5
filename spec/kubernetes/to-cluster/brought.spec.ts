/** Which services of the catalog a cluster is to have, whatever the catalog answers. */
import assert from 'node:assert/strict';
import type { Catalog, CatalogAnswer, CatalogRequest } from '../../../kubernetes/catalog.ts';
import { Brought } from '../../../kubernetes/to-cluster/brought.ts';
import type { BackRules } from '../../../kubernetes/to-cluster/rules.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { backRules } from '../../support/kubernetes/sync-rules.ts';
import { until } from '../../support/until.ts';

const RULES = backRules('external-name');

/** Runs over a catalog that is asked so. */
function running(
  ask: Catalog['ask'],
  more: { readonly kind?: BackRules['kind']; readonly there?: readonly string[] } = {},
) {
  const { kind = 'headless', there = [] } = more;
  const [clock, logger, ending] = [new FakeClock(), new RecordingLogger(), new AbortController()];
  const madeOf = (service: string) => there.find((name) => name.toLowerCase() === service);
  const deps = { catalog: { ask }, clock, random: seededRandom(1), logger, madeOf };
  const changed: string[] = [];
  const brought = new Brought(deps, { ...RULES, kind }, (service) => changed.push(service));
  const ran = brought.run(ending.signal);
  const stop = () => {
    ending.abort();
    return ran;
  };
  return { brought, logger, clock, stop, changed };
}

/** The catalog gives these answers one after the other, and then none. */
function started(
  answers: readonly (readonly string[] | ProconsulError)[],
  there: readonly string[] = [],
) {
  let given = 0;
  const ask = async (_: unknown, signal: AbortSignal): Promise<CatalogAnswer> => {
    const answer = answers[given++];
    if (answer instanceof ProconsulError) throw answer;
    if (answer === undefined) await new Promise((end) => signal.addEventListener('abort', end));
    const json = Object.fromEntries((answer ?? []).map((name) => [name, []]));
    return { status: 200, index: String(given), text: '', json };
  };
  const world = running(ask, { kind: 'external-name', there });
  return { ...world, isThrough: () => given > answers.length };
}

describe('what a cluster is to have', () => {
  it('is what it was while the catalog does not answer, and the log says why it does not', async () => {
    const lost = new ProconsulError('unavailable', 'nobody there');
    const { brought, logger, clock, stop, isThrough } = started([['web'], lost, lost]);
    await until(async () => {
      await clock.advance(1000);
      return isThrough();
    });
    assert.deepEqual([...brought.names()], ['web']);
    assert.deepEqual(logger.lines, ['warn k8s: cannot read /v1/catalog/services: nobody there']);
    await stop();
  });

  it('keeps its place when somebody registers more than are brought', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `a${i}`);
    const { brought, logger, stop, isThrough } = started([['web'], [...many, 'web']]);
    await until(isThrough);
    const names = [...brought.names()];
    assert.equal(names.length, 2000);
    assert.ok(names.includes('web'));
    assert.match(logger.lines.join('\n'), /2001 services: no more than 2000 are brought/);
    await stop();
  });

  it('begins with what the cluster has where there are more than are brought, and knows the others by name', async () => {
    const many = Array.from({ length: 2001 }, (_, i) => `a${i}`);
    const { brought, stop, isThrough } = started([[...many, 'web']], ['web']);
    await until(isThrough);
    assert.ok(brought.get('web') !== undefined);
    assert.deepEqual([brought.isOver('a998'), brought.isOver('a999')], [true, true]);
    assert.deepEqual([brought.isOver('web'), brought.isOver('other')], [false, false]);
    await stop();
  });

  for (const [when, answers, there] of [
    ['was brought', [['Web-API'], ['web-api', 'Web-API', 'WEB-API']], []],
    ['is in the cluster', [['web-api', 'Web-API', 'WEB-API']], ['Web-API']],
  ] as const) {
    it(`stays with the name that ${when}, whoever registers one of other letters beside it`, async () => {
      const { brought, logger, stop, isThrough } = started(answers, there);
      await until(isThrough);
      assert.equal(brought.get('web-api')?.name, 'Web-API');
      const told = logger.lines.filter((line) => line.includes('is not brought')).sort();
      assert.deepEqual(
        told.map((line) => line.split('"')[1]),
        ['WEB-API', 'web-api'],
      );
      await stop();
    });
  }

  it('goes to the next one once the holder is gone, and to the one written as it is where nobody holds it', async () => {
    const went = started([['Web'], ['Web', 'web'], ['web']]);
    await until(went.isThrough);
    assert.equal(went.brought.get('web')?.name, 'web');
    await went.stop();
    const first = started([['WEB', 'Web', 'web']]);
    await until(first.isThrough);
    assert.equal(first.brought.get('web')?.name, 'web');
    await first.stop();
  });

  it('is looked at as a whole once, and after that as names come and go', async () => {
    const { changed, stop, isThrough } = started([['web'], ['web', 'db'], ['db']]);
    await until(isThrough);
    assert.deepEqual(changed, ['web', '', 'db', 'web']);
    await stop();
  });

  it('is looked at where it finds room that had none', async () => {
    const many = Array.from({ length: 2001 }, (_, i) => `a${i}`);
    const { changed, stop, isThrough } = started([many, many.slice(0, -1)]);
    await until(isThrough);
    assert.equal(changed.filter((each) => each === '').length, 1);
    assert.ok(changed.slice(changed.indexOf('') + 1).includes('a999'));
    await stop();
  });

  it('has said again why a name does not come that was gone meanwhile', async () => {
    const { logger, stop, isThrough } = started([['a_b'], [], ['a_b']]);
    await until(isThrough);
    assert.equal(logger.lines.filter((line) => line.includes('"a_b" is not brought')).length, 2);
    await stop();
  });
});

describe('what is asked of the catalog', () => {
  it('waits for a minute at most, the list of names and each service alike: a server may be gone', async () => {
    const asked: string[] = [];
    const instance = { Node: { Node: 'm' }, Service: { Address: '10.0.0.1', Port: 80 } };
    const ask = async ({ path, query = [] }: CatalogRequest, signal: AbortSignal) => {
      if (query.some(([key]) => key === 'index')) {
        asked.push(`${path} ${query.find(([key]) => key === 'wait')?.[1]}`);
        await new Promise<void>((end) => signal.addEventListener('abort', () => end()));
      }
      const json = path === '/v1/catalog/services' ? { web: [] } : [instance];
      return { status: 200, index: '7', text: '', json };
    };
    const { stop } = running(ask);
    await until(() => asked.length === 2);
    assert.deepEqual(asked.sort(), ['/v1/catalog/services 1m', '/v1/health/service/web 1m']);
    await stop();
  });
});

describe('many services that are brought', () => {
  it('wait by fewer connections than a server gives one address, and each has its turn', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
    const asking = { now: 0, most: 0, ends: [] as [path: string, end: () => void][] };
    const answered = { status: 200, index: '7', text: '' };
    const instance = { Node: { Node: 'm' }, Service: { Address: '10.0.0.1', Port: 80 } };
    const ask = async ({ path, query = [] }: CatalogRequest, signal: AbortSignal) => {
      const isOfNames = path === '/v1/catalog/services';
      if (!isOfNames) asking.most = Math.max(asking.most, ++asking.now);
      const waits = query.some(([key]) => key === 'index');
      if (waits) {
        await new Promise<void>((end) => {
          signal.addEventListener('abort', () => end());
          if (!isOfNames) asking.ends.push([path, end]);
        });
      }
      if (!isOfNames) asking.now--;
      const all = Object.fromEntries(names.map((name) => [name, []]));
      return { ...answered, json: isOfNames ? all : [instance] };
    };
    const { brought, stop } = running(ask);
    const known = () => names.filter((name) => brought.get(name)?.addresses !== undefined).length;
    await until(() => asking.now === 72 && known() === 100);
    // Whoever waits for a place has the next one.
    const waited = new Set<string>();
    await until(() => {
      for (const [path, end] of asking.ends.splice(0)) {
        waited.add(path);
        end();
      }
      return waited.size === 100;
    });
    assert.equal(asking.most, 72);
    await stop();
  });
});

describe('what is asked for anew', () => {
  /** Each answer comes when it is given, to the question at that path that waits for longest. */
  function slow() {
    const asked: { path: string; waits: boolean; give: (index: string, json: unknown) => void }[] =
      [];
    const ask: Catalog['ask'] = ({ path, query = [] }, signal) =>
      new Promise<CatalogAnswer>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new ProconsulError('unavailable', 'over')));
        const give = (index: string, json: unknown) =>
          resolve({ status: 200, index, text: '', json });
        asked.push({ path, waits: query.some(([name]) => name === 'index'), give });
      });
    const answer = async (path: string, index: string, json: unknown, waits = false) => {
      const isMeant = (each: (typeof asked)[number]) => each.path === path && each.waits === waits;
      await until(() => asked.some(isMeant));
      asked.splice(asked.findIndex(isMeant), 1)[0]?.give(index, json);
    };
    return { ask, answer };
  }
  const SERVICES = '/v1/catalog/services';
  const WEB = '/v1/health/service/web';
  const at = (Address: string) => [{ Node: { Node: 'm' }, Service: { Address, Port: 80 } }];

  it('does not go over instances that the followed question brought meanwhile', async () => {
    const { ask, answer } = slow();
    const { brought, stop } = running(ask);
    const shown = () => brought.get('web')?.addresses?.map(({ address }) => address);
    await answer(SERVICES, '1', { web: [] });
    await answer(WEB, '1', at('10.0.0.1'));
    await until(() => shown()?.[0] === '10.0.0.1');
    const reading = brought.readAnew('web', new AbortController().signal);
    await answer(WEB, '2', at('10.0.0.2'), true);
    await until(() => shown()?.[0] === '10.0.0.2');
    await answer(WEB, '1', at('10.0.0.1'));
    await answer(WEB, '2', at('10.0.0.2'));
    await reading;
    assert.deepEqual(shown(), ['10.0.0.2']);
    await stop();
  });

  it('is no newer where no instance is shown any more: the list of names says that it is gone', async () => {
    const { ask, answer } = slow();
    const { brought, stop } = running(ask);
    await answer(SERVICES, '1', { web: [] });
    await answer(WEB, '1', at('10.0.0.1'));
    await until(() => brought.isFresh('web'));
    brought.doubt();
    const failed = assert.rejects(
      brought.readAnew('web', new AbortController().signal),
      /web has no instances/,
    );
    await answer(WEB, '2', []);
    await answer('/v1/internal/acl/authorize', '', [{ Segment: 'm', Allow: true }]);
    await failed;
    assert.equal(brought.isFresh('web'), false);
    await stop();
  });

  it('forgets no name that was registered meanwhile', async () => {
    const { ask, answer } = slow();
    const { brought, stop } = running(ask, { kind: 'external-name' });
    await answer(SERVICES, '1', { web: [] });
    const reading = brought.readGone('db', new AbortController().signal);
    const allowed = [{ Segment: 'db', Allow: true }];
    await answer('/v1/internal/acl/authorize', '', allowed);
    await answer(SERVICES, '2', { web: [], api: [] }, true);
    await until(() => [...brought.names()].includes('api'));
    await answer(SERVICES, '1', { web: [] });
    await answer(SERVICES, '2', { web: [], api: [] });
    await reading;
    assert.deepEqual([...brought.names()].sort(), ['api', 'web']);
    await stop();
  });
});
