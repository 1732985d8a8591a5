/** A prefix of keys and a ConfigMap, with syncs that keep them in step. */
import assert from 'node:assert/strict';
import { until } from '../until.ts';
import type { KubeObject } from './objects.ts';
import { type Instead, NODE, startSyncWorld } from './syncs.ts';

export type Plain = Readonly<Record<string, string>>;

export const AGREED = 'k8s-sync/k8s-sync/k8s-sync/config-maps/default/web';

interface Row {
  readonly Key: string;
  readonly Value: string | null;
}

export async function startPairWorld(direction: string) {
  const world = await startSyncWorld();
  const { objects, put, get, sync, server } = world;
  const set = async (name: string, value: string | Buffer) => {
    const { text } = await put(`/v1/kv/app/web/${name}`, value);
    assert.equal(text, 'true');
  };
  const drop = (name: string) => world.del(`/v1/kv/app/web/${name}`);
  const keys = async (): Promise<Plain> => {
    const answer = await get('/v1/kv/app/web/?recurse');
    const pairs = answer.status === 404 ? [] : (answer.json as readonly Row[]);
    const shown = pairs.map(({ Key, Value }) => [
      Key.slice('app/web/'.length),
      Buffer.from(Value ?? '', 'base64').toString(),
    ]);
    return Object.fromEntries(shown);
  };
  const map = () => objects.get('configmaps', 'default', 'web');
  const data = () => map()?.['data'] as Plain | undefined;
  const make = (data: Plain, over: object = {}) => {
    const { labels = {}, annotations = {} } = map()?.metadata ?? {};
    const metadata = { name: 'web', namespace: 'default', labels, annotations };
    return objects.set('configmaps', { metadata, data, ...over } as KubeObject);
  };
  const begin = (name = 'a', way = direction, instead?: Instead) => {
    const flags = { 'to-consul': 'false', [`config-map-${way}`]: 'app/web/=default/web' };
    return sync(name, flags, '', undefined, instead);
  };
  const said = (line: RegExp) => {
    const { logger } = last;
    return until(
      () => logger.lines.some((each) => line.test(each)),
      () => logger.lines.join('\n'),
    );
  };
  let last = begin();
  // Until a beat has said that it knows all: what is written after that is no beat's.
  const check = 'service:proconsul-k8s-sync-a';
  await until(() => last.isActive && world.status(NODE, check) === 'passing');
  const untilKeys = async (wanted: Plain) =>
    until(
      async () => sorted(await keys()) === sorted(wanted),
      () => last.logger.lines.join('\n'),
    );
  const untilData = (wanted: Plain) =>
    until(
      () => sorted(data() ?? {}) === sorted(wanted) && map() !== undefined,
      () => `${JSON.stringify(map())} ${last.logger.lines.join('\n')}`,
    );
  /** That nothing is on its way any more; answers what the store has of it. */
  const untilAgreed = async () => {
    let text = '';
    await until(
      async () => {
        text = (await get(`/v1/kv/${AGREED}?raw`)).text;
        return text.includes('"Serial":') && !/"(keys|map)"/.test(text);
      },
      () => text,
    );
    return text;
  };
  const next = (name: string, way = direction, instead?: Instead) => {
    last = begin(name, way, instead);
    return last;
  };
  const position = () => server.state.position;
  return {
    ...world,
    set,
    drop,
    keys,
    map,
    data,
    make,
    said,
    untilKeys,
    untilData,
    untilAgreed,
    next,
    position,
    first: last,
  };
}

function sorted(plain: Plain): string {
  return JSON.stringify(Object.entries(plain).sort());
}
