/** What keys and ConfigMaps need to be allowed, on both sides, and which flags are refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { flagsOf } from '../../../cli/flag-values.ts';
import { syncOptionsOf } from '../../../cli/k8s-flags.ts';
import { authorizing } from '../../support/kubernetes/authorizing.ts';
import type { KubeObject } from '../../support/kubernetes/objects.ts';
import { startSyncWorld } from '../../support/kubernetes/syncs.ts';
import { until } from '../../support/until.ts';

const MANIFEST = new URL(
  '../../../deploy/kubernetes/optional/sync-config-maps.yaml',
  import.meta.url,
);

/** Of the Role in the manifest; the API server of these specs knows no names of objects. */
function verbsOfRole(): readonly string[] {
  const [role] = parseAllDocuments(readFileSync(MANIFEST, 'utf8')).map((each) => each.toJS());
  return role.rules.flatMap(({ verbs }: { verbs: string[] }) => verbs);
}

const OWN = `
  node "k8s-sync" { policy = "write" }
  session "k8s-sync" { policy = "write" }
  key_prefix "k8s-sync/" { policy = "write" }
  service "proconsul-k8s-sync" { policy = "write" }`;

async function started(direction: string, policy: 'read' | 'write', verbs: readonly string[]) {
  const rules = { least: `${OWN} key_prefix "app/web/" { policy = "${policy}" }` };
  const world = await startSyncWorld({ rules });
  world.cluster.tokens.set('t1', { configmaps: verbs });
  const flags = { [`config-map-${direction}`]: 'app/web/=default/web', 'to-consul': 'false' };
  const instead = authorizing(world.access, 'least');
  const { logger } = world.sync('a', flags, 'least', undefined, instead);
  const map = () => world.objects.get('configmaps', 'default', 'web');
  const headers = { 'X-Consul-Token': 'master' };
  const set = (name: string, value: string) =>
    world.put(`/v1/kv/app/web/${name}`, value, { headers });
  const value = async (name: string) =>
    (await world.get(`/v1/kv/app/web/${name}?raw`, { headers })).text;
  const told = () => logger.lines.join('\n');
  return { ...world, logger, map, set, value, told };
}

describe('the rights that a ConfigMap and keys need', () => {
  it('are those of the manifest and of the page, where either may be changed', async () => {
    const { set, map, objects, value, logger, told } = await started(
      'both',
      'write',
      verbsOfRole(),
    );
    await set('a', '1');
    await until(() => (map()?.['data'] as { a?: string } | undefined)?.a === '1', told);
    objects.set('configmaps', { ...(map() as KubeObject), data: { a: '2' } });
    await until(async () => (await value('a')) === '2', told);
    await set('b', '3');
    await until(() => (map()?.['data'] as { b?: string } | undefined)?.b === '3', told);
    assert.deepEqual(
      logger.lines.filter((line) => line.startsWith('warn')),
      [],
    );
  });

  it('are to read the keys alone where they say what is so', async () => {
    const { set, map, told } = await started('from-kv', 'read', verbsOfRole());
    await set('a', '1');
    await until(() => map() !== undefined, told);
  });

  it('are lost in part for a while, and nothing is taken for deleted meanwhile', async () => {
    const { set, map, told, access, ask } = await started('from-kv', 'read', verbsOfRole());
    const data = () => map()?.['data'] as Record<string, string> | undefined;
    await set('a', '1');
    await set('b', '1');
    await until(() => data()?.['b'] === '1', told);
    access?.grant(
      'least',
      `${OWN} key_prefix "app/web/" { policy = "read" } key "app/web/b" { policy = "deny" }`,
    );
    await set('a', '2');
    await until(
      () => /the token may not read key "app\/web\/b"/.test(told()),
      () => `${told()} ${JSON.stringify(data())}`,
    );
    assert.deepEqual(data(), { a: '1', b: '1' });
    access?.grant('least', `${OWN} key_prefix "app/web/" { policy = "read" }`);
    await until(() => data()?.['a'] === '2', told);
    await ask('DELETE', '/v1/kv/app/web/b', { headers: { 'X-Consul-Token': 'master' } });
    await until(() => data()?.['b'] === undefined, told);
    assert.deepEqual(data(), { a: '2' });
  });

  it('are lost altogether, and the map stays', async () => {
    const { set, map, told, access } = await started('from-kv', 'read', verbsOfRole());
    await set('a', '1');
    await set('b', '1');
    await until(() => (map()?.['data'] as { b?: string } | undefined)?.b === '1', told);
    access?.grant('least', OWN);
    await set('a', '2');
    await until(() => /the token may not read key "app\/web\/a", and 1 more/.test(told()), told);
    assert.deepEqual(map()?.['data'], { a: '1', b: '1' });
  });

  it('are to read the map alone where that says what is so', async () => {
    const { objects, value, told } = await started('to-kv', 'write', ['list', 'watch']);
    objects.create('configmaps', {
      metadata: { name: 'web', namespace: 'default' },
      data: { a: '1' },
    });
    await until(async () => (await value('a')) === '1', told);
  });

  it('are told to be missing, and hold up nothing else', async () => {
    const { objects, value, told } = await started('to-kv', 'read', ['list', 'watch']);
    objects.create('configmaps', {
      metadata: { name: 'web', namespace: 'default' },
      data: { a: '1' },
    });
    await until(() => /app\/web\/: .*denied/i.test(told()), told);
    assert.equal(await value('a'), '');
  });
});

describe('-config-map', () => {
  const options = (...flags: readonly (readonly [string, string])[]) =>
    syncOptionsOf(flagsOf(flags));

  it('is a prefix, a namespace and a name', () => {
    const { maps } = options(['config-map-both', '/a=b/c=team/web.conf']);
    const [rule] = maps;
    assert.deepEqual(
      [rule?.direction, rule?.prefix, rule?.namespace, rule?.name, rule?.agreedKey],
      [
        'both',
        'a=b/c/',
        'team',
        'web.conf',
        'k8s-sync/k8s-sync/k8s-sync/config-maps/team/web.conf',
      ],
    );
    for (const said of ['x', 'x=y', '=a/b', '/=a/b', 'x=A/b', 'x=a/B', 'x=a/b/c']) {
      assert.throws(() => options(['config-map-to-kv', said]), /PREFIX=NAMESPACE\/NAME/, said);
    }
  });

  it('is refused where two would write over each other, or nothing is left to do', () => {
    const same = [
      ['config-map-from-kv', 'a=default/web'],
      ['config-map-to-kv', 'b=default/web'],
    ] as const;
    assert.throws(() => options(...same), /write ConfigMap default\/web/);
    const keys = [
      ['config-map-both', 'a=default/web'],
      ['config-map-to-kv', 'a/=default/other'],
    ] as const;
    assert.throws(() => options(...keys), /write prefix a\//);
    for (const prefix of ['k8s-sync', 'k8s-sync/k8s-sync/k8s-sync/config-maps/default']) {
      const said = ['config-map-to-kv', `${prefix}=default/other`] as const;
      assert.throws(() => options(said), /what syncs keep for themselves/, prefix);
    }
    const lock = [
      ['lock-key', 'app/web/lock'],
      ['config-map-both', 'app/web/=default/web'],
    ] as const;
    assert.throws(() => options(...lock), /what syncs keep for themselves/);
    assert.throws(() => options(['to-consul', 'false']), /nothing to do/);
    assert.equal(options(['to-consul', 'false'], ['config-map-to-kv', 'a=b/c']).maps.length, 1);
  });
});
